import { describe, expect, test } from 'vitest';
import type { Field, RequestHead } from '../../../src/http2/contract/fields.ts';
import { HeadFault, toRequestHead, toTrailers } from '../../../src/http2/heads/head.ts';
import { HeadReader } from '../../../src/http2/heads/head-cache.ts';
import { HpackDecoder, HpackError } from '../../../src/http2/hpack/decoder.ts';
import { encodeBlock, RequestEncoder } from '../../../src/http2/hpack/encoder.ts';
import { http2 } from '../../../src/limits.ts';

const base: readonly Field[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/a'],
];

/** What a connection's blocks are read with, and those of a client for it. */
class Peer {
  readonly encoder = new RequestEncoder();
  readonly decoder = new HpackDecoder(16_384);
  readonly heads = new HeadReader(this.decoder, toRequestHead);
  readonly trailers = new HeadReader(this.decoder, toTrailers);

  send(fields: readonly Field[]): RequestHead {
    return this.read(sendBlock(this.encoder, fields));
  }

  read(block: Buffer): RequestHead {
    const head = this.heads.read(block, 0, block.length);
    if (head instanceof HeadFault) throw new Error(head.text);
    return head;
  }
}

function sendBlock(encoder: RequestEncoder, fields: readonly Field[]): Buffer {
  const length = encoder.encode(fields);
  return Buffer.from(encoder.bytes.subarray(0, length));
}

describe('a block that came before', () => {
  test('it gives the same head from the third time on, with what was noted in it', () => {
    const peer = new Peer();
    const block = encodeBlock(base);
    peer.read(block);
    const kept = peer.read(block);
    kept.memo = 'a route';
    expect(peer.read(block)).toBe(kept);
    expect(peer.read(Buffer.concat([Buffer.of(1, 2), block]).subarray(2)).memo).toBe('a route');
  });

  test('it is found in the middle of a buffer', () => {
    const peer = new Peer();
    const block = encodeBlock(base);
    const around = Buffer.concat([Buffer.of(0xff), block, Buffer.of(0xff)]);
    const heads = Array.from({ length: 3 }, () => peer.heads.read(around, 1, 1 + block.length));
    expect(heads[2]).toBe(heads[1]);
    expect(heads[2]).toMatchObject({ path: '/a' });
  });

  test('one that names fields of the dynamic table gives the same head too', () => {
    const peer = new Peer();
    for (let call = 0; call < 3; call++) peer.send(base);
    const kept = peer.send(base);
    expect(peer.send(base)).toBe(kept);
  });

  test('the same bytes mean what the table says once it has changed', () => {
    const peer = new Peer();
    const path = (value: string): Buffer =>
      sendBlock(peer.encoder, [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', value],
      ]);
    const paths: string[] = [];
    const blocks = new Set<string>();
    for (let round = 0; round < 20; round++) {
      peer.read(path(`/${round}`));
      // The newest field is always 62: the block is the same each time.
      for (let call = 0; call < 3; call++) {
        const block = path(`/${round}`);
        blocks.add(block.toString('hex'));
        paths.push(peer.read(block).path);
      }
    }
    expect(blocks.size).toBe(1);
    expect(paths).toEqual(Array.from({ length: 60 }, (_, index) => `/${Math.floor(index / 3)}`));
  });

  test('one that changes the table does so each time', () => {
    const peer = new Peer();
    const adding = Buffer.concat([encodeBlock(base), Buffer.from('4001610162', 'hex')]);
    for (let time = 1; time <= 5; time++) {
      peer.read(adding);
      const all = Buffer.concat([encodeBlock(base), Buffer.alloc(time, 0xbe).map((byte, age) => byte + age)]);
      expect(peer.read(all).fields).toHaveLength(time);
    }
    expect(() => peer.read(Buffer.concat([encodeBlock(base), Buffer.of(0xbe + 5)]))).toThrow(HpackError);
  });

  test('one that sets the size of the table does so each time', () => {
    const peer = new Peer();
    const emptying = Buffer.concat([Buffer.of(0x20), encodeBlock(base)]);
    const filling = Buffer.concat([
      Buffer.from('3fe11f', 'hex'),
      encodeBlock(base),
      Buffer.from('4001610162', 'hex'),
    ]);
    const naming = Buffer.concat([encodeBlock(base), Buffer.of(0xbe)]);
    for (let time = 0; time < 4; time++) {
      peer.read(filling);
      expect(peer.read(naming).fields).toEqual([['a', 'b']]);
      peer.read(emptying);
      expect(() => peer.read(naming)).toThrow(HpackError);
    }
  });

  test('what it is as a head is not what it is as trailers', () => {
    const peer = new Peer();
    const block = encodeBlock([['grpc-status', '0']]);
    for (let time = 0; time < 4; time++) {
      expect(peer.trailers.read(block, 0, block.length)).toEqual([['grpc-status', '0']]);
      expect(peer.heads.read(block, 0, block.length)).toBeInstanceOf(HeadFault);
    }
  });

  test('a malformed one is malformed each time', () => {
    const peer = new Peer();
    const block = encodeBlock([...base, ['connection', 'close']]);
    for (let time = 0; time < 4; time++) {
      expect(peer.heads.read(block, 0, block.length)).toMatchObject({ kind: 'malformed' });
    }
  });

  test('one whose list is too long is so each time', () => {
    const reader = new HeadReader(new HpackDecoder(100), toRequestHead);
    const block = encodeBlock(base);
    for (let time = 0; time < 4; time++) {
      expect(reader.read(block, 0, block.length)).toMatchObject({ kind: 'listTooLong' });
    }
  });

  test('one whose list is too long tells its content type, wherever that stands', () => {
    const reader = new HeadReader(new HpackDecoder(200), toRequestHead);
    const long: Field = ['x-long', 'x'.repeat(200)];
    const type: Field = ['content-type', 'a/b'];
    const read = (...fields: readonly Field[]): unknown => {
      const block = encodeBlock(fields);
      const fault = reader.read(block, 0, block.length);
      return fault instanceof HeadFault ? fault.contentType : fault;
    };

    expect(read([':path', '/'], type, long)).toBe('a/b');
    expect(read([':path', '/'], long, type)).toBe('a/b');
    expect(read(long, ['a', 'b'], type, ['c', 'd'], long)).toBe('a/b');
    expect(read([':path', '/'], long)).toBeUndefined();
  });

  test('one that is longer than kept blocks is read each time', () => {
    const peer = new Peer();
    const block = encodeBlock([...base, ['a', '\xff'.repeat(http2.cachedBlockBytesMax)]]);
    const heads = Array.from({ length: 4 }, () => peer.read(block));
    expect(new Set(heads).size).toBe(4);
    expect(heads[3]).toEqual(heads[0]);
  });
});

