/** Messages that may contain themselves, as transactions of etcd's API do. */
import { describe, expect, test } from 'vitest';
import { readTxnRequest } from '../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import { TxnRequestSchema } from '../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { checkBinaryParts } from '../../src/server/calls/request-parts.ts';
import { nestingDepthMax } from '../../src/wire/cursor.ts';

/** A transaction whose success branch is another, so many times. */
function nested(depth: number): Buffer {
  let bytes: Buffer = Buffer.alloc(0);
  for (let level = 0; level < depth; level++) bytes = field(2, field(4, bytes));
  return bytes;
}

/** The same in memory that grows by the depth alone: each length is that of what follows up to the end. */
function deeply(depth: number): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  for (let level = 0; level < 2 * depth; level++) {
    const head = headOf(level % 2 === 0 ? 4 : 2, length);
    parts.push(head);
    length += head.length;
  }
  return Buffer.concat(parts.toReversed());
}

function field(number: number, value: Buffer): Buffer {
  return Buffer.concat([headOf(number, value.length), value]);
}

function headOf(number: number, length: number): Buffer {
  const bytes = [number * 8 + 2];
  for (let rest = length; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

describe('a message within itself', () => {
  test('is read to the depth that there is', () => {
    const bytes = nested(nestingDepthMax - 1);
    let depth = 0;
    for (let txn = readTxnRequest(bytes, 0, bytes.length); ; depth++) {
      const operation = txn.success[0]?.request;
      if (operation?.case !== 'requestTxn') break;
      txn = operation.value;
    }
    expect(depth).toBe(nestingDepthMax - 1);
  });

  test('is refused one level deeper', () => {
    const bytes = nested(nestingDepthMax);
    expect(() => readTxnRequest(bytes, 0, bytes.length)).toThrow('nested too deep');
  });

  test('may be read again beside another of the same depth', () => {
    const deep = nested(nestingDepthMax - 2);
    const bytes = Buffer.concat([field(2, field(4, deep)), field(2, field(4, deep))]);
    expect(readTxnRequest(bytes, 0, bytes.length).success).toHaveLength(2);
  });

  test('is refused before its parts are counted, however deep it is', () => {
    const bytes = deeply(100_000);
    expect(bytes.length).toBeGreaterThan(500_000);
    expect(() => checkBinaryParts(TxnRequestSchema, bytes, 0, bytes.length)).toThrow('nested too deep');
  });
});
