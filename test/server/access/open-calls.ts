/** Calls that go on, over each door: begun, watched for what they are told, and waited for until they end. */
import type { DescMethodStreaming, Message } from '@bufbuild/protobuf';
import { Code, ConnectError, type Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from '@connectrpc/connect-node';
import { onTestFinished } from 'vitest';
import { type PipelineResponse, KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { type WatchResponse, WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import { connectEvents } from '../rest/event-reader.ts';

export interface OpenCall {
  /** The keys of the events that it was told, in their order. */
  readonly keys: readonly string[];
  /** Resolves with the name of the code that it ends with. */
  readonly ended: Promise<string>;
}

/**
 * Opens a call; resolves once it is answered for the first time. @param shown the header `authorization`; `undefined`: none.
 * @param prefix of the keys that are watched.
 */
export type Open = (url: string, shown: string | undefined, prefix: string) => Promise<OpenCall>;

const watchRequest = (prefix: string): object => ({ ranges: [{ prefix }], includeCurrent: true });

/** Those that are allowed by the keys that they read. */
export const watches: Readonly<Record<string, Open>> = {
  'a watch over gRPC': (url, shown, prefix) => openWatch(grpc(url), shown, prefix),
  'a watch over gRPC-Web': (url, shown, prefix) => openWatch(grpcWeb(url), shown, prefix),
  'a watch over Connect': (url, shown, prefix) => openWatch(connectJson(url), shown, prefix),
  'events over REST': openEvents,
};

/** Those that any user may open. */
export const userStreams: Readonly<Record<string, Open>> = {
  'a pipeline over gRPC': (url, shown) => openPipeline(grpc(url), shown),
  'a pipeline over Connect': (url, shown) => openPipeline(connectJson(url), shown),
  'a keep-alive over gRPC': (url, shown) => openKeepAlive(grpc(url), shown),
  'a keep-alive over gRPC-Web': (url, shown) => openKeepAlive(grpcWeb(url), shown),
};

async function openWatch(
  transport: Transport,
  authorization: string | undefined,
  prefix: string,
): Promise<OpenCall> {
  const keys: string[] = [];
  return open(
    transport,
    WatchService.method.watch,
    authorization,
    [watchRequest(prefix)],
    (reply) => {
      const { message } = reply as WatchResponse;
      if (message.case === 'events') keys.push(...message.value.events.map(({ entry }) => entry?.key ?? ''));
      return message.case === 'synced';
    },
    keys,
  );
}

function openPipeline(transport: Transport, authorization: string | undefined): Promise<OpenCall> {
  const exists = { operation: { case: 'exists', value: { keys: ['a'] } } };
  return open(
    transport,
    KvService.method.pipeline,
    authorization,
    [{ operations: [exists] }],
    (reply) => (reply as PipelineResponse).results.length === 1,
  );
}

function openKeepAlive(transport: Transport, authorization: string | undefined): Promise<OpenCall> {
  return open(transport, LeaseService.method.keepAlive, authorization, [{ leaseId: 77n }], () => true);
}

async function open(
  transport: Transport,
  method: DescMethodStreaming,
  authorization: string | undefined,
  requests: readonly object[],
  isStarted: (reply: Message) => boolean,
  keys: string[] = [],
): Promise<OpenCall> {
  const started = Promise.withResolvers<void>();
  const over = new AbortController();
  const run = async (): Promise<string> => {
    try {
      const header = authorization === undefined ? {} : { authorization };
      const asked = lasting(requests, method.methodKind === 'bidi_streaming', over.signal);
      const { message } = await transport.stream(method, over.signal, undefined, header, asked);
      for await (const reply of message) if (isStarted(reply)) started.resolve();
      return 'Ok';
    } catch (error) {
      started.reject(error);
      return Code[ConnectError.from(error).code] ?? '';
    }
  };
  const ended = run();
  started.promise.catch(() => undefined);
  onTestFinished(() => over.abort());
  await started.promise;
  return { keys, ended };
}

/** @param isOpen whether more might follow, as far as the server can tell. */
async function* lasting(
  requests: readonly object[],
  isOpen: boolean,
  over: AbortSignal,
): AsyncGenerator<Record<string, unknown>> {
  yield* requests as Record<string, unknown>[];
  if (isOpen) await new Promise<void>((resolve) => over.addEventListener('abort', () => resolve()));
}

async function openEvents(url: string, authorization: string | undefined, prefix: string): Promise<OpenCall> {
  const keys: string[] = [];
  const connection = await connectEvents(`${url}/v1/watch?prefix=${prefix}&include_current=true`, {
    ...(authorization !== undefined && { authorization }),
  });
  onTestFinished(() => connection.cut());
  if (connection.status !== 200) throw new Error(await connection.body);
  for (;;) {
    const event = await connection.next();
    if (event === undefined) throw new Error('it ended before it began');
    if ((JSON.parse(event.data) as { kind?: string }).kind === 'synced') break;
  }
  const run = async (): Promise<string> => {
    for (;;) {
      const event = await connection.next();
      if (event === undefined) return 'Ok';
      const { code, events } = JSON.parse(event.data) as {
        code?: string;
        events?: { entry: { key: string } }[];
      };
      if (event.type === 'error')
        return code === undefined ? '' : code.replace(/^\w/, (first) => first.toUpperCase());
      keys.push(...(events ?? []).map(({ entry }) => entry.key));
    }
  };
  return { keys, ended: run() };
}

function grpc(baseUrl: string): Transport {
  return createGrpcTransport({ baseUrl, sessionManager: session(baseUrl) });
}

function grpcWeb(baseUrl: string): Transport {
  return createGrpcWebTransport({ baseUrl, httpVersion: '2', sessionManager: session(baseUrl) });
}

function connectJson(baseUrl: string): Transport {
  return createConnectTransport({
    baseUrl,
    httpVersion: '2',
    sessionManager: session(baseUrl),
    useBinaryFormat: false,
  });
}

function session(url: string): Http2SessionManager {
  const manager = new Http2SessionManager(url);
  onTestFinished(() => manager.abort());
  return manager;
}
