/** What the store asks of types. */
import type { TypeHooks } from '../store/type-hooks.ts';
import { describeElements } from './collections/element-changes.ts';
import { expireElements } from './collections/timed-table.ts';

export const typeHooks: TypeHooks = { describeElements, expireElements };
