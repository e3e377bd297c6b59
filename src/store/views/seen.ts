/** What a transaction has found of a key in the engine, so that a write behind a read of it needs no second look. */
import type { Version } from '../../engine/version.ts';
import { keyScratch } from './keys.ts';

/** What the engine has of a key, overdue or not: a transaction changes nothing of that before it is committed. */
export class Seen {
  version: Version | undefined;
  isWhole = false;
  #key: Uint8Array | undefined;
  #generation = 0;

  get isFree(): boolean {
    return this.#key === undefined;
  }

  /** Whether it is of this very key, which still is what it was. */
  isOf(key: Uint8Array): boolean {
    return key === this.#key && this.#generation === keyScratch.generation;
  }

  take(key: Uint8Array, version: Version | undefined, isWhole: boolean): void {
    this.#key = key;
    this.#generation = keyScratch.generation;
    this.version = version;
    this.isWhole = isWhole;
  }

  clear(): void {
    this.#key = undefined;
    this.version = undefined;
  }
}
