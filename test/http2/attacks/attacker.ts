/** What a client that means harm sends, and what a server must have left of it. */
import { expect } from 'vitest';
import type { Field } from '../../../src/http2/contract/fields.ts';
import { encodeBlock } from '../../../src/http2/hpack/encoder.ts';
import { http2 } from '../../../src/limits.ts';
import { behaviourOf } from '../support/behaviours.ts';
import { flag, preface, settingsAcknowledged, settingsFrame } from '../support/frames.ts';
import { ServerUnderTest } from '../support/server-under-test.ts';

export const { END_STREAM, END_HEADERS, PADDED } = flag;
export const WHOLE = END_STREAM | END_HEADERS;

/** Far more than any of the attacks needs. */
export const TRIES_MAX = 20_000;

export function fieldsFor(path: string, ...rest: Field[]): Field[] {
  return [[':method', 'POST'], [':scheme', 'http'], [':path', path], [':authority', 'kelp'], ...rest];
}

export const ignored = encodeBlock(fieldsFor('/ignore'));
export const unary = encodeBlock(fieldsFor('/unary'));

export function opened(options: ConstructorParameters<typeof ServerUnderTest>[1] = {}): ServerUnderTest {
  return new ServerUnderTest(behaviourOf, options).receive(preface, settingsFrame(), settingsAcknowledged);
}

/** The code that the connection was ended with. */
export function goawayOf(server: ServerUnderTest): number | undefined {
  return server.sent.goaways.at(-1)?.code;
}

/** Sends more of it until the server ends the connection. @returns how often it took. */
export function sentUntilEnd(server: ServerUnderTest, framesOf: (index: number) => Buffer): number {
  for (let index = 0; index < TRIES_MAX; index++) {
    server.receive(framesOf(index));
    if (server.socket.isEnded) return index;
  }
  throw new Error('it is never stopped');
}

/** Nothing is left of it once the socket is closed. */
export function expectNothingLeft(server: ServerUnderTest): void {
  server.socket.receiveEnd();
  server.clock.settle();
  server.clock.advance(http2.lingerMs);
  server.clock.settle();
  expect(server.ends).toHaveLength(1);
  expect(server.connection.streamCount).toBe(0);
  expect(server.clock.timerCount).toBe(0);
  for (const { closes, late } of server.requests) expect([closes.length, late]).toEqual([1, []]);
}
