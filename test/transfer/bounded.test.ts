/** What is held in memory does not grow with the input: counted in bytes, of what was read and not written yet. */
import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { importFrom } from '../../src/index.ts';
import { transfer as limits } from '../../src/limits.ts';
import { MapTarget } from './transfers.ts';

const MiB = 1024 * 1024;
const VALUE = 'x'.repeat(1000);

/** Made as it is read. Counts what was given. */
class Endless {
  givenBytes = 0;
  readonly #begin: string;
  readonly #entry: (index: number) => string;
  readonly #end: string;
  readonly #count: number;
  readonly #pieceBytes: number;

  constructor(count: number, pieceBytes: number, entry: (index: number) => string, begin = '', end = '') {
    this.#count = count;
    this.#pieceBytes = pieceBytes;
    this.#entry = entry;
    this.#begin = begin;
    this.#end = end;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    let piece = this.#begin;
    for (let index = 0; index < this.#count; index++) {
      piece += this.#entry(index);
      if (piece.length < this.#pieceBytes) continue;
      this.givenBytes += piece.length;
      yield piece;
      piece = '';
    }
    this.givenBytes += this.#end.length + piece.length;
    yield piece + this.#end;
  }
}

/** Forgets what it is given, and notes how much was read before it was. */
class Forgetful extends MapTarget {
  entryCount = 0;
  aheadMax = 0;

  constructor(source: Endless, entryBytes: number) {
    super();
    this.txn = ({ success }) => {
      this.aheadMax = Math.max(this.aheadMax, source.givenBytes - this.entryCount * entryBytes);
      this.entryCount += success.length;
      return Promise.resolve({ succeeded: true, revision: 1 });
    };
  }
}

const named = (index: number): string => `key${String(index).padStart(9, '0')}`;
const member = (index: number): string => `${index === 0 ? '' : ','}"${named(index)}":"${VALUE}"`;
const line = (index: number): string => `{"key":"${named(index)}","value":"${VALUE}"}\n`;

describe('of 32 MiB are read ahead at most a batch and what came in one piece', () => {
  const count = (32 * MiB) / 1000;
  test.each<[string, Endless, number]>([
    [
      'a document in a single line',
      new Endless(count, 64 * 1024, member, '{"version":1,"data":{', '}}'),
      member(1).length,
    ],
    ['JSON Lines', new Endless(count, 64 * 1024, line), line(0).length],
    ['JSON Lines in pieces of 4 MiB', new Endless(count, 4 * MiB, line), line(0).length],
  ])('%s', async (name, source, entryBytes) => {
    const target = new Forgetful(source, entryBytes);
    await importFrom(target, source);
    expect(target.entryCount).toBe(Math.ceil(count));
    const pieceBytes = name.includes('4 MiB') ? 4 * MiB : 64 * 1024;
    expect(target.aheadMax).toBeLessThan(limits.batchBytesMax + pieceBytes + 8 * limits.inputStepBytes);
  });
});

test('white space without end takes no memory, and a text that is too long is refused before it has ended', async () => {
  const blank = new Endless(1000, 64 * 1024, () => ' '.repeat(64 * 1024));
  expect(await importFrom(new MapTarget(), blank)).toMatchObject({ entryCount: 0, bytes: 1000 * 64 * 1024 });
  const name = new Endless(1000, 64 * 1024, () => 'n'.repeat(64 * 1024), '{"');
  await expect(importFrom(new MapTarget(), name)).rejects.toMatchObject({
    message: `line 1, byte 2: a text of more than ${limits.nameBytesMax} bytes`,
  });
  expect(name.givenBytes).toBeLessThan(3 * 64 * 1024);
});

test('a signal keeps nothing of what was read, and is let go of at the end', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const given: WeakRef<Uint8Array>[] = [];
  let keptCount = 0;
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < 100; index++) {
      const piece = Buffer.from(line(index));
      given.push(new WeakRef(piece));
      yield piece;
    }
    // A weak reference holds on to what it was made of until the turn is over.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    keptCount = given.filter((piece) => piece.deref() !== undefined).length;
  }
  const { signal } = new AbortController();
  await importFrom(new MapTarget(), pieces(), { signal });
  expect(given).toHaveLength(100);
  expect(keptCount).toBeLessThan(10);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
