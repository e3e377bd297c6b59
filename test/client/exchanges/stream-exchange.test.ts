/** What a stream of replies gives back to its sender: no more lies with the client than it reads. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { emptyBackupRequest } from '../../../gen/kelp/v1/admin_codec.ts';
import { adminMethods } from '../../../src/client/calls/method.ts';
import { StreamExchange } from '../../../src/client/exchanges/stream-exchange.ts';
import type { Session } from '../../../src/client/connection/session.ts';
import type { SessionPool } from '../../../src/client/connection/session-pool.ts';
import { systemClock } from '../../../src/clock.ts';
import { Deadlines } from '../../../src/deadlines.ts';
import type { ClientStream, ClientStreamHandler } from '../../../src/http2/contract/stream.ts';
import { framed } from '../support/grpc-server.ts';

const PIECE_BYTES = 16 * 1024;
const MESSAGE_BYTES = 100 * 1024;

/** A server that sends `count` replies, in pieces, as far as it may. */
class Sender {
  sentBytes = 0;
  consumedBytes = 0;
  readonly #bytes: Buffer;
  readonly #windowBytes: number;
  #handler: ClientStreamHandler | undefined;

  constructor(count: number, windowBytes: number) {
    // Field 1 of a reply to a backup, whose length takes three bytes.
    const message = Buffer.alloc(MESSAGE_BYTES);
    const dataBytes = MESSAGE_BYTES - 4;
    message.set([0x0a, (dataBytes & 0x7f) | 0x80, ((dataBytes >> 7) & 0x7f) | 0x80, dataBytes >> 14]);
    this.#bytes = Buffer.concat(Array.from({ length: count }, () => framed(message)));
    this.#windowBytes = windowBytes;
  }

  /** Where a request begins at once. */
  get pool(): SessionPool {
    const stream: Partial<ClientStream> = {
      writeInPlace: () => true,
      end: () => undefined,
      reset: () => undefined,
      consumed: (bytes) => void (this.consumedBytes += bytes),
    };
    const session = {
      bytesRead: 0,
      ended: () => undefined,
      request: (_: unknown, handler: ClientStreamHandler) => ((this.#handler = handler), stream),
    };
    const pool: Partial<SessionPool> = {
      place: (applicant) => applicant.begin(session as unknown as Session),
      withdraw: () => undefined,
    };
    return pool as SessionPool;
  }

  /** @returns whether anything went. */
  send(): boolean {
    const end = Math.min(this.#bytes.length, this.consumedBytes + this.#windowBytes);
    const hasRoom = this.sentBytes < end;
    while (this.sentBytes < end) {
      const next = Math.min(end, this.sentBytes + PIECE_BYTES);
      this.#handler?.data(this.#bytes, this.sentBytes, next, false);
      this.sentBytes = next;
    }
    return hasRoom;
  }

  end(): void {
    this.#handler?.end([['grpc-status', '0']]);
  }
}

function repliesOf(sender: Sender): AsyncGenerator<{ readonly data: Uint8Array }> {
  const surroundings = { pool: sender.pool, deadlines: new Deadlines(systemClock) };
  const exchange = new StreamExchange(surroundings, adminMethods.backup, emptyBackupRequest(), []);
  return exchange.replies(undefined, new AbortController().signal);
}

test.each([
  ['longer than a message', 3.5],
  ['shorter than a message', 0.25],
])('with a window %s, unread replies take one message and the window', async (_, share) => {
  const windowBytes = Math.ceil(share * MESSAGE_BYTES);
  const sender = new Sender(20, windowBytes);
  const replies = repliesOf(sender);
  const first = replies.next();
  while (sender.send()) await nextTurn();
  expect(sender.sentBytes).toBeLessThanOrEqual(MESSAGE_BYTES + 5 + windowBytes);
  expect((await first).value?.data.length).toBe(MESSAGE_BYTES - 4);
  while (sender.send()) await nextTurn();
  expect(sender.sentBytes).toBeLessThanOrEqual(2 * (MESSAGE_BYTES + 5) + windowBytes);
  let count = 1;
  const rest = (async () => {
    for await (const { data } of replies) {
      expect(data.length).toBe(MESSAGE_BYTES - 4);
      count++;
    }
  })();
  while (sender.sentBytes < 20 * (MESSAGE_BYTES + 5)) {
    sender.send();
    await nextTurn();
  }
  sender.end();
  await rest;
  expect(count).toBe(20);
  expect(sender.consumedBytes).toBe(sender.sentBytes);
});
