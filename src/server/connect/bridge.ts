/**
 * Our methods behind Connect's handlers, which have messages of protobuf-es where the methods have bytes: a request is
 * turned into bytes and read again by the generated codecs, a reply the other way round. It is coded twice for that; what
 * is hot comes as gRPC and goes around this.
 */
import { type DescMessage, type MessageShape, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import type { Store } from '../../api.ts';
import { callOf } from '../calls/calls.ts';
import { mapped } from '../calls/mapped.ts';
import type { BidiStreamMethod, Method, ServerStreamMethod, UnaryMethod } from '../services/method.ts';

type Message = MessageShape<DescMessage>;

/** @param store throws while there is none. */
export function addMethod(router: ConnectRouter, method: Method, store: () => Store): void {
  switch (method.kind) {
    case 'unary':
      return addUnary(router, method, store);
    case 'serverStream':
      return addServerStream(router, method, store);
    case 'bidiStream':
      return addBidiStream(router, method, store);
  }
}

function addUnary(router: ConnectRouter, method: UnaryMethod, store: () => Store): void {
  const { input, output } = method.desc;
  router.rpc(method.desc, async (request: Message, context: HandlerContext) => {
    const call = callOf(context);
    // Connect knows the deadline, the call does not.
    context.signal.addEventListener('abort', () => call.abort(context.signal.reason));
    const reply = await method.serve(store(), bytesOf(input, request), 0, call, 0);
    return fromBinary(output, reply);
  });
}

function addServerStream(router: ConnectRouter, method: ServerStreamMethod, store: () => Store): void {
  const { input, output } = method.desc;
  router.rpc(method.desc, (request: Message, context: HandlerContext) => {
    const replies = method.serve(store(), bytesOf(input, request), callOf(context), context.signal);
    return mapped(replies, (reply) => fromBinary(output, reply));
  });
}

function addBidiStream(router: ConnectRouter, method: BidiStreamMethod, store: () => Store): void {
  const { input, output } = method.desc;
  router.rpc(method.desc, (requests: AsyncIterable<Message>, context: HandlerContext) => {
    const messages = mapped(requests, (request) => bytesOf(input, request));
    const replies = method.serve(store(), messages, callOf(context), context.signal);
    return mapped(replies, (reply) => fromBinary(output, reply));
  });
}

function bytesOf(input: DescMessage, message: Message): Buffer {
  const { buffer, byteOffset, byteLength } = toBinary(input, message);
  return Buffer.from(buffer, byteOffset, byteLength);
}
