import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptySnapshotFooter, sizeOfSnapshotFooter } from '../../gen/kelp/storage/v1/snapshot_codec.ts';
import {
  emptyPutEffect,
  readPutEffect,
  sizeOfPlacedDeleteEffect,
  sizeOfPutEffect,
  writePutEffect,
} from '../../gen/kelp/storage/v1/log_codec.ts';
import {
  emptyGetRequest,
  emptyIncrementRequest,
  emptyScanRequest,
  readGetRequest,
  sizeOfGetRequest,
  sizeOfIncrementRequest,
  sizeOfScanRequest,
  writeGetRequest,
} from '../../gen/kelp/v1/kv_codec.ts';
import { memoryOf } from '../../src/wire/memory.ts';

describe('a value that its field can not hold', () => {
  it.each([2 ** 53, -(2 ** 53), 0.5, NaN, Infinity, -Infinity])('is no int64: %d', (version) => {
    expect(() => sizeOfPutEffect({ ...emptyPutEffect(), version })).toThrow('broken invariant');
  });

  it.each([-1, 2 ** 32, 0.5, NaN])('is no uint32: %d', (kind) => {
    expect(() => sizeOfPutEffect({ ...emptyPutEffect(), kind })).toThrow('broken invariant');
  });

  it.each([-1, 2 ** 53, 0.5, NaN])('is no uint64: %d', (itemCount) => {
    expect(() => sizeOfSnapshotFooter({ ...emptySnapshotFooter(), itemCount })).toThrow('broken invariant');
  });

  it.each([2 ** 31, -(2 ** 31) - 1, 0.5, NaN])('is no int32: %d', (limit) => {
    expect(() => sizeOfScanRequest({ ...emptyScanRequest(), limit })).toThrow('broken invariant');
  });

  it.each([2n ** 63n, -(2n ** 63n) - 1n])('is no int64 of all 64 bits: %d', (delta) => {
    expect(() => sizeOfIncrementRequest({ ...emptyIncrementRequest(), delta })).toThrow('broken invariant');
  });

  it('is none in the placed form either', () => {
    const nothing = { keyMemory: memoryOf(Buffer.alloc(0)), keyStart: 0, keyEnd: 0 };
    expect(sizeOfPlacedDeleteEffect({ ...nothing, reason: 2 ** 32 - 1 })).toBe(6);
    expect(() => sizeOfPlacedDeleteEffect({ ...nothing, reason: 2 ** 32 })).toThrow('broken invariant');
  });

  it('stops the write before its first byte', () => {
    const buffer = Buffer.alloc(100);
    const message = { ...emptyPutEffect(), key: Buffer.from('key'), version: 2 ** 53 };
    expect(() => writePutEffect(message, buffer, 0)).toThrow('broken invariant');
    expect(buffer.every((byte) => byte === 0)).toBe(true);
  });
});

describe('a text', () => {
  const anyUtf16 = fc.array(fc.nat(0xffff), { maxLength: 40 }).map((units) => String.fromCharCode(...units));

  it('is written as Buffer writes it, lone surrogates as U+FFFD', () => {
    fc.assert(
      fc.property(anyUtf16, (key) => {
        const message = { ...emptyGetRequest(), key };
        const buffer = Buffer.alloc(sizeOfGetRequest(message));
        const end = writeGetRequest(message, buffer, 0);
        expect(readGetRequest(buffer, 0, end).key).toBe(Buffer.from(key).toString());
      }),
    );
  });

  it('is read the same at every length, of ASCII and with one character that is not', () => {
    for (let length = 1; length <= 80; length++) {
      for (const key of ['k'.repeat(length), `${'k'.repeat(length - 1)}é`, `é${'k'.repeat(length - 1)}`]) {
        const message = { ...emptyGetRequest(), key };
        const buffer = Buffer.alloc(sizeOfGetRequest(message));
        writeGetRequest(message, buffer, 0);
        expect(readGetRequest(buffer, 0, buffer.length).key).toBe(key);
      }
    }
  });
});

describe('a buffer', () => {
  const message = { ...emptyPutEffect(), key: Buffer.from('key'), value: Buffer.from('value') };
  const size = sizeOfPutEffect(message);

  it('is shared with the bytes that are read from it', () => {
    const buffer = Buffer.alloc(size);
    const { value } = readPutEffect(buffer, 0, writePutEffect(message, buffer, 0));
    buffer.fill('x');
    expect(Buffer.from(value).toString()).toBe('xxxxx');
  });

  it('that is too short for a message breaks the write, and stays as it was', () => {
    for (const offset of [1, size, -1]) {
      const buffer = Buffer.alloc(size);
      expect(() => writePutEffect(message, buffer, offset)).toThrow('broken invariant');
      expect(buffer.every((byte) => byte === 0)).toBe(true);
    }
  });

  it('is never read outside of its bounds', () => {
    expect(() => readPutEffect(Buffer.alloc(4), 0, 5)).toThrow('broken invariant');
    expect(() => readPutEffect(Buffer.alloc(4), 3, 2)).toThrow('broken invariant');
    expect(() => readPutEffect(Buffer.alloc(4), -1, 2)).toThrow('broken invariant');
  });
});
