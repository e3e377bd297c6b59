/** Whole sessions of servers, as their frames, that answer the calls on streams 1 to 11 of one client. */
import type { Field } from '../../../src/http2/contract/fields.ts';
import { encodeBlock } from '../../../src/http2/hpack/encoder.ts';
import { frame } from '../../support/bare-http2.ts';
import {
  dataFrame,
  flag,
  frameType,
  goawayFrame,
  headersFrame,
  padded,
  pingFrame,
  resetFrame,
  setting,
  settingsAcknowledged,
  settingsFrame,
  uint32,
  windowUpdateFrame,
} from '../support/frames.ts';
import type { Session } from './sessions.ts';

const { END_STREAM, END_HEADERS, PADDED, PRIORITY } = flag;
const WHOLE = END_STREAM | END_HEADERS;

const ok = encodeBlock([
  [':status', '200'],
  ['content-type', 'application/grpc'],
]);
const done = encodeBlock([['grpc-status', '0']]);
const text = (length: number): Buffer => Buffer.alloc(length, '0123456789');

function head(...fields: Field[]): Buffer {
  return encodeBlock([[':status', '200'], ...fields]);
}

function answer(id: number, bytes: number): Buffer[] {
  return [headersFrame(id, ok), dataFrame(id, text(bytes)), headersFrame(id, done, WHOLE)];
}

/** A block that adds `grpc-status: 0` to the dynamic table, and one that names it. */
const adding = Buffer.concat([Buffer.from('88400b', 'hex'), Buffer.from('grpc-status'), Buffer.of(1, 0x30)]);
const naming = Buffer.of(0xbe);

export const serverSessions: readonly Session[] = [
  ['answers', [...answer(1, 10), ...answer(3, 300), ...answer(5, 0), ...answer(11, 5)]],
  [
    'answers that go together',
    [
      headersFrame(3, ok),
      headersFrame(1, adding),
      dataFrame(3, text(20)),
      dataFrame(1, text(10)),
      headersFrame(1, naming, WHOLE),
      headersFrame(5, adding, WHOLE),
      dataFrame(3, text(7), END_STREAM),
    ],
  ],
  [
    'heads in several frames, padding and priorities',
    [
      headersFrame(1, ok.subarray(0, 1), 0),
      frame(frameType.CONTINUATION, 0, 1, ok.subarray(1, 3)),
      frame(frameType.CONTINUATION, END_HEADERS, 1, ok.subarray(3)),
      dataFrame(1, padded(text(10), 20), PADDED),
      headersFrame(1, padded(Buffer.concat([uint32(0), Buffer.of(3), done]), 9), WHOLE | PADDED | PRIORITY),
      headersFrame(3, Buffer.alloc(0), END_STREAM),
      frame(frameType.CONTINUATION, END_HEADERS, 3, ok),
    ],
  ],
  [
    'informational heads and answers without a body',
    [
      headersFrame(1, encodeBlock([[':status', '100']])),
      headersFrame(
        1,
        encodeBlock([
          [':status', '103'],
          ['link', 'x'],
        ]),
      ),
      ...answer(1, 3),
      headersFrame(3, head(['grpc-status', '5']), WHOLE),
      headersFrame(5, encodeBlock([[':status', '204']]), WHOLE),
      headersFrame(
        7,
        encodeBlock([
          [':status', '304'],
          ['content-length', '500'],
        ]),
        WHOLE,
      ),
      headersFrame(9, head(['content-length', '4'])),
      dataFrame(9, text(4), END_STREAM),
    ],
  ],
  [
    'resets',
    [
      resetFrame(1, 8),
      headersFrame(3, ok),
      resetFrame(3, 7),
      headersFrame(5, ok),
      dataFrame(5, text(5)),
      resetFrame(5, 2),
      // The whole answer, and then the word that the rest of the request is not wanted.
      ...answer(11, 5),
      resetFrame(11, 0),
    ],
  ],
  [
    'answers that are malformed',
    [
      headersFrame(1, encodeBlock([['a', 'b']]), WHOLE),
      headersFrame(3, head(['content-length', '5'])),
      dataFrame(3, text(6)),
      dataFrame(5, text(1)),
      headersFrame(7, head(['connection', 'close'])),
      headersFrame(9, ok),
      headersFrame(9, done),
      headersFrame(11, encodeBlock([[':status', '100']]), WHOLE),
    ],
  ],
  [
    'windows, pings, settings and extensions',
    [
      pingFrame('one'),
      windowUpdateFrame(0, 1000),
      settingsFrame([
        [setting.MAX_CONCURRENT_STREAMS, 2],
        [setting.HEADER_TABLE_SIZE, 0],
        [setting.INITIAL_WINDOW_SIZE, 5],
      ]),
      windowUpdateFrame(11, 200),
      frame(0xcc, 7, 3, text(5)),
      ...answer(1, 10),
      settingsFrame([[setting.INITIAL_WINDOW_SIZE, 65_535]]),
      pingFrame('two'),
      ...answer(11, 10),
    ],
  ],
  [
    'a server that goes away',
    [
      ...answer(3, 5),
      goawayFrame(0x7fff_ffff, 0),
      headersFrame(5, ok),
      goawayFrame(5, 0, 'bye'),
      headersFrame(5, done, WHOLE),
      ...answer(1, 5),
    ],
  ],
  ['a server that fails', [...answer(1, 5), headersFrame(3, ok), goawayFrame(3, 2, 'broken')]],
  ['PUSH_PROMISE', [frame(frameType.PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([uint32(2), ok]))]],
  ['a head on a stream that was not begun', [headersFrame(13, ok)]],
  ['a head on a stream of servers', [headersFrame(2, ok)]],
  ['DATA on stream 0', [dataFrame(0, text(1))]],
  ['pushes that it wants to allow', [settingsFrame([[setting.ENABLE_PUSH, 1]])]],
].map(([name, frames]) => ({
  name: name as string,
  frames: [
    settingsFrame([[setting.MAX_CONCURRENT_STREAMS, 100]]),
    settingsAcknowledged,
    ...(frames as Buffer[]),
  ],
}));

export const otherProtocol: Session = {
  name: 'another protocol',
  frames: [Buffer.from('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n')],
};
