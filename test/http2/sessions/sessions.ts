/** Whole sessions of clients, as their frames: what a server is to make of them does not depend on how the bytes are cut. */
import type { Field } from '../../../src/http2/contract/fields.ts';
import { encodeBlock, RequestEncoder } from '../../../src/http2/hpack/encoder.ts';
import { frame } from '../../support/bare-http2.ts';
import {
  dataFrame,
  flag,
  frameType,
  goawayFrame,
  headersFrame,
  padded,
  pingFrame,
  preface,
  resetFrame,
  setting,
  settingsAcknowledged,
  settingsFrame,
  uint32,
  windowUpdateFrame,
} from '../support/frames.ts';

const { END_STREAM, END_HEADERS, PADDED, PRIORITY } = flag;

export interface Session {
  readonly name: string;
  /** The first one has the preface before it. */
  readonly frames: readonly Buffer[];
}

function requestFields(path: string, ...rest: Field[]): Field[] {
  return [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'kelp'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
    ...rest,
  ];
}

/** The blocks of one client, each of which may name fields of those before. */
function blocks(): (path: string, ...rest: Field[]) => Buffer {
  const encoder = new RequestEncoder();
  return (path, ...rest) => {
    const length = encoder.encode(requestFields(path, ...rest));
    return Buffer.from(encoder.bytes.subarray(0, length));
  };
}

const opening = Buffer.concat([preface, settingsFrame([[setting.INITIAL_WINDOW_SIZE, 100_000]])]);
const text = (length: number): Buffer =>
  Buffer.from('0123456789'.repeat(Math.ceil(length / 10)).slice(0, length));

function unaryCalls(): Buffer[] {
  const block = blocks();
  return [1, 3, 5, 7].flatMap((id) => [
    headersFrame(id, block('/unary')),
    dataFrame(id, text(20 * id), END_STREAM),
  ]);
}

function continued(): Buffer[] {
  const block = blocks();
  const [first, second] = [block('/unary', ['x-a', 'b'.repeat(300)]), block('/echo')];
  return [
    headersFrame(1, first.subarray(0, 10), 0),
    frame(frameType.CONTINUATION, 0, 1, first.subarray(10, 11)),
    frame(frameType.CONTINUATION, 0, 1, first.subarray(11, 100)),
    frame(frameType.CONTINUATION, END_HEADERS, 1, first.subarray(100)),
    dataFrame(1, text(5), END_STREAM),
    headersFrame(3, Buffer.alloc(0), END_STREAM),
    frame(frameType.CONTINUATION, END_HEADERS, 3, second),
    // The last one may bring nothing.
    headersFrame(5, block('/unary'), END_STREAM),
    frame(frameType.CONTINUATION, END_HEADERS, 5, Buffer.alloc(0)),
  ];
}

function paddedAndPrioritized(): Buffer[] {
  const block = blocks();
  const priority = Buffer.concat([uint32(0), Buffer.of(15)]);
  return [
    headersFrame(1, padded(Buffer.concat([priority, block('/echo')]), 7), END_HEADERS | PADDED | PRIORITY),
    frame(frameType.PRIORITY, 0, 9, priority),
    dataFrame(1, padded(text(30), 100), PADDED),
    dataFrame(1, padded(Buffer.alloc(0), 255), PADDED),
    dataFrame(1, padded(text(3), 0), PADDED | END_STREAM),
    headersFrame(3, padded(block('/unary'), 0), END_HEADERS | PADDED | END_STREAM),
    headersFrame(5, Buffer.concat([priority, block('/unary')]), END_HEADERS | PRIORITY | END_STREAM),
    frame(frameType.PRIORITY, 0, 1, priority),
  ];
}

function trailers(): Buffer[] {
  const block = blocks();
  return [
    headersFrame(1, block('/echo', ['content-length', '12'])),
    dataFrame(1, text(12)),
    headersFrame(1, encodeBlock([['x-checksum', 'abc']]), END_HEADERS | END_STREAM),
    headersFrame(3, block('/unary')),
    headersFrame(3, Buffer.alloc(0), END_HEADERS | END_STREAM),
    // Trailers without END_STREAM are no trailers.
    headersFrame(5, block('/echo')),
    headersFrame(5, encodeBlock([['a', 'b']])),
    headersFrame(7, block('/unary'), END_HEADERS | END_STREAM),
  ];
}

function resets(): Buffer[] {
  const block = blocks();
  return [
    headersFrame(1, block('/ignore')),
    dataFrame(1, text(100)),
    headersFrame(3, block('/echo')),
    resetFrame(1, 8),
    dataFrame(3, text(10)),
    headersFrame(5, block('/reset')),
    dataFrame(5, text(10), END_STREAM),
    headersFrame(7, block('/refuse')),
    dataFrame(7, text(10)),
    resetFrame(7, 8),
    headersFrame(9, block('/reset-late'), END_HEADERS | END_STREAM),
    dataFrame(3, text(10), END_STREAM),
    resetFrame(3, 8),
    headersFrame(11, block('/unary'), END_HEADERS | END_STREAM),
  ];
}

