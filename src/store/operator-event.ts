/** What a store tells its operator, for the log: nothing here holds keys or values. */
export type OperatorEvent =
  | {
      readonly kind: 'recovered';
      readonly revision: number;
      /** The latest wall time that log and snapshot have; 0: there is none. */
      readonly timeMs: number;
      /** 0: recovered from the log alone. */
      readonly snapshotRevision: number;
      readonly recordCount: number;
      readonly durationMs: number;
    }
  /** The wall clock is so far behind the newest write: times to live count from there, a little slower, until it has come up. */
  | { readonly kind: 'clockBehind'; readonly behindMs: number }
  /** The end of a write that was never acknowledged was cut off. */
  | { readonly kind: 'tornTailCut'; readonly file: string; readonly offset: number; readonly bytes: number }
  /** The directory holds a store without lock files: the start waits until an owner, if there is one, has noticed. */
  | { readonly kind: 'locksMissing'; readonly waitMs: number }
  /** A door failed as it was told of a change; it is told no more. */
  | { readonly kind: 'listenerFailed'; readonly error: Error }
  /** A snapshot can't be read; an older one and the longer log serve instead. */
  | { readonly kind: 'snapshotDamaged'; readonly revision: number; readonly error: Error }
  | {
      readonly kind: 'snapshotWritten';
      readonly revision: number;
      readonly bytes: number;
      readonly durationMs: number;
    }
  | { readonly kind: 'snapshotFailed'; readonly revision: number; readonly error: Error }
  /** What had changed is in the files of the engine, up to a revision; `bytes` is their length. */
  | {
      readonly kind: 'checkpointWritten';
      readonly revision: number;
      readonly bytes: number;
      readonly durationMs: number;
    }
  /** A checkpoint of the engine could not be written; it is tried again. */
  | { readonly kind: 'checkpointFailed'; readonly revision: number; readonly error: Error }
  /** A merge of files of the engine was given up; it is tried again. */
  | { readonly kind: 'mergeFailed'; readonly error: Error }
  /** The disk was full at the start: what the files of the engine hold is shown, and nothing is removed until a checkpoint was written. */
  | { readonly kind: 'storageUnsettled'; readonly error: Error }
  /** A read found the files of the engine damaged, and was refused. Told at most once a minute. */
  | { readonly kind: 'storageDamaged'; readonly error: Error }
  /** The disk has failed a read of files that a call or a watch needed, which was refused. Told at most once a minute. */
  | { readonly kind: 'readFailed'; readonly error: Error }
  /** Writes are refused because the state has reached its memory limit. Told at most once a minute. */
  | { readonly kind: 'memoryFull'; readonly usedBytes: number; readonly limitBytes: number }
  /**
   * The next log segment can't be made, or the present one, of so many bytes, not grow ahead of need; it goes on in what it has,
   * and it is tried again. Told at most once a minute.
   */
  | { readonly kind: 'segmentDelayed'; readonly error: Error; readonly segmentBytes: number }
  /** Old log segments or snapshots could not be removed; it is tried again later. */
  | { readonly kind: 'cleanupFailed'; readonly error: Error }
  /** A write or flush failed: no write is accepted any more. */
  | { readonly kind: 'storageFailed'; readonly error: Error }
  /** Another node of the cluster writes now: this store takes no write until it is opened again, as a follower. */
  | { readonly kind: 'overtaken'; readonly error: Error }
  /** The lock of the data directory was taken away by hand: no write is accepted any more. */
  | { readonly kind: 'ownershipLost'; readonly error: Error };
