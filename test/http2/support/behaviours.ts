/** What the users of requests do in these tests, by the path. */
import { errorCode } from '../../../src/http2/contract/error-code.ts';
import type { RequestHead } from '../../../src/http2/contract/fields.ts';
import { encodeBlock } from '../../../src/http2/hpack/encoder.ts';
import { type Behaviour, filler, okHead, okTrailers, type Request } from './server-under-test.ts';

/** Sends back what comes, as it comes. */
const echo: Behaviour = {
  begun: ({ stream }) => stream.respond(okHead, false),
  data: ({ stream }, bytes) => {
    stream.write(bytes);
    stream.consumed(bytes.length);
  },
  end: ({ stream }) => stream.end(okTrailers),
};

/** What comes is of no interest. */
const consuming: Behaviour = {
  data: ({ stream }, bytes) => stream.consumed(bytes.length),
};

/** Sends back all of it at the end, as an answer in one piece. */
const unary: Behaviour = {
  ...consuming,
  end: ({ stream, body }) =>
    stream.answer(
      okHead,
      body,
      body.length,
      { write: (text, buffer, start) => void buffer.write(text, start, 'latin1') },
      okTrailers,
    ),
};

/** Sends so many bytes. */
function large(bytes: number): Behaviour {
  return { ...consuming, end: ({ stream }) => stream.answer(okHead, 'x', bytes, filler, okTrailers) };
}

/** Sends messages for as long as it may, as a stream of replies does. */
function stream(messages: number): Behaviour {
  const sentBy = new WeakMap<Request, number>();
  const send = (request: Request): void => {
    let sent = sentBy.get(request) ?? 0;
    while (sent < messages) {
      sent++;
      sentBy.set(request, sent);
      if (!request.stream.writeInPlace(String.fromCharCode(sent & 0xff), 1000, filler)) return;
    }
    request.stream.end(okTrailers);
  };
  return {
    ...consuming,
    begun: ({ stream: own }) => own.respond(okHead, false),
    end: send,
    drained: send,
  };
}

const behaviourByPath = new Map<string, Behaviour>([
  ['/echo', echo],
  ['/unary', unary],
  ['/large', large(200_000)],
  ['/stream', stream(200)],
  // Neither reads nor answers.
  ['/ignore', {}],
  ['/refuse', { begun: ({ stream: own }) => own.respond(encodeBlock([[':status', '503']]), true) }],
  ['/reset', { begun: ({ stream: own }) => own.reset(errorCode.CANCEL) }],
  ['/reset-late', { end: ({ stream: own }) => own.reset(errorCode.INTERNAL_ERROR) }],
]);

export function behaviourOf({ path }: RequestHead): Behaviour {
  return behaviourByPath.get(path) ?? unary;
}
