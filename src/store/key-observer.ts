/**
 * Is told of keys as they are read and changed, through whatever door: for statistics. Reads are those of single keys, also those
 * that a transaction makes; what a scan shows is not told of. It is called for each, so it must take next to no time, and may not
 * throw; the bytes are the engine's keys, and good during the call only.
 */
export interface KeyObserver {
  keyRead(key: Uint8Array): void;
  keyWritten(key: Uint8Array): void;
}
