/**
 * Values that are too long for a block: each is a buffer of its own that never changes. A version names it by number; when
 * the version is replaced, the number moves with it into the undo ring, so that an overwrite copies nothing of the value
 * before. Who drops the last version of a value drops the value.
 */
import { assert } from '../../errors.ts';
import { memoryOf } from '../../wire/memory.ts';
import type { Memory } from '../../wire/memory.ts';

export class LongValues {
  readonly #memories: (Memory | undefined)[] = [];
  readonly #freeNumbers: number[] = [];
  #byteCount = 0;

  get memoryBytes(): number {
    return this.#byteCount;
  }

  /** Copies a value. @returns its number. */
  add(source: Uint8Array): number {
    const number = this.#freeNumbers.pop() ?? this.#memories.length;
    this.#memories[number] = memoryOf(new Uint8Array(source));
    this.#byteCount += source.length;
    return number;
  }

  memoryOf(number: number): Memory {
    const memory = this.#memories[number];
    assert(memory !== undefined, 'a version has its long value');
    return memory;
  }

  remove(number: number): void {
    this.#byteCount -= this.memoryOf(number).bytes.length;
    this.#memories[number] = undefined;
    this.#freeNumbers.push(number);
  }
}
