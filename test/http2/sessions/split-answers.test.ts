/** The golden files are read as prose, and written anew by `vitest run test/http2/sessions/split-answers.test.ts -u`. */
import { describe, expect, test } from 'vitest';
import { ClientUnderTest, type Response } from '../support/client-under-test.ts';
import { testSplits } from '../../support/split.ts';
import { recordedServers } from './recorded.ts';
import { otherProtocol, serverSessions } from './server-sessions.ts';
import { codeName, textOfBody, textOfFields, textOfSent } from '../support/transcript.ts';

const CALLS = 5;

/** What becomes of calls whose answers come in these parts, after which the server closes. */
function outcomeOf(parts: readonly Uint8Array[]): string {
  const client = new ClientUnderTest();
  const behaviour = { data: ({ stream }: Response, bytes: Buffer) => stream?.consumed(bytes.length) };
  for (let call = 0; call < CALLS; call++) client.call(behaviour);
  // The last one has a long body, of which only a part may go before the windows are opened.
  const long = client.request(behaviour);
  long.stream?.write(Buffer.alloc(66_000, 'x'));
  client.clock.settle();
  for (const part of parts) client.receive(part);
  client.socket.receiveEnd();
  client.clock.settle();
  return [
    ...client.responses.map(textOfResponse),
    ...textOfSent(client.sent),
    ...client.told.map((told) => `  told: ${JSON.stringify(told)}`),
  ].join('\n');
}

function textOfResponse({ stream, heads, body, trailers, closes, late }: Response): string {
  const parts = heads.map(({ status, fields }) => `${status} ${textOfFields(fields)}`);
  if (body !== '') parts.push(textOfBody(body));
  if (trailers !== undefined) parts.push(trailers.length > 0 ? `end, ${textOfFields(trailers)}` : 'end');
  parts.push(...closes.map(([code, by]) => `closed by ${by}, ${codeName(code)}`));
  parts.push(...late.map((what) => `AFTER THE END: ${what}`));
  return `  received on ${stream?.id}: ${parts.join('; ')}`;
}

describe.each([...serverSessions, otherProtocol, ...recordedServers])(
  'the session of a server with $name',
  ({ name, frames }) => {
    test('it comes to what it should', async () => {
      await expect(`${outcomeOf([Buffer.concat(frames)])}\n`).toMatchFileSnapshot(
        `golden/server/${name.replaceAll(/\W+/g, '-')}.txt`,
      );
    });

    testSplits(frames, outcomeOf);
  },
);
