/**
 * Our methods behind Connect's handlers, which have messages of protobuf-es where the methods have bytes: a request is
 * turned into bytes and read again by the generated codecs, a reply the other way round, unless it is to be JSON, which is
 * written from what the method returns (`json-messages.ts`). It is coded twice for that; what is hot comes as gRPC and goes
 * around this.
 */
import { type DescMessage, type MessageShape, create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import type { KvStore } from '../../kv/kv-store.ts';
import { mapped } from '../calls/mapped.ts';
import { type ClusterDoors, isFollower } from '../cluster/cluster-doors.ts';
import { askWriter } from '../cluster/writer-stream.ts';
import { PREFIX_BYTES } from '../services/envelope.ts';
import {
  type BidiStreamMethod,
  type Method,
  type PushStreamMethod,
  type ServerStreamMethod,
  type UnaryMethod,
  UnreadRequest,
  readRequest,
  runTraced,
} from '../services/method.ts';
import { jsonOf } from '../json/write-reply.ts';
import { contextOf } from './call-context.ts';
import type { JsonMessages } from './json-messages.ts';
import { PulledMessages } from './pulled-messages.ts';

type Message = MessageShape<DescMessage>;

/**
 * @param store throws while there is none.
 * @param cluster `undefined`: the server is alone.
 */
export function addMethod(
  router: ConnectRouter,
  method: Method,
  store: () => KvStore,
  cluster: ClusterDoors | undefined,
): void {
  switch (method.kind) {
    case 'unary':
      return addUnary(router, method, store, cluster);
    case 'serverStream':
      return addServerStream(router, method, store);
    case 'pushStream':
      return addPushStream(router, method, store);
    case 'bidiStream':
      return addBidiStream(router, method, store);
  }
}

function addUnary(
  router: ConnectRouter,
  method: UnaryMethod,
  store: () => KvStore,
  cluster: ClusterDoors | undefined,
): void {
  router.rpc(method.desc, async (request: Message, context: HandlerContext) => {
    const { call, json } = contextOf(context);
    // Connect knows the deadline, the call does not.
    context.signal.addEventListener('abort', () => call.abort(context.signal.reason));
    const inTurn = <Result>(piece: () => Result): Result | Promise<Awaited<Result>> =>
      json === undefined ? piece() : json.run(piece);
    call.beginWork();
    try {
      const bytes = await inTurn(() => bytesOf(method, request, json));
      const read = await inTurn(() => readRequest(method, bytes, 0, bytes.length));
      if (cluster !== undefined && isFollower(cluster) && method.mayChange?.(read) === true) {
        const reply = await askWriter(cluster, call, pathOf(method), bytes);
        return asMessage(method, reply, json);
      }
      const { span } = call;
      const run = (): unknown =>
        span === undefined ? method.run(store(), read, call) : runTraced(method, store(), read, call, span);
      return toMessage(method, await inTurn(run), json);
    } finally {
      call.endWork();
    }
  });
}

function addServerStream(router: ConnectRouter, method: ServerStreamMethod, store: () => KvStore): void {
  router.rpc(method.desc, (request: Message, context: HandlerContext) => {
    const { call, json } = contextOf(context);
    const replies = method.run(store(), fromMessage(method, request, json), call, context.signal);
    if (method.keepsRequest !== true) call.requestRead();
    return mapped(replies, (reply) => toMessage(method, reply, json));
  });
}

function addPushStream(router: ConnectRouter, method: PushStreamMethod, store: () => KvStore): void {
  router.rpc(method.desc, (request: Message, context: HandlerContext) => {
    const { call, json } = contextOf(context);
    context.signal.addEventListener('abort', () => call.abort(context.signal.reason));
    const messages = new PulledMessages(method, store(), fromMessage(method, request, json), call);
    if (method.keepsRequest !== true) call.requestRead();
    const { output } = method.desc;
    const decoded = (bytes: Buffer): Message => fromBinary(output, bytes.subarray(PREFIX_BYTES));
    return mapped(messages, (bytes) => {
      if (json === undefined) return decoded(bytes);
      return inPlace(output, json, () => decoded(bytes));
    });
  });
}

function addBidiStream(router: ConnectRouter, method: BidiStreamMethod, store: () => KvStore): void {
  router.rpc(method.desc, (requests: AsyncIterable<Message>, context: HandlerContext) => {
    const { call, json } = contextOf(context);
    const unread = mapped(requests, (request) => new UnreadRequest(method, bytesOf(method, request, json)));
    const replies = method.run(store(), unread, call, context.signal);
    return mapped(replies, (reply) => toMessage(method, reply, json));
  });
}

function fromMessage(
  method: Pick<Method, 'desc' | 'codecs'>,
  message: Message,
  json: JsonMessages | undefined,
): unknown {
  const bytes = bytesOf(method, message, json);
  return readRequest(method, bytes, 0, bytes.length);
}

function bytesOf({ desc }: Pick<Method, 'desc'>, message: Message, json: JsonMessages | undefined): Buffer {
  const { buffer, byteOffset, byteLength } = toBinary(desc.input, json?.request(message) ?? message);
  return Buffer.from(buffer, byteOffset, byteLength);
}

function toMessage(
  { desc, codecs }: Exclude<Method, PushStreamMethod>,
  reply: unknown,
  json: JsonMessages | undefined,
): Message {
  if (json !== undefined) return inPlace(desc.output, json, () => reply);
  const bytes = Buffer.allocUnsafe(codecs.sizeOf(reply));
  codecs.prepend(reply, bytes, bytes.length);
  return fromBinary(desc.output, bytes);
}

function pathOf({ desc }: UnaryMethod): string {
  return `/${desc.parent.typeName}/${desc.name}`;
}

/** A reply as the writer of a cluster has encoded it. */
function asMessage(
  { desc: { output } }: UnaryMethod,
  bytes: Buffer,
  json: JsonMessages | undefined,
): Message {
  const decoded = (): Message => fromBinary(output, bytes);
  return json === undefined ? decoded() : inPlace(output, json, decoded);
}

/** An empty message that stands for a reply in JSON. */
function inPlace(output: DescMessage, json: JsonMessages, reply: () => unknown): Message {
  json.reply(() => jsonOf(output, reply()));
  return create(output);
}
