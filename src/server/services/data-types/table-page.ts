/** Which page of a hash or a set a request asks for. */
import type { TablePage } from '../../../kv/collections/reads.ts';
import { pageLimitOf } from '../../../kv/reads/page-limit.ts';
import { encodeKey } from '../../../store/views/keys.ts';
import { keyIn, pageLimit, wholeNumber } from '../request-fields.ts';

interface ScanFields {
  readonly key: string;
  readonly keyBytes: Uint8Array;
  readonly limit: number;
  readonly pageToken: string;
  readonly revision: number;
}

export function tablePage(request: ScanFields, namesOnly: boolean): TablePage {
  return {
    key: encodeKey(keyIn(request)),
    limit: pageLimitOf({ limit: pageLimit(request.limit) }),
    pageToken: request.pageToken,
    revision: wholeNumber('revision', request.revision),
    namesOnly,
  };
}
