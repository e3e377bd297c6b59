/** What the reads of all data types have in common. */
import { checkKey } from '../../../access/checks.ts';
import type { Login } from '../../../access/login/login.ts';
import type { CollectionReads, RefreshingRead } from '../../../collections/reads.ts';
import type { Call } from '../../calls/call.ts';
import { keyIn, pageLimit, wholeNumber } from '../request-fields.ts';
import { ELEMENT_BYTES } from './replies.ts';

/** The fields that such requests have. */
interface KeyRead {
  readonly key: string;
  readonly keyBytes: Uint8Array;
  readonly revision?: number;
  readonly refreshTtl?: boolean;
}

/** Those of requests that read page by page. */
interface PageRead extends KeyRead {
  readonly revision: number;
  readonly limit: number;
  readonly pageToken: string;
}

export function readNeeds(login: Login, request: KeyRead): void {
  const key = keyIn(request);
  checkKey(login, 'read', key);
  if (request.refreshTtl === true) checkKey(login, 'write', key);
}

/** What a request says of the key that is read. */
export function keyRead(request: KeyRead): RefreshingRead {
  const revision = wholeNumber('revision', request.revision ?? 0);
  return { key: keyIn(request), revision, refreshTtl: request.refreshTtl === true };
}

/** Which page of a collection a request asks for. */
export function pageRead(request: PageRead): CollectionReads['setScan'] {
  return {
    key: keyIn(request),
    limit: pageLimit(request.limit),
    pageToken: request.pageToken,
    revision: wholeNumber('revision', request.revision),
  };
}

/** Takes memory for an element of a reply before it is made. */
export function elementCharge(call: Call): (bytes: number) => void {
  return (bytes) => call.chargeReply(bytes + ELEMENT_BYTES);
}
