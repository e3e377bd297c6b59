import { describe, expect } from 'vitest';
import { create, toBinary } from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import { WireError } from '../../src/wire/wire-error.ts';
import type { SeededRandom } from '../support/random.ts';
import { codecs, encode, type Codec, type Shape } from '../wire/codecs.ts';
import { initArbitrary } from '../wire/shapes.ts';
import { fuzz } from './fuzz.ts';
import { mutate } from './mutator.ts';

/** Bytes before and behind the message, which must not be looked at. */
const MARGIN_BYTES = 9;

describe.each(codecs)('$name', (codec) => {
  const { message } = codec;
  const valid = fc
    .sample(initArbitrary(message), { numRuns: 60, seed: 1 })
    .map((init) => Buffer.from(toBinary(message, create(message, init))))
    .filter((bytes) => bytes.length < 4000);

  fuzz('is read from mutated bytes, or refused with its own error', 600, (random) => {
    tryRead(codec, mutate(random.pick(valid), random.pick(valid), random), random);
  });

  fuzz('is read from random bytes, or refused with its own error', 200, (random) => {
    tryRead(codec, random.bytes(random.below(60)), random);
  });
});

function tryRead(codec: Codec, input: Uint8Array, random: SeededRandom): void {
  const buffer = Buffer.concat([
    random.bytes(MARGIN_BYTES),
    input,
    random.bytes(random.pick([0, MARGIN_BYTES])),
  ]);
  const before = Buffer.from(buffer);
  const end = MARGIN_BYTES + input.length;
  const shape = readOrRefuse(codec, buffer, MARGIN_BYTES, end);
  expect(buffer.equals(before), 'reading changes nothing').toBe(true);
  if (shape === undefined) return;

  const size = measure(shape, buffer);
  expect(size.views, 'bytes are a view of the message').toBe(true);
  // A text of 1 byte, an item or a field of 2 each make their tag and length worth it.
  expect(size.itemCount, 'no more items than bytes').toBeLessThanOrEqual(input.length);
  expect(size.contentBytes, 'no more content than bytes').toBeLessThanOrEqual(input.length);
  // What was read can be written, and is then read again as the same.
  const written = encode(codec, shape);
  expect(codec.read(written, 0, written.length)).toStrictEqual(shape);
}

function readOrRefuse(codec: Codec, buffer: Buffer, start: number, end: number): Shape | undefined {
  try {
    return codec.read(buffer, start, end);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    expect(error.offset).toBeGreaterThanOrEqual(start);
    expect(error.offset).toBeLessThanOrEqual(end);
    return undefined;
  }
}

interface Size {
  /** Whether all bytes share the memory of the message. */
  views: boolean;
  itemCount: number;
  /** Of bytes and texts. */
  contentBytes: number;
}

function measure(
  value: unknown,
  buffer: Buffer,
  size: Size = { views: true, itemCount: 0, contentBytes: 0 },
): Size {
  if (value instanceof Uint8Array) {
    size.views &&= value.length === 0 || value.buffer === buffer.buffer;
    size.contentBytes += value.length;
  } else if (typeof value === 'string') {
    size.contentBytes += Buffer.byteLength(value);
  } else if (Array.isArray(value)) {
    size.itemCount += value.length;
    for (const item of value) measure(item, buffer, size);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, field] of Object.entries(value)) {
      // Which field of a oneof is set is no content.
      if (name !== 'case') measure(field, buffer, size);
    }
  }
  return size;
}
