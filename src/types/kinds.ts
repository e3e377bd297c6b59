/** The kinds of values, where the types find them. */
export { type Kind, kinds } from '../store/collections/kinds.ts';
