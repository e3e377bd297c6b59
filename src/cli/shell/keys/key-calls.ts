/** What commands on single keys do: at once, or as part of the transaction that is open. */
import type { Entry, Key } from '../../../api.ts';
import type { SetOptions } from '../../../shell-words/set-request.ts';

export interface KeyCalls {
  /** `undefined`: there is no such key. */
  get(key: Key): Promise<FoundValue | undefined>;
  set(key: Key, value: Uint8Array, options: SetOptions): Promise<SetOutcome>;
  /** For each key whether there was one. */
  delete(keys: readonly Key[]): Promise<readonly boolean[]>;
  exists(keys: readonly Key[]): Promise<readonly boolean[]>;
  /** @returns the sum. */
  increment(key: Key, delta: bigint): Promise<bigint>;
}

export interface FoundValue {
  readonly value: Uint8Array;
  /** Of a value that the open transaction has made there is no entry yet. */
  readonly entry?: Entry;
}

export type SetOutcome =
  { readonly isSet: true; readonly previous: Uint8Array | undefined } | { readonly isSet: false };
