/** The golden files are read as prose, and written anew by `vitest run test/http2/sessions/split-sessions.test.ts -u`. */
import { describe, expect, test } from 'vitest';
import { behaviourOf } from '../support/behaviours.ts';
import { testSplits } from '../../support/split.ts';
import { recordedClients } from './recorded.ts';
import { ServerUnderTest } from '../support/server-under-test.ts';
import { brokenSessions, type Session, sessions } from './sessions.ts';

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
    test('it comes to what it should', async () => {
      await expect(`${outcomeOf([Buffer.concat(frames)])}\n`).toMatchFileSnapshot(
        `golden/client/${name.replaceAll(/\W+/g, '-')}.txt`,
      );
    });

    testSplits(frames, outcomeOf);
  },
);
