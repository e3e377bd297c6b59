/** Makes sessions out of sessions that no peer would send, a few faults at a time. */
import { frame } from '../../support/bare-http2.ts';
import type { SeededRandom } from '../../support/random.ts';
import type { Session } from './sessions.ts';

const FAULTS_MAX = 4;
const REPEATS_MAX = 300;
const FRAME_HEAD_BYTES = 9;

/** Values at the edges of what fields of frames may hold. */
const words = [
  0, 1, 2, 0xff, 0x3fff, 0x4000, 0x4001, 0xffff, 0x7fff_fffe, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
];

/** The session's bytes with some faults; often none at all. */
export function mutatedSession(random: SeededRandom, sessions: readonly Session[]): Buffer {
  let frames: Buffer[] = [...random.pick(sessions).frames];
  const faults = random.below(FAULTS_MAX + 1);
  for (let fault = 0; fault < faults; fault++) frames = withFault(random, frames, sessions);
  const bytes = Buffer.concat(frames);
  return random.chance(0.05) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
}

function withFault(random: SeededRandom, frames: readonly Buffer[], sessions: readonly Session[]): Buffer[] {
  const result = [...frames];
  // The preface is among the first; a fault in it ends the session at once.
  const place = random.chance(0.02) ? 0 : random.below(result.length);
  const found = result[place] ?? Buffer.alloc(0);
  switch (random.below(9)) {
    case 0:
      result[place] = withByte(random, found);
      break;
    case 1:
      result.splice(place, 1);
      break;
    case 2:
      result.splice(random.below(result.length + 1), 0, found);
      break;
    case 3:
      result.splice(place, 0, ...Array.from({ length: random.below(REPEATS_MAX) }, () => found));
      break;
    case 4:
      result.splice(place, 0, random.pick(random.pick(sessions).frames.slice(-10)));
      break;
    case 5:
      result.splice(place, 0, anyFrame(random));
      break;
    case 6:
      result[place] = withPayload(random, found);
      break;
    case 7:
      result[place] = withWord(random, found);
      break;
    default:
      result[place] = withHead(random, found);
  }
  return result;
}

function withByte(random: SeededRandom, bytes: Buffer): Buffer {
  const result = Buffer.from(bytes);
  if (result.length > 0) {
    const place = random.below(result.length);
    result[place] = result[place]! ^ (1 << random.below(8));
  }
  return result;
}

/** A payload that is longer or shorter, with the length that it has then. */
function withPayload(random: SeededRandom, bytes: Buffer): Buffer {
  if (bytes.length < FRAME_HEAD_BYTES) return bytes;
  const payload = bytes.subarray(FRAME_HEAD_BYTES);
  const other = random.chance(0.5)
    ? payload.subarray(0, random.below(payload.length + 1))
    : Buffer.concat([payload, random.bytes(random.below(20))]);
  return frame(bytes.readUInt8(3), bytes.readUInt8(4), bytes.readUInt32BE(5), other);
}

function withWord(random: SeededRandom, bytes: Buffer): Buffer {
  const result = Buffer.from(bytes);
  if (result.length >= 4) result.writeUInt32BE(random.pick(words), random.below(result.length - 3));
  return result;
}

/** Another type, other flags or another stream. */
function withHead(random: SeededRandom, bytes: Buffer): Buffer {
  const result = Buffer.from(bytes);
  if (result.length < FRAME_HEAD_BYTES) return result;
  if (random.chance(0.4)) result[3] = random.below(12);
  if (random.chance(0.4)) result[4] = random.below(256);
  if (random.chance(0.4)) result.writeUInt32BE(random.chance(0.8) ? random.below(24) : random.pick(words), 5);
  return result;
}

function anyFrame(random: SeededRandom): Buffer {
  const streamId = random.chance(0.8) ? random.below(24) : random.pick(words);
  const flags = random.pick([0, 1, 4, 5, 8, 0x20, 0x2d, random.below(256)]);
  return frame(
    random.below(11),
    flags,
    streamId,
    random.bytes(random.pick([0, 1, 4, 5, 6, 8, 9, random.below(300)])),
  );
}

/** The bytes in parts of any length. */
export function anyCut(random: SeededRandom, bytes: Buffer): Buffer[] {
  const longest = random.pick([1, 10, 100, 1000, 100_000]);
  const parts: Buffer[] = [];
  for (let from = 0; from < bytes.length;) {
    const to = from + 1 + random.below(longest);
    parts.push(bytes.subarray(from, to));
    from = to;
  }
  return parts;
}
