/** The id of the store that a shared log is of, as clients are told it. */
import { publicStoreId } from '../store/directory/store-id.ts';
import type { LogHead } from '../shared-log/shared-log.ts';

export function shownStoreId({ storeId }: Pick<LogHead, 'storeId'>): string {
  return publicStoreId(storeId);
}
