/** The messages of a stream of requests that Connect reads: each has the time of a request from its first byte. */
import { Readable } from 'node:stream';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { CallTable } from '../../../src/server/calls/call-table.ts';
import type { HttpRequest } from '../../../src/server/http/http-message.ts';
import { messagesOf } from '../../../src/server/http/request-body.ts';

const TIMEOUT_MS = 60_000;
const message = Buffer.from(encodeEnvelope(0, Buffer.from('message')));
const tooSlow = /not complete within 60000 ms \(request-timeout\)/;

class Request extends Readable {
  readonly httpVersion = '2.0';
  readonly headers = {};
  readonly socket = {};

  override _read(): void {}
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
});

function start() {
  const table = new CallTable({ callsMax: 1, callBytesMax: 1000, replyBytesMax: 1000 });
  const call = table.open({ cut: () => undefined }, true);
  const request = new Request();
  const messages = messagesOf(request satisfies HttpRequest, call, {
    messageBytesMax: 1000,
    timeoutMs: TIMEOUT_MS,
    check: (message) => Promise.resolve(message),
  });
  const outcomes: unknown[] = [];
  const ask = async (): Promise<void> => {
    messages.next().then(
      ({ done, value }) => outcomes.push(done === true ? 'end' : value?.length),
      (error: Error) => outcomes.push(error.message),
    );
    await turns();
  };
  const come = async (bytes: Buffer): Promise<void> => {
    request.push(bytes);
    await turns();
  };
  const pass = async (ms: number): Promise<void> => {
    vi.advanceTimersByTime(ms);
    await turns();
  };
  return { outcomes, ask, come, pass };
}

/** Lets all that can happen by itself happen. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
}

test('one that is begun and never ended ends the stream, however its bytes come', async () => {
  const { outcomes, ask, come, pass } = start();
  await ask();
  await pass(2 * TIMEOUT_MS);
  await come(Buffer.concat([message, message.subarray(0, 1)]));
  expect(outcomes).toEqual([message.length]);
  await ask();
  for (let at = 1; at < 6; at++) {
    await pass(10_000);
    await come(message.subarray(at, at + 1));
  }
  expect(outcomes).toEqual([message.length]);
  await pass(10_000);
  expect(outcomes).toEqual([message.length, expect.stringMatching(tooSlow)]);
});

test('each has the time for itself, and what the server does before it asks is not of it', async () => {
  const { outcomes, ask, come, pass } = start();
  const [half, rest] = [message.subarray(0, 6), message.subarray(6)];
  await ask();
  await come(half);
  for (let round = 0; round < 3; round++) {
    await pass(40_000);
    await come(Buffer.concat([rest, half]));
    await pass(2 * TIMEOUT_MS);
    await ask();
  }
  await pass(40_000);
  await come(rest);
  await ask();
  await pass(2 * TIMEOUT_MS);
  expect(outcomes).toEqual([message.length, message.length, message.length, message.length]);
  await come(message);
  expect(outcomes).toHaveLength(5);
});
