/** Bodies of requests: one buffer, which takes memory as they come. */
import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { CallTable } from '../../../src/server/calls/call-table.ts';
import type { HttpRequest } from '../../../src/server/http/http-message.ts';
import { BodyReader } from '../../../src/server/rest/body-reader.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const limits = { callsMax: 10, callBytesMax: 512 * MiB, replyBytesMax: MiB };

interface Reading {
  readonly reader: BodyReader;
  readonly calls: CallTable;
  /** What it came to. */
  readonly done: (Uint8Array | Error)[];
}

function reading(
  length: number | undefined,
  bytesMax = 64 * MiB,
  callBytesMax = limits.callBytesMax,
): Reading {
  const calls = new CallTable({ ...limits, callBytesMax });
  const headers = length === undefined ? {} : { 'content-length': String(length) };
  const request = Object.assign(new EventEmitter(), { headers, sendTo: () => undefined });
  const done: (Uint8Array | Error)[] = [];
  const call = calls.open({ cut: () => undefined }, false);
  const reader = new BodyReader(request as unknown as HttpRequest, call, { bytesMax }, (body) =>
    done.push(body),
  );
  reader.begin();
  return { reader, calls, done };
}

function send({ reader }: Reading, length: number, fill = 0): void {
  const chunk = Buffer.alloc(length + 2, fill);
  reader.data(chunk, 1, 1 + length);
  // The buffers that it comes in are used again.
  chunk.fill(0xff);
}

test('a body is what has come, whatever becomes of the buffers that it came in', () => {
  const each = reading(6);
  for (const fill of [1, 2, 3]) send(each, 2, fill);
  each.reader.end();
  expect(each.done).toEqual([Buffer.from([1, 1, 2, 2, 3, 3])]);
  expect(each.reader.bytesIn).toBe(6);
});

test('one that is announced and does not come takes no memory', () => {
  const each = reading(64 * MiB);
  expect(each.calls.heldBytes).toBe(0);
  send(each, 1);
  expect(each.calls.heldBytes).toBe(64 * KiB);
});

test('one that comes takes a sixteenth and then its length, and is moved twice at most', () => {
  const each = reading(64 * MiB);
  const held = new Set<number>();
  for (let count = 0; count < 1024; count++) {
    send(each, 64 * KiB, count & 0xff);
    held.add(each.calls.heldBytes);
  }
  each.reader.end();
  const [body] = each.done;
  expect([...held]).toEqual([64 * KiB, MiB, 16 * MiB, 64 * MiB]);
  expect(body).toHaveLength(64 * MiB);
  expect((body as Uint8Array).every((byte, at) => byte === ((at >>> 16) & 0xff))).toBe(true);
});

test('one that is not announced takes twice what has come at most', () => {
  const each = reading(undefined);
  for (let count = 1; count <= 100; count++) {
    send(each, 10_000);
    expect(each.calls.heldBytes).toBeLessThanOrEqual(Math.max(64 * KiB, 2 * count * 10_000));
  }
  each.reader.end();
  expect(each.done[0]).toHaveLength(1_000_000);
});

test.each([100, undefined])('one that is longer than it may be is refused once (announced: %s)', (length) => {
  const each = reading(length, 50);
  for (let count = 0; count < 10; count++) send(each, 10);
  each.reader.end();
  expect(each.done).toMatchObject([{ code: 'bodyTooLong', message: 'the body is longer than 50 bytes' }]);
});

test('one that finds no memory is refused', () => {
  const each = reading(MiB, MiB, 100 * KiB);
  send(each, 64 * KiB);
  send(each, 64 * KiB);
  expect(each.done).toMatchObject([{ code: 'limitReached' }]);
});

test('one that is broken off is none', () => {
  const each = reading(10);
  send(each, 5);
  each.reader.brokenOff();
  each.reader.end();
  expect(each.done).toMatchObject([{ code: 'canceled' }]);
});

test('after it was left it tells nothing', () => {
  const each = reading(10);
  send(each, 5);
  each.reader.leave();
  send(each, 5);
  each.reader.end();
  expect(each.done).toEqual([]);
});
