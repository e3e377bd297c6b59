/** A server's connection that has begun, and the frames of requests to it. */
import type { ErrorCode } from '../../../src/http2/contract/error-code.ts';
import type { Field, RequestHead } from '../../../src/http2/contract/fields.ts';
import { encodeBlock } from '../../../src/http2/hpack/encoder.ts';
import type { ServerConnectionOptions } from '../../../src/http2/connection/server-connection.ts';
import { flag, headersFrame, preface, settingsAcknowledged, settingsFrame } from './frames.ts';
import { type Behaviour, okHead, okTrailers, ServerUnderTest } from './server-under-test.ts';

export const requestFields: readonly Field[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/call'],
  [':authority', 'kelp'],
];

export const requestBlock = encodeBlock(requestFields);

/** Answers a request when it has ended. */
export const answering: Behaviour = {
  data: ({ stream }, bytes) => stream.consumed(bytes.length),
  end: ({ stream }) => {
    stream.respond(okHead, false);
    stream.end(okTrailers);
  },
};

/** A server whose client has sent its preface and SETTINGS, and acknowledged the server's. */
export function opened(
  behaviour: Behaviour | ((head: RequestHead) => Behaviour) = answering,
  options: Partial<ServerConnectionOptions> = {},
  settings: readonly (readonly [number, number])[] = [],
): ServerUnderTest {
  const behaviourOf = typeof behaviour === 'function' ? behaviour : () => behaviour;
  return new ServerUnderTest(behaviourOf, options).receive(
    preface,
    settingsFrame(settings),
    settingsAcknowledged,
  );
}

/** The HEADERS of a request whose body follows. */
export function request(streamId: number, block: Uint8Array = requestBlock): Buffer {
  return headersFrame(streamId, block, flag.END_HEADERS);
}

/** The HEADERS of a request without a body. */
export function wholeRequest(streamId: number, block: Uint8Array = requestBlock): Buffer {
  return headersFrame(streamId, block, flag.END_HEADERS | flag.END_STREAM);
}

/** How the connection was ended by an error, as its peer and its owner learn it; undefined: it was not. */
export function failureOf(server: ServerUnderTest): { code: ErrorCode; lastStreamId: number } | undefined {
  const [goaway] = server.sent.goaways;
  return goaway && { code: goaway.code as ErrorCode, lastStreamId: goaway.lastStreamId };
}
