/** What the store, which knows no types, asks of those who do. */
import type { ExpiringView } from './views/view.ts';
import type { DescribeElements } from './watch/messages/element-rows.ts';

/**
 * Removes elements whose deadlines have passed, with what follows for the key that has them, within the transaction of the view.
 * @param keys of elements of one collection, one or more, in the order of their deadlines.
 */
export type ExpireElements = (view: ExpiringView, keys: readonly Uint8Array[]) => void;

export interface TypeHooks {
  /** For watches that are told of elements. */
  readonly describeElements: DescribeElements;
  readonly expireElements: ExpireElements;
}

/** Of a store in which there is nothing but plain bytes: no watch is told of elements. */
export const noTypes: TypeHooks = {
  describeElements: () => undefined,
  expireElements: (view, keys) => {
    for (const key of keys) view.expire(key);
  },
};
