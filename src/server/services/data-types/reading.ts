/** What the reads of all data types have in common. */
import type { Key } from '../../../api.ts';
import { checkKey } from '../../../access/checks.ts';
import type { Login } from '../../../access/login/login.ts';
import { StoreError } from '../../../errors.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import { readWanted } from '../../../kv/reads/pages.ts';
import { fixed } from '../../../limits.ts';
import { encodeKey } from '../../../store/views/keys.ts';
import type { ReadView } from '../../../store/views/view.ts';
import { refreshLifetime } from '../../../types/keys/expiry.ts';
import type { Call } from '../../calls/call.ts';
import { keyIn, wholeNumber } from '../request-fields.ts';
import { ELEMENT_BYTES } from './replies.ts';

/** The fields that such requests have. */
interface KeyRead {
  readonly key: string;
  readonly keyBytes: Uint8Array;
  readonly revision?: number;
  readonly refreshTtl?: boolean;
}

export function readNeeds(login: Login, request: KeyRead): void {
  const key = keyIn(request);
  checkKey(login, 'read', key);
  if (request.refreshTtl === true) checkKey(login, 'write', key);
}

/** Reads a key at the revision that is asked for, or starts its time to live anew. @param given bytes of the request. */
export function readKey<Given, Answer extends object>(
  store: KvStore,
  request: KeyRead,
  given: Given,
  read: (view: ReadView, key: Uint8Array, given: Given) => Answer,
): Promise<Answer & { revision: number }> {
  const named: Key = keyIn(request);
  const revision = wholeNumber('revision', request.revision ?? 0);
  if (request.refreshTtl !== true) {
    return store.readSeam({ named, given }, (seam, kept) =>
      readWanted(seam, revision, (view) => ({
        ...read(view, encodeKey(kept.named), kept.given),
        revision: view.revision,
      })),
    );
  }
  if (revision !== 0) {
    throw new StoreError('invalidArgument', 'refresh_ttl is a write: it can not be combined with a revision');
  }
  return store.decideWith({ named, given }, (view, kept) => {
    const key = encodeKey(kept.named);
    refreshLifetime(view, key);
    return { ...read(view, key, kept.given), revision: view.replyRevision };
  });
}

/** Takes memory for an element of a reply before it is made. */
export function elementCharge(call: Call): (bytes: number) => void {
  return (bytes) => call.chargeReply(bytes + ELEMENT_BYTES);
}

/** The keys, or elements, that a read asks for: 1 to so many. */
export function checkAsked(
  field: string,
  asked: readonly unknown[],
  countMax: number = fixed.askedElementsMax,
): void {
  if (asked.length > 0 && asked.length <= countMax) return;
  throw new StoreError(
    'invalidArgument',
    `${field} has ${asked.length} items; it must have 1 to ${countMax}`,
  );
}
