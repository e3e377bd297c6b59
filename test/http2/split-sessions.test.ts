/** The golden files are read as prose, and written anew by `vitest run test/http2/split-sessions.test.ts -u`. */
import { describe, expect, test } from 'vitest';
import { behaviourOf } from './behaviours.ts';
import { cutAt } from './cut.ts';
import { recordedClients } from './recorded.ts';
import { ServerUnderTest } from './server-under-test.ts';
import { brokenSessions, type Session, sessions } from './sessions.ts';

/** Thousands of sessions, on a machine that has other things to do. */
const TIMEOUT_MS = 120_000;

/** So that a list which is too long is no long one. */
const options = { headerListBytesMax: 1000 };

/** What becomes of a session whose bytes come in these parts, after which the peer closes. */
function outcomeOf(parts: readonly Uint8Array[]): string {
  const server = new ServerUnderTest(behaviourOf, options);
  for (const part of parts) server.receive(part);
  server.socket.receiveEnd();
  server.clock.settle();
  return server.text;
}

describe.each([...sessions, ...brokenSessions, ...recordedClients])(
  'a session with $name',
  ({ name, frames }: Session) => {
    const bytes = Buffer.concat(frames);
    const whole = outcomeOf([bytes]);

    test('it comes to what it should', async () => {
      await expect(`${whole}\n`).toMatchFileSnapshot(`golden/client/${name.replaceAll(/\W+/g, '-')}.txt`);
    });

    test('cut in two anywhere it comes to the same', { timeout: TIMEOUT_MS }, () => {
      for (let place = 1; place < bytes.length; place++) {
        expect(outcomeOf(cutAt(bytes, place)), `cut at ${place}`).toBe(whole);
      }
    });

    test(
      'byte by byte, frame by frame and by other lengths it comes to the same',
      { timeout: TIMEOUT_MS },
      () => {
        expect(outcomeOf(frames), 'by frames').toBe(whole);
        for (const length of [1, 2, 3, 5, 8, 9, 10, 13, 64]) {
          const places = Array.from(
            { length: Math.ceil(bytes.length / length) - 1 },
            (_, index) => (index + 1) * length,
          );
          expect(outcomeOf(cutAt(bytes, ...places)), `by ${length}`).toBe(whole);
        }
      },
    );
  },
);
