import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codecs, encode } from './codecs.ts';
import { initArbitrary, toShape } from './shapes.ts';

describe('every message that has a codec', () => {
  it('is found', () => {
    const names = codecs.map((codec) => codec.name);
    expect(names).toContain('kelp.storage.v1.Record');
    expect(names).toContain('kelp.storage.v1.SnapshotBlock');
    expect(names).toContain('kelp.v1.GetResponse');
    expect(names).toContain('google.protobuf.Timestamp');
    const placed = names.filter((name) => name.endsWith(' (placed)'));
    expect(placed.map((name) => name.slice('kelp.storage.v1.'.length, -' (placed)'.length))).toEqual([
      'Record',
      'Effect',
      'PutEffect',
      'DeleteEffect',
      'TouchEffect',
      'SnapshotBlock',
      'SnapshotVersion',
    ]);
  });

  describe.each(codecs)('$name', (codec) => {
    const { message } = codec;
    const inits = initArbitrary(message);

    it('is written byte for byte as protobuf-es writes it, in as many bytes as were told', () => {
      fc.assert(
        fc.property(inits, (init) => {
          const reference = create(message, init);
          const shape = toShape(message, reference);
          const expected = Buffer.from(toBinary(message, reference));
          expect(codec.sizeOf(shape)).toBe(expected.length);
          expect(encode(codec, shape).equals(expected)).toBe(true);
        }),
      );
    });

    it('is read as protobuf-es reads it', () => {
      fc.assert(
        fc.property(inits, (init) => {
          const bytes = Buffer.from(toBinary(message, create(message, init)));
          expect(codec.read(bytes, 0, bytes.length)).toStrictEqual(
            toShape(message, fromBinary(message, bytes)),
          );
        }),
      );
    });

    it('is written and read in the midst of a buffer, and nothing around it is touched', () => {
      fc.assert(
        fc.property(inits, fc.nat(9), fc.nat(9), (init, before, after) => {
          const shape = toShape(message, create(message, init));
          const buffer = Buffer.alloc(before + codec.sizeOf(shape) + after, 0xee);
          const end = codec.write(shape, buffer, before);
          expect(end).toBe(buffer.length - after);
          expect(codec.read(buffer, before, end)).toStrictEqual(shape);
          const around = Buffer.concat([buffer.subarray(0, before), buffer.subarray(end)]);
          expect(around.every((byte) => byte === 0xee)).toBe(true);
        }),
        { numRuns: 30 },
      );
    });

    it('has no bytes when every field is at its default', () => {
      expect(codec.sizeOf(codec.empty())).toBe(0);
      expect(codec.empty()).toStrictEqual(toShape(message, create(message)));
      expect(codec.read(Buffer.alloc(0), 0, 0)).toStrictEqual(codec.empty());
    });
  });
});
