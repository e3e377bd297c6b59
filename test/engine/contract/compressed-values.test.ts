/** `MemoryEngine` whose values are compressed: the same contract, and what it takes and unpacks. */
import { expect, it } from 'vitest';
import { CompressionFigures, decompress, tryCompress } from '../../../src/engine/compression.ts';
import { type ValueCodec, zstdCodec } from '../../../src/engine/memory/compressed-values.ts';
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import { PutRow } from '../../../src/engine/put-row.ts';
import { fixed } from '../../../src/limits.ts';
import { verifyIntegrity } from '../memory/integrity.ts';
import { bytes, deletion, put } from './changes.ts';
import { testEngineContract } from './engine-contract.ts';
import { testEngineHistories } from './engine-histories.ts';
import { testEngineLoads } from './engine-loads.ts';
import { NEWEST, ALL_KEYS, asText, drain, forward, textOf } from './forms.ts';
import { HeapEngine } from './heap-engine.ts';
import { MirrorEngine } from './mirror-engine.ts';
import { wholeWalk } from './whole-walk.ts';

/**
 * Stands for short values that zstd would not shorten: two of three are kept by a number of four bytes, those of more than 6000 bytes
 * with so much behind it that they stay long.
 */
class NumberCodec implements ValueCodec {
  readonly plainBytesMin = 5;
  readonly #plain: Uint8Array[] = [];

  compress(plain: Uint8Array): Uint8Array | undefined {
    if (plain.length % 3 === 0) return undefined;
    const stored = Buffer.alloc(plain.length > 6000 ? plain.length - 100 : 4, 0xee);
    stored.writeUInt32LE(this.#plain.push(new Uint8Array(plain)) - 1);
    return stored;
  }

  decompress(stored: Uint8Array, plainBytes: number): Uint8Array {
    const plain = this.#plain[Buffer.from(stored).readUInt32LE()];
    if (plain?.length !== plainBytes) throw new Error('a value is unpacked from its own place');
    if (!stored.subarray(4).every((byte) => byte === 0xee)) throw new Error('a value is unpacked whole');
    return new Uint8Array(plain);
  }
}

const withNumbers = () => new MemoryEngine({ valueCodec: new NumberCodec(), slabBytesMax: 32 * 1024 });
/** Runs of a byte give way from some 20 bytes on. */
const withZstd = () =>
  new MemoryEngine({
    valueCodec: { plainBytesMin: 16, compress: (plain) => tryCompress(plain, 1), decompress },
  });

testEngineContract('MemoryEngine with compressed values', withNumbers);
testEngineContract('MemoryEngine with zstd from 16 bytes', withZstd);
testEngineContract(
  'MemoryEngine with compressed values beside HeapEngine',
  () => new MirrorEngine(withNumbers(), new HeapEngine()),
);
testEngineLoads('MemoryEngine with compressed values', withNumbers);
testEngineHistories('MemoryEngine with compressed values', withNumbers);
testEngineHistories(
  'MemoryEngine with compressed values beside HeapEngine',
  () => new MirrorEngine(withNumbers(), new HeapEngine()),
);

function engineAsServed(): { engine: MemoryEngine; figures: CompressionFigures } {
  const figures = new CompressionFigures();
  return { engine: new MemoryEngine({ valueCodec: zstdCodec(1, figures) }), figures };
}

it('long values take what their frames take, in the newest state and in the past', () => {
  const { engine, figures } = engineAsServed();
  const plain = new MemoryEngine();
  const value = JSON.stringify({ name: 'kelp', colour: 'brown' }).repeat(300);
  for (let revision = 1; revision <= 600; revision++) {
    for (const each of [engine, plain]) each.apply(put(`key ${revision % 300}`, revision, value));
  }
  expect(engine.stats()).toEqual(plain.stats());
  expect(engine.compressed?.plainBytes).toBe(600 * value.length);
  expect(engine.compressed?.storedBytes).toBe(figures.storedBytes);
  expect(engine.memoryBytes).toBeLessThan(plain.memoryBytes / 10);
  expect(figures).toMatchObject({ triedCount: 600, skippedCount: 0, vainCount: 0 });
  verifyIntegrity(engine);
  for (let key = 0; key < 300; key++) engine.apply(deletion(`key ${key}`, 601 + key));
  engine.compact(1000);
  drain(engine);
  expect(engine.stats()).toMatchObject({ dataBytes: 0 });
  expect(engine.compressed).toMatchObject({ plainBytes: 0, storedBytes: 0 });
});

it('a value that is one byte too short is not tried', () => {
  const { engine, figures } = engineAsServed();
  engine.apply(put('short', 1, 'v'.repeat(fixed.compressedValueBytesMin - 1)));
  expect(figures.triedCount).toBe(0);
  engine.apply(put('long', 2, 'v'.repeat(fixed.compressedValueBytesMin)));
  expect(figures.triedCount).toBe(1);
});

it('puts of a row are compressed over what is not, and written plainly over what is', () => {
  const { engine } = engineAsServed();
  const row = new PutRow();
  const long = 'v'.repeat(fixed.compressedValueBytesMin);
  const other = 'w'.repeat(fixed.compressedValueBytesMin);
  // Of the same length in words as what stands there.
  const texts = ['0123456789abcdef', long, other, '0123456789abcdef', other];
  for (const [index, text] of texts.entries()) {
    row.clear();
    row.firstRevision = index + 1;
    row.add(bytes('key'), bytes(text));
    expect(engine.putAll(row)).toBe(1);
    verifyIntegrity(engine);
  }
  expect(texts.map((_, index) => textOf(engine.read(bytes('key'), index + 1)))).toEqual(texts);
  expect(engine.compressed?.plainBytes).toBe(3 * fixed.compressedValueBytesMin);
});

it('unpacks a value when it is asked for, and counts that as a cold read', () => {
  const { engine } = engineAsServed();
  const value = 'v'.repeat(10_000);
  for (let key = 1; key <= 10; key++) engine.apply(put(`key ${key}`, key, value));
  engine.readMeta(bytes('key 1'), NEWEST);
  let valueBytes = 0;
  engine.scan(ALL_KEYS, NEWEST, forward(), (shown) => {
    valueBytes += shown.valueEnd - shown.valueStart;
    return true;
  });
  expect(valueBytes).toBe(10 * value.length);
  expect(engine.unpaidVisits).toBe(0);
  engine.scan(ALL_KEYS, NEWEST, forward(), (shown) => {
    // Both read the value that was unpacked once.
    expect(asText(shown.value)).toBe(value);
    expect(asText(shown.copyPart(1, 3))).toBe('vv');
    return asText(shown.key) !== 'key 3';
  });
  expect(engine.unpaidVisits).toBe(40);
  expect(textOf(engine.read(bytes('key 5'), NEWEST))).toBe(value);
  expect(engine.unpaidVisits).toBe(50);
});

it('a walk, and so a snapshot, has whole values', () => {
  const { engine } = engineAsServed();
  const value = 'v'.repeat(2000);
  engine.apply(put('key', 1, value));
  engine.apply(put('key', 2, 'short'));
  const { newest, older } = wholeWalk(engine, 1, 2, 1);
  expect(newest.map(textOf)).toEqual(['short']);
  expect(older.map(({ change }) => textOf(change))).toEqual([value]);
});