describe('heads that differ from call to call, as those of traced calls do', () => {
  test('leave those that come again where they are, and are not kept', () => {
    const peer = new Peer();
    for (let call = 0; call < 3; call++) peer.send(base);
    const kept = peer.send(base);
    const memos = new Set<unknown>();
    for (let call = 0; call < 4 * http2.headCacheEntriesMax; call++) {
      const length = peer.encoder.encode(base, [['traceparent', `00-${call}`]]);
      const head = peer.read(Buffer.from(peer.encoder.bytes.subarray(0, length)));
      expect(head).not.toBe(kept);
      memos.add((head.memo ??= {}));
    }
    expect(memos.size).toBe(4 * http2.headCacheEntriesMax);
    expect(peer.send(base)).toBe(kept);
  });
});

describe('the bounds of what is kept', () => {
  /** How many of these blocks give the same head twice in a row. */
  function keptOf(blocks: readonly Buffer[]): number {
    const peer = new Peer();
    for (let round = 0; round < 2; round++) for (const block of blocks) peer.read(block);
    const heads = blocks.map((block) => peer.read(block));
    return blocks.filter((block, index) => peer.read(block) === heads[index]).length;
  }

  test('there are at most so many', () => {
    const blocks = Array.from({ length: 1000 }, (_, index) => encodeBlock([...base, ['a', `${index}`]]));
    expect(keptOf(blocks)).toBeLessThanOrEqual(http2.headCacheEntriesMax);
    expect(keptOf(blocks.slice(0, 4))).toBe(4);
  });

  test('there are at most so many bytes', () => {
    const large = Array.from({ length: 32 }, (_, index) =>
      encodeBlock([...base, ['a', `${index}${'\xff'.repeat(900)}`]]),
    );
    // Each counts its block and its list of fields: above 1,900.
    expect(keptOf(large)).toBeLessThanOrEqual(Math.floor(http2.headCacheBytesMax / 1900));
  });

  test('a list that alone is longer than all may be is not kept, however short its block', () => {
    const decoder = new HpackDecoder(4 * http2.headCacheBytesMax);
    const reader = new HeadReader(decoder, toRequestHead);
    const value = Buffer.alloc(3900, 0xff);
    const adding = Buffer.concat([encodeBlock(base), Buffer.from('4001617fbd1d', 'hex'), value]);
    reader.read(adding, 0, adding.length);
    const headsOf = (count: number): unknown[] => {
      const block = Buffer.concat([encodeBlock(base), Buffer.alloc(count, 0xbe)]);
      return Array.from({ length: 4 }, () => reader.read(block, 0, block.length));
    };
    expect(new Set(headsOf(3)).size).toBe(2);
    expect(new Set(headsOf(5)).size).toBe(4);
    expect(headsOf(5)).toMatchObject([{ fields: { length: 5 } }, {}, {}, {}]);
  });
});
