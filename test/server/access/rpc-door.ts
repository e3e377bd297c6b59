/** One call over each protocol of RPC, and how it ended: by its first reply, or by an error. */
import { once } from 'node:events';
import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodStreaming,
  DescMethodUnary,
  Message,
} from '@bufbuild/protobuf';
import { Code, ConnectError, type Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from '@connectrpc/connect-node';
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import { GrpcJsClient } from '../../support/grpc-js-client.ts';
import type { TestServer } from '../../support/test-server.ts';

export const rpcDoors = ['gRPC', 'gRPC-Web', 'Connect', 'Connect with JSON'] as const;
export type RpcDoor = (typeof rpcDoors)[number];

/** The name of a code, and the reply if that is `Ok`. */
export interface RpcOutcome {
  readonly code: string;
  readonly reply?: Message;
}

/** The fields of a message. */
export type Fields = Record<string, unknown>;

export type AskRpc = (method: DescMethod, request: Fields) => Promise<RpcOutcome>;

/** Calls by one client, on one connection. @param authorization left out: no header. */
export function rpcClient(server: TestServer, door: RpcDoor, authorization: string | undefined): AskRpc {
  return door === 'gRPC' ? overGrpcJs(server, authorization) : overConnect(server, door, authorization);
}

function overConnect({ url }: TestServer, door: RpcDoor, authorization: string | undefined): AskRpc {
  const sessionManager = new Http2SessionManager(url);
  onTestFinished(() => sessionManager.abort());
  const options = { baseUrl: url, httpVersion: '2', sessionManager } as const;
  const transport: Transport =
    door === 'gRPC-Web'
      ? createGrpcWebTransport(options)
      : createConnectTransport({ ...options, useBinaryFormat: door === 'Connect' });
  const header = authorization === undefined ? {} : { authorization };
  return async (method, request) => {
    const ended = new AbortController();
    try {
      if (isUnary(method)) {
        const { message } = await transport.unary(method, ended.signal, undefined, header, request);
        return { code: 'Ok', reply: message };
      }
      const { message } = await transport.stream(
        method as DescMethodStreaming,
        ended.signal,
        undefined,
        header,
        only(request),
      );
      for await (const reply of message) return { code: 'Ok', reply };
      return { code: 'Ok' };
    } catch (error) {
      return { code: nameOf(ConnectError.from(error).code) };
    } finally {
      ended.abort();
    }
  };
}

function overGrpcJs({ address }: TestServer, authorization: string | undefined): AskRpc {
  const client = new GrpcJsClient(address, undefined, authorization);
  return async (method, request) => {
    try {
      if (isUnary(method)) return { code: 'Ok', reply: await client.unary(method, request) };
      const stream = isServerStream(method)
        ? client.serverStream(method, request)
        : bidiStream(client, method as DescMethodBiDiStreaming, request);
      // It is cancelled below.
      stream.on('error', () => undefined);
      const [reply] = (await Promise.race([once(stream, 'data'), once(stream, 'end')])) as [Message?];
      stream.cancel();
      return { code: 'Ok', ...(reply !== undefined && { reply }) };
    } catch (error) {
      return { code: nameOf((error as ServiceError).code) };
    }
  };
}

function bidiStream(
  client: GrpcJsClient,
  method: DescMethodBiDiStreaming,
  request: Fields,
): ClientReadableStream<Message> {
  const stream = client.bidiStream(method);
  stream.end(request);
  return stream;
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === 'unary';
}

function isServerStream(method: DescMethod): method is DescMethodServerStreaming {
  return method.methodKind === 'server_streaming';
}

function nameOf(code: number): string {
  return Code[code] ?? String(code);
}

async function* only(request: Fields): AsyncGenerator<Fields> {
  yield await Promise.resolve(request);
}
