/**
 * Our methods behind Connect's handlers, which have messages of protobuf-es where the methods have bytes: a request is
 * turned into bytes and read again by the generated codecs, a reply the other way round. It is coded twice for that; what
 * is hot comes as gRPC and goes around this.
 */
import { type DescMessage, type MessageShape, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import type { KvStore } from '../../kv/kv-store.ts';
import { mapped } from '../calls/mapped.ts';
import { PREFIX_BYTES } from '../services/envelope.ts';
import {
  type BidiStreamMethod,
  type Method,
  type PushStreamMethod,
  type ServerStreamMethod,
  type UnaryMethod,
  UnreadRequest,
  readRequest,
} from '../services/method.ts';
import { callOf } from './call-context.ts';
import { PulledMessages } from './pulled-messages.ts';

type Message = MessageShape<DescMessage>;

/** @param store throws while there is none. */
export function addMethod(router: ConnectRouter, method: Method, store: () => KvStore): void {
  switch (method.kind) {
    case 'unary':
      return addUnary(router, method, store);
    case 'serverStream':
      return addServerStream(router, method, store);
    case 'pushStream':
      return addPushStream(router, method, store);
    case 'bidiStream':
      return addBidiStream(router, method, store);
  }
}

function addUnary(router: ConnectRouter, method: UnaryMethod, store: () => KvStore): void {
  router.rpc(method.desc, async (request: Message, context: HandlerContext) => {
    const call = callOf(context);
    // Connect knows the deadline, the call does not.
    context.signal.addEventListener('abort', () => call.abort(context.signal.reason));
    const read = fromMessage(method, request);
    call.beginWork();
    try {
      return toMessage(method, await method.run(store(), read, call));
    } finally {
      call.endWork();
    }
  });
}

function addServerStream(router: ConnectRouter, method: ServerStreamMethod, store: () => KvStore): void {
  router.rpc(method.desc, (request: Message, context: HandlerContext) => {
    const call = callOf(context);
    const replies = method.run(store(), fromMessage(method, request), call, context.signal);
    call.requestRead();
    return mapped(replies, (reply) => toMessage(method, reply));
  });
}

function addPushStream(router: ConnectRouter, method: PushStreamMethod, store: () => KvStore): void {
  router.rpc(method.desc, (request: Message, context: HandlerContext) => {
    const call = callOf(context);
    context.signal.addEventListener('abort', () => call.abort(context.signal.reason));
    const messages = new PulledMessages(method, store(), fromMessage(method, request), call);
    call.requestRead();
    return mapped(messages, (bytes) => fromBinary(method.desc.output, bytes.subarray(PREFIX_BYTES)));
  });
}

function addBidiStream(router: ConnectRouter, method: BidiStreamMethod, store: () => KvStore): void {
  router.rpc(method.desc, (requests: AsyncIterable<Message>, context: HandlerContext) => {
    const unread = mapped(requests, (request) => new UnreadRequest(method, bytesOf(method, request)));
    const replies = method.run(store(), unread, callOf(context), context.signal);
    return mapped(replies, (reply) => toMessage(method, reply));
  });
}

function fromMessage(method: Pick<Method, 'desc' | 'codecs'>, message: Message): unknown {
  const bytes = bytesOf(method, message);
  return readRequest(method, bytes, 0, bytes.length);
}

function bytesOf({ desc }: Pick<Method, 'desc'>, message: Message): Buffer {
  const { buffer, byteOffset, byteLength } = toBinary(desc.input, message);
  return Buffer.from(buffer, byteOffset, byteLength);
}

function toMessage({ desc, codecs }: Exclude<Method, PushStreamMethod>, reply: unknown): Message {
  const bytes = Buffer.allocUnsafe(codecs.sizeOf(reply));
  codecs.prepend(reply, bytes, bytes.length);
  return fromBinary(desc.output, bytes);
}
