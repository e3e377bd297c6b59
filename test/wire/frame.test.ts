import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../src/wire/crc32.ts';
import {
  FRAME_HEADER_BYTES,
  frameBytes,
  type FrameFields,
  isPayloadIntact,
  readFrameHeader,
  sealFrame,
} from '../../src/wire/frame.ts';

const SEED = crc32(Buffer.from('kelp-test-store!'));

function seal(payload: Uint8Array, fields: Omit<FrameFields, 'payloadBytes'>, seed = SEED): Buffer {
  // Not zeroed: the padding must be.
  const buffer = Buffer.alloc(frameBytes(payload.length), 0xee);
  buffer.set(payload, FRAME_HEADER_BYTES);
  sealFrame(buffer, 0, { ...fields, payloadBytes: payload.length }, seed);
  return buffer;
}

function isIntact(buffer: Buffer, seed = SEED): boolean {
  const header = readFrameHeader(buffer, 0, seed);
  if (header === undefined || frameBytes(header.payloadBytes) > buffer.length) return false;
  return isPayloadIntact(buffer, 0, header, seed);
}

const fields = { kind: 2, previousChecksum: 0xdeadbeef, durableOffset: 0x01020304, revision: 2 ** 40 + 5 };

describe('a frame', () => {
  it('lies on disk as documented', () => {
    const frame = seal(Buffer.from('KELP!'), fields);
    expect(frame.subarray(4, 8).toString('hex'), 'payload bytes').toBe('05000000');
    expect(frame.readUInt32LE(8), 'payload checksum').toBe(crc32(Buffer.from('KELP!'), SEED));
    expect(frame.subarray(12, 16).toString('hex'), 'previous checksum').toBe('efbeadde');
    expect(frame.subarray(16, 20).toString('hex'), 'durable offset').toBe('04030201');
    expect(frame.subarray(20, 24).toString('hex'), 'kind').toBe('02000000');
    expect(frame.subarray(24, 32).toString('hex'), 'revision').toBe('0500000000010000');
    expect(frame.subarray(32).toString('latin1'), 'payload and padding').toBe('KELP!\0\0\0');
    expect(frame.readUInt32LE(0), 'header checksum').toBe(crc32(frame.subarray(4, 32), SEED));
  });

  it('gives back what was sealed', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        fc.record({
          kind: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
          previousChecksum: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
          durableOffset: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
          revision: fc.maxSafeNat(),
        }),
        (payload, given) => {
          const frame = seal(payload, given);
          expect(readFrameHeader(frame, 0, SEED)).toMatchObject({ ...given, payloadBytes: payload.length });
          expect(isIntact(frame)).toBe(true);
        },
      ),
    );
  });

  it('is not intact when any bit of it is flipped, its padding included', () => {
    const frame = seal(Buffer.from('a payload of 26 bytes here'), fields);
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const flipped = Buffer.from(frame);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(isIntact(flipped), `bit ${bit}`).toBe(false);
    }
  });

  it('means nothing to another store', () => {
    const frame = seal(Buffer.from('payload'), fields);
    expect(isIntact(frame)).toBe(true);
    expect(isIntact(frame, crc32(Buffer.from('some other store')))).toBe(false);
  });

  it('is never read from zeros, whatever the seed', () => {
    const zeros = Buffer.alloc(FRAME_HEADER_BYTES);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (seed) => {
        expect(readFrameHeader(zeros, 0, seed)).toBeUndefined();
      }),
    );
  });
});
