/** What an import from etcd asks of the one that reads it (`EtcdReader` of the client). */

export interface EtcdEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** 0: none. */
  readonly leaseId: bigint;
}

export interface EtcdEvent {
  readonly key: Uint8Array;
  /** `undefined`: the key was deleted. */
  readonly put: EtcdEntry | undefined;
}

/** All events of a revision in their order; none: all up to it have been handed out. */
export interface EtcdRevision {
  readonly revision: number;
  readonly events: readonly EtcdEvent[];
}

/** Calls reject with an `EtcdFailure`, and with the reason of the signal once that is aborted. */
export interface EtcdSource {
  /** Whether it reads all keys, so that each revision has something to tell. */
  readonly hasAllKeys: boolean;
  /** Keys in their order. `revision` of the request 0: the newest, which is that of the reply; `after`: the last key that is done. */
  page(
    request: {
      readonly after?: Uint8Array | undefined;
      readonly revision: number;
      readonly limit: number;
      readonly keysOnly?: boolean;
    },
    signal: AbortSignal,
  ): Promise<{
    readonly entries: readonly EtcdEntry[];
    readonly hasMore: boolean;
    /** Of all keys from the page on. */
    readonly keyCount: number;
    readonly revision: number;
  }>;
  /** One key at a revision; `undefined`: there was none. */
  get(key: Uint8Array, revision: number, signal: AbortSignal): Promise<EtcdEntry | undefined>;
  /** The milliseconds that are left of a lease; `undefined`: it has ended. */
  leaseLeftMs(leaseId: bigint, signal: AbortSignal): Promise<number | undefined>;
  /** The changes from a revision on; it ends by throwing alone. */
  watch(from: number, signal: AbortSignal): AsyncIterable<EtcdRevision>;
}

/** Whether the same may succeed later; the revision is gone; the login is refused; less is to be asked for at once; anything else. */
export type EtcdFailureKind = 'unavailable' | 'compacted' | 'refused' | 'tooLong' | 'other';

const kinds: ReadonlySet<unknown> = new Set(['unavailable', 'compacted', 'refused', 'tooLong', 'other']);

export interface EtcdFailure extends Error {
  readonly kind: EtcdFailureKind;
}

export function isEtcdFailure<Kind extends EtcdFailureKind>(
  error: unknown,
  kind?: Kind,
): error is EtcdFailure & { readonly kind: Kind } {
  if (!(error instanceof Error) || !('kind' in error) || !kinds.has(error.kind)) return false;
  return kind === undefined || error.kind === kind;
}
