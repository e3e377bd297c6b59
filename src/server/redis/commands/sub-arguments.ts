/** The words of a call from one of them on: for COMMAND GETKEYS, whose words are another call. */
import type { Arguments } from './command.ts';

export class SubArguments implements Arguments {
  readonly #words: Arguments;
  readonly #first: number;

  constructor(words: Arguments, first: number) {
    this.#words = words;
    this.#first = first;
  }

  get count(): number {
    return this.#words.count - this.#first;
  }

  bytes(index: number): Uint8Array {
    return this.#words.bytes(index + this.#first);
  }

  passing(index: number): Uint8Array {
    return this.#words.passing(index + this.#first);
  }

  only(index: number): Uint8Array {
    return this.#words.only(index + this.#first);
  }

  key(index: number): Uint8Array {
    return this.#words.key(index + this.#first);
  }

  text(index: number): string {
    return this.#words.text(index + this.#first);
  }

  head(index: number, bytesMax: number): string {
    return this.#words.head(index + this.#first, bytesMax);
  }

  is(index: number, word: string): boolean {
    return this.#words.is(index + this.#first, word);
  }

  int64(index: number): bigint {
    return this.#words.int64(index + this.#first);
  }

  integer(index: number): number {
    return this.#words.integer(index + this.#first);
  }

  double(index: number): number {
    return this.#words.double(index + this.#first);
  }
}
