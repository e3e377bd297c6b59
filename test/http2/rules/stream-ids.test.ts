/** RFC 9113, section 5.1.1: when all ids of a connection are used up. Here there are only three. */
import { expect, test, vi } from 'vitest';
import { encodeBlock } from '../../../src/http2/hpack/encoder.ts';
import { errorCode } from '../../../src/http2/contract/error-code.ts';
import type * as frameModule from '../../../src/http2/frames/frame.ts';
import { ClientUnderTest } from '../support/client-under-test.ts';
import { flag, headersFrame, settingsAcknowledged, settingsFrame } from '../support/frames.ts';

vi.mock(import('../../../src/http2/frames/frame.ts'), async (importOriginal) => {
  const original: typeof frameModule = await importOriginal();
  return { ...original, STREAM_ID_MAX: 5 };
});

test('the last request is made, the owner is told that it was, and the connection closes behind it', () => {
  const client = new ClientUnderTest().receive(settingsFrame(), settingsAcknowledged);
  const calls = [client.call(), client.call(), client.call(), client.call()];
  expect(calls.map(({ stream }) => stream?.id)).toEqual([1, 3, 5, undefined]);
  expect(client.told).toEqual(['opened']);
  client.clock.settle();
  expect(client.told).toEqual([
    'opened',
    ['goingAway', errorCode.NO_ERROR, 'all ids of streams are used up'],
  ]);
  expect(client.connection.freeStreams).toBe(0);
  const ok = encodeBlock([[':status', '200']]);
  client.receive(...[1, 3, 5].map((id) => headersFrame(id, ok, flag.END_HEADERS | flag.END_STREAM)));
  expect(calls.map(({ closes }) => closes.length)).toEqual([1, 1, 1, 0]);
  expect(client.socket.isEnded).toBe(true);
});
