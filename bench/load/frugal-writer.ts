/**
 * Writes to an engine with one key and one change that are used again and again: an engine copies what it keeps. Without
 * garbage of the caller's own, the memory of the process is that of the engine, and nothing has to be collected before it
 * is looked at.
 */
import type { Engine } from '../../src/engine/engine.ts';
import type { Change } from '../../src/engine/version.ts';
import { put } from './changes.ts';
import { KEY_BYTES, Values, writeKey } from './data.ts';

const ROW_CHANGES = 256;
const NO_BYTES = new Uint8Array(0);

export class FrugalWriter {
  readonly #engine: Engine;
  readonly #values = new Values();
  readonly #change: { -readonly [field in keyof Change]: Change[field] } = put(
    new Uint8Array(KEY_BYTES),
    NO_BYTES,
    0,
  );

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  put(index: number): void {
    const change = this.#change;
    change.deleted = false;
    change.value = this.#values.of(index);
    change.createRevision = change.modRevision = change.revision + 1;
    this.#apply(index);
  }

  delete(index: number): void {
    this.#change.deleted = true;
    this.#change.value = NO_BYTES;
    this.#apply(index);
  }

  /** Compacts, and does all work that this brings. */
  work(): void {
    this.#engine.compact(this.#change.revision);
    while (this.#engine.maintain());
  }

  #apply(index: number): void {
    writeKey(this.#change.key, index);
    this.#change.revision++;
    this.#engine.apply(this.#change);
    if (this.#change.revision % ROW_CHANGES === 0) this.work();
  }
}
