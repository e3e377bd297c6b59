/**
 * A method of an API: from the bytes of a request to those of the reply, by the generated codecs. Each method is written
 * once, as a function over the generated shapes, in which 64-bit integers are numbers; it knows no protocol. gRPC's lane
 * for unary calls has bytes at hand, all other protocols get theirs by `connect/bridge.ts`.
 *
 * What a request can't be is `invalidArgument` and names the field. A reply is charged to its call before its bytes are
 * made, and where the call writes, before the write takes effect.
 */
import type {
  DescMessage,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
} from '@bufbuild/protobuf';
import type { Store } from '../../api.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { Call } from '../calls/calls.ts';
import { malformedRequestError } from '../calls/errors.ts';
import { mapped } from '../calls/mapped.ts';
import { refuseLargeInteger } from './large-integer.ts';

/** A method that answers one request by one reply. */
export interface UnaryMethod {
  readonly kind: 'unary';
  readonly desc: DescMethodUnary;
  /**
   * Serves the request that lies from `start` to the end of `bytes`, which must not change until the promise settles.
   * @returns the reply, behind `roomBytes` bytes that are the caller's to fill.
   * Rejects with a StoreError or ConnectError.
   */
  serve(store: Store, bytes: Buffer, start: number, call: Call, roomBytes: number): Promise<Buffer>;
}

/** A method that answers one request by replies, until `signal` is aborted or it has no more. */
export interface ServerStreamMethod {
  readonly kind: 'serverStream';
  readonly desc: DescMethodServerStreaming;
  /** The next reply is asked for when the one before is written. */
  serve(store: Store, request: Buffer, call: Call, signal: AbortSignal): AsyncIterable<Buffer>;
}

/** A method that answers requests while more of them come. */
export interface BidiStreamMethod {
  readonly kind: 'bidiStream';
  readonly desc: DescMethodBiDiStreaming;
  serve(
    store: Store,
    requests: AsyncIterable<Buffer>,
    call: Call,
    signal: AbortSignal,
  ): AsyncIterable<Buffer>;
}

export type Method = UnaryMethod | ServerStreamMethod | BidiStreamMethod;

/** All methods of a service, by their names in code. */
export type MethodsOf<Service extends DescService> = { readonly [name in keyof Service['method']]: Method };

/** How a request is read, and a reply written: functions of `gen/`. */
export interface Codecs<Request, Reply> extends ReplyCodec<Reply> {
  readonly read: (buffer: Buffer, start: number, end: number) => Request;
}

interface ReplyCodec<Reply> {
  readonly sizeOf: (reply: Reply) => number;
  readonly prepend: (reply: Reply, buffer: Buffer, end: number) => number;
}

export function unary<Request, Reply>(
  desc: DescMethodUnary,
  codecs: Codecs<Request, Reply>,
  run: (store: Store, request: Request, call: Call) => Promise<Reply>,
): UnaryMethod {
  return {
    kind: 'unary',
    desc,
    async serve(store, bytes, start, call, roomBytes) {
      const reply = await run(store, readRequest(desc.input, codecs, bytes, start), call);
      return writeReply(codecs, reply, roomBytes);
    },
  };
}

export function serverStream<Request, Reply>(
  desc: DescMethodServerStreaming,
  codecs: Codecs<Request, Reply>,
  run: (store: Store, request: Request, call: Call, signal: AbortSignal) => AsyncIterable<Reply>,
): ServerStreamMethod {
  return {
    kind: 'serverStream',
    desc,
    serve(store, bytes, call, signal) {
      const replies = run(store, readRequest(desc.input, codecs, bytes, 0), call, signal);
      return mapped(replies, (reply) => writeReply(codecs, reply, 0));
    },
  };
}

export function bidiStream<Request, Reply>(
  desc: DescMethodBiDiStreaming,
  codecs: Codecs<Request, Reply>,
  run: (
    store: Store,
    requests: AsyncIterable<Request>,
    call: Call,
    signal: AbortSignal,
  ) => AsyncIterable<Reply>,
): BidiStreamMethod {
  return {
    kind: 'bidiStream',
    desc,
    serve(store, messages, call, signal) {
      const requests = mapped(messages, (bytes) => readRequest(desc.input, codecs, bytes, 0));
      return mapped(run(store, requests, call, signal), (reply) => writeReply(codecs, reply, 0));
    },
  };
}

function readRequest<Request>(
  message: DescMessage,
  { read }: { readonly read: (buffer: Buffer, start: number, end: number) => Request },
  bytes: Buffer,
  start: number,
): Request {
  try {
    return read(bytes, start, bytes.length);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    if (error.code === 'integerTooLarge') refuseLargeInteger(message, bytes, start, error.offset);
    throw malformedRequestError(message.typeName, error.message);
  }
}

function writeReply<Reply>(codecs: ReplyCodec<Reply>, reply: Reply, roomBytes: number): Buffer {
  const end = roomBytes + codecs.sizeOf(reply);
  const bytes = Buffer.allocUnsafe(end);
  codecs.prepend(reply, bytes, end);
  return bytes;
}