function pingsAndExtensions(): Buffer[] {
  const block = blocks();
  return [
    pingFrame('one'),
    headersFrame(1, block('/echo')),
    pingFrame('two'),
    pingFrame('answered', flag.ACK),
    frame(0x0a, 0xff, 0, text(40)),
    frame(0xfe, 0x01, 1, Buffer.alloc(0)),
    settingsFrame([
      [0xf0f0, 7],
      [setting.MAX_FRAME_SIZE, 20_000],
    ]),
    settingsFrame([[setting.HEADER_TABLE_SIZE, 0]]),
    dataFrame(1, text(7), END_STREAM),
    pingFrame('three'),
  ];
}

function windows(): Buffer[] {
  const block = blocks();
  return [
    settingsFrame([[setting.INITIAL_WINDOW_SIZE, 10]]),
    headersFrame(1, block('/large'), END_HEADERS | END_STREAM),
    headersFrame(3, block('/stream'), END_HEADERS | END_STREAM),
    windowUpdateFrame(1, 50_000),
    windowUpdateFrame(0, 300_000),
    windowUpdateFrame(3, 1),
    settingsFrame([[setting.INITIAL_WINDOW_SIZE, 0]]),
    settingsFrame([[setting.INITIAL_WINDOW_SIZE, 1_000_000]]),
    windowUpdateFrame(0, 1_000_000),
  ];
}

function malformed(): Buffer[] {
  const bad = (id: number, fields: readonly Field[], flags: number = END_HEADERS | END_STREAM): Buffer =>
    headersFrame(id, rawBlock(fields), flags);
  const block = blocks();
  return [
    bad(1, requestFields('/unary').slice(1)),
    bad(3, [...requestFields('/unary'), ['connection', 'close']]),
    bad(5, [...requestFields('/unary'), ['Upper', 'case']]),
    bad(7, requestFields('/unary', ['content-length', '5'])),
    bad(9, requestFields('/unary', ['content-length', '5']), END_HEADERS),
    dataFrame(9, text(6)),
    bad(11, [...requestFields('/unary'), ['x-long', 'y'.repeat(500)], ['x-longer', 'y'.repeat(500)]]),
    bad(13, [...requestFields('/unary'), ['x-long', 'y'.repeat(1000)]], END_HEADERS),
    dataFrame(13, text(5), END_STREAM),
    headersFrame(15, block('/unary'), END_HEADERS | END_STREAM),
    bad(17, requestFields('/echo'), END_HEADERS),
    bad(17, [['a', 'b\n']]),
    headersFrame(19, block('/unary'), END_HEADERS | END_STREAM),
  ];
}

/** A block of anything, without the checks of an encoder: literals only, with lengths that have up to three bytes. */
export function rawBlock(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), rawString(name), rawString(value)]));
}

function rawString(characters: string): Buffer {
  const bytes = Buffer.from(characters, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes]);
  const rest = bytes.length - 127;
  return Buffer.concat([Buffer.of(127, 0x80 | (rest & 0x7f), rest >>> 7), bytes]);
}

/** Sessions that are all right, though some of their streams are not. */
export const sessions: readonly Session[] = [
  ['calls with one message', unaryCalls()],
  ['header blocks in several frames', continued()],
  ['padding and priorities', paddedAndPrioritized()],
  ['trailers', trailers()],
  ['resets', resets()],
  ['pings, settings and extensions', pingsAndExtensions()],
  ['windows', windows()],
  ['requests that are malformed or too long', malformed()],
  ['a client that goes away', [...unaryCalls(), goawayFrame(0, 0, 'bye')]],
  [
    'a client that goes away while a reply waits for it',
    [
      settingsFrame([[setting.INITIAL_WINDOW_SIZE, 10]]),
      headersFrame(1, blocks()('/unary')),
      dataFrame(1, text(20), END_STREAM),
      goawayFrame(0, 0),
      // The reply ends, and with it the connection, before it is acknowledged.
      settingsFrame([[setting.INITIAL_WINDOW_SIZE, 100]]),
    ],
  ],
].map(([name, frames]) => ({
  name: name as string,
  frames: [opening, settingsAcknowledged, ...(frames as Buffer[])],
}));

/** Sessions that break a rule of the connection at their end. */
export const brokenSessions: readonly Session[] = (
  [
    ['a preface that is none', []],
    ['DATA on a stream that has not begun', [dataFrame(1, text(1))]],
    ['an index that names nothing', [headersFrame(1, Buffer.of(0xbe))]],
    ['a frame that is too long', [frame(frameType.PING, 0, 0, text(20_000)).subarray(0, 200)]],
    ['PUSH_PROMISE', [frame(frameType.PUSH_PROMISE, END_HEADERS, 1, text(4))]],
    ['a frame within a header block', [headersFrame(1, blocks()('/unary'), 0), pingFrame('x')]],
    [
      'a stream id that goes down',
      [
        headersFrame(5, blocks()('/unary'), END_HEADERS | END_STREAM),
        headersFrame(3, blocks()('/unary'), END_HEADERS | END_STREAM),
      ],
    ],
  ] as const
).map(([name, frames]) => ({
  name,
  frames:
    name === 'a preface that is none'
      ? [Buffer.from('GET / HTTP/1.1\r\nhost: kelp\r\n\r\n')]
      : [opening, settingsAcknowledged, ...frames],
}));
