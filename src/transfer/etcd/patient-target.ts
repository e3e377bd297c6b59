/**
 * A store that is waited for while it is not there, such as over a restart of its server, until the one who follows is told to stop.
 * A transaction is made again when it is not known whether it was: what is followed has no conditions, so that it comes to the same
 * state.
 */
import type { CountResult, Key, KeyRange } from '../../api.ts';
import type { FollowTarget, FollowedBatch } from '../contract/stores.ts';
import { storeCodeOf } from '../contract/transfer-error.ts';
import { type Patience, patiently } from './patience.ts';

const passingCodes: ReadonlySet<string> = new Set([
  'unavailable',
  'recovering',
  'shuttingDown',
  'deadlineExceeded',
  'readOnly',
  'notWriter',
  'readFailed',
]);

export class PatientTarget implements Pick<FollowTarget, 'txn' | 'touch' | 'count' | 'exists'> {
  readonly #target: FollowTarget;
  readonly #patience: Patience;

  constructor(target: FollowTarget, patience: Pick<Patience, 'clock' | 'signal' | 'onFailure'>) {
    this.#target = target;
    this.#patience = {
      ...patience,
      triesMax: Number.POSITIVE_INFINITY,
      // A server that was busy says when to come again; the client has done so a few times by then.
      mayPass: (error) => passingCodes.has(storeCodeOf(error)) || isBusy(error),
    };
  }

  txn(request: FollowedBatch): ReturnType<FollowTarget['txn']> {
    return patiently(() => this.#target.txn(request), this.#patience);
  }

  touch(key: Key, options: { readonly ttlMs: number }): Promise<unknown> {
    return patiently(() => this.#target.touch(key, options), this.#patience);
  }

  count(range: KeyRange): Promise<CountResult> {
    return patiently(() => this.#target.count(range), this.#patience);
  }

  exists(keys: readonly Key[]): ReturnType<FollowTarget['exists']> {
    return patiently(() => this.#target.exists(keys), this.#patience);
  }
}

function isBusy(error: unknown): boolean {
  return (
    storeCodeOf(error) === 'limitReached' &&
    error instanceof Error &&
    'retryAfterMs' in error &&
    error.retryAfterMs !== undefined
  );
}
