/**
 * Changes valid bytes into bytes that are nearly valid, which reach deeper than random ones: those fail at the first
 * check. The same seed gives the same changes.
 */
import { encodeVarint } from '../wire/records.ts';
import type { SeededRandom } from '../support/random.ts';

/** The values at which a varint grows by a byte, a sign flips, or a type or a number of JavaScript ends. */
const EDGES: readonly bigint[] = [
  0n,
  1n,
  ...[7n, 14n, 21n, 28n, 31n, 32n, 35n, 53n, 62n, 63n, 64n].flatMap((bits) => [2n ** bits - 1n, 2n ** bits]),
  -1n,
];

const CHUNK_BYTES_MAX = 64;
/** Copies of a chunk: now and then so many that whatever grows with them is seen. */
const COPIES_MAX = 300;
/** Inputs stay small, since many of them are tried. */
const GROWTH_BYTES_MAX = 64 * 1024;

type Mutation = (bytes: Buffer, other: Buffer, random: SeededRandom) => Buffer;

/** @param other another valid input, to take parts of. */
export function mutate(bytes: Uint8Array, other: Uint8Array, random: SeededRandom): Buffer {
  let mutated: Buffer = Buffer.from(bytes);
  const count = random.chance(0.5) ? 1 : random.between(2, 6);
  for (let step = 0; step < count; step++) {
    mutated = random.pick(mutations)(mutated, Buffer.from(other), random);
  }
  return mutated;
}

const mutations: readonly Mutation[] = [
  flipBits,
  setByte,
  writeEdge,
  insertEdge,
  writeFixedNumber,
  duplicateChunk,
  removeChunk,
  swapChunks,
  splice,
  truncate,
  insertRandomBytes,
];

function flipBits(bytes: Buffer, _: Buffer, random: SeededRandom): Buffer {
  if (bytes.length === 0) return bytes;
  for (let count = random.between(1, 4); count > 0; count--) {
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  }
  return bytes;
}

function setByte(bytes: Buffer, _: Buffer, random: SeededRandom): Buffer {
  if (bytes.length > 0) bytes[random.below(bytes.length)] = random.pick([0, 0xff, 0x7f, 0x80, 1]);
  return bytes;
}

/** Over what stands there: a tag, a length or a number becomes another one. */
function writeEdge(bytes: Buffer, _: Buffer, random: SeededRandom): Buffer {
  if (bytes.length > 0) edge(random).copy(bytes, random.below(bytes.length));
  return bytes;
}

/** In the place of one byte, so that what follows keeps its meaning. */
function insertEdge(bytes: Buffer, _: Buffer, random: SeededRandom): Buffer {
  const at = random.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), edge(random), bytes.subarray(at + 1)]);
}

/** The lengths of frames and sections are 32 bits wide, in either order of bytes. */
function writeFixedNumber(bytes: Buffer, _: Buffer, random: SeededRandom): Buffer {
  if (bytes.length < 4) return bytes;
  const at = random.below(bytes.length - 3);
  const value = Number(BigInt.asUintN(32, random.pick(EDGES)));
  if (random.chance(0.5)) bytes.writeUInt32LE(value, at);
  else bytes.writeUInt32BE(value, at);
  return bytes;
}

function duplicateChunk(bytes: Buffer, _: Buffer, random: SeededRandom): Buffer {
  const [start, end] = chunk(bytes, random);
  const part = bytes.subarray(start, end);
  const copiesMax = Math.floor(GROWTH_BYTES_MAX / Math.max(1, part.length));
  const count = Math.min(copiesMax, random.chance(0.9) ? 1 : random.between(2, COPIES_MAX));
  return Buffer.concat([bytes.subarray(0, end), ...Array<Buffer>(count).fill(part), bytes.subarray(end)]);
}

function removeChunk(bytes: Buffer, _: Buffer, random: SeededRandom): Buffer {
  const [start, end] = chunk(bytes, random);
  return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
}

function swapChunks(bytes: Buffer, _: Buffer, random: SeededRandom): Buffer {
  const cuts = Array.from({ length: 4 }, () => random.below(bytes.length + 1)).sort((a, b) => a - b);
  const [a = 0, b = 0, c = 0, d = 0] = cuts;
  const parts = [bytes.subarray(0, a), bytes.subarray(c, d), bytes.subarray(b, c), bytes.subarray(a, b)];
  return Buffer.concat([...parts, bytes.subarray(d)]);
}

/** The beginning of one input and the end of another. */
function splice(bytes: Buffer, other: Buffer, random: SeededRandom): Buffer {
  const head = bytes.subarray(0, random.below(bytes.length + 1));
  return Buffer.concat([head, other.subarray(random.below(other.length + 1))]);
}

function truncate(bytes: Buffer, _: Buffer, random: SeededRandom): Buffer {
  return bytes.subarray(0, random.below(bytes.length + 1));
}

function insertRandomBytes(bytes: Buffer, _: Buffer, random: SeededRandom): Buffer {
  const at = random.below(bytes.length + 1);
  const inserted = random.bytes(random.between(1, CHUNK_BYTES_MAX));
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)]);
}

/** Some as long as they need be, some padded to more bytes than that, up to one too many. */
function edge(random: SeededRandom): Buffer {
  return encodeVarint(random.pick(EDGES), random.chance(0.8) ? 1 : random.between(2, 11));
}

function chunk(bytes: Buffer, random: SeededRandom): [start: number, end: number] {
  const start = random.below(bytes.length + 1);
  return [start, Math.min(bytes.length, start + random.between(1, CHUNK_BYTES_MAX))];
}
