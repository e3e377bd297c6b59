/** A server over Node's HTTP/2 whose answers to gRPC a test writes by hand, for what no gRPC library sends. */
import { once } from 'node:events';
import {
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
  createServer,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { emptyGetResponse, sizeOfGetResponse, writeGetResponse } from '../../../gen/kelp/v1/kv_codec.ts';
import type { ClientOptions } from '../../../src/client/client-options.ts';
import type { KelpClient } from '../../../src/client/client.ts';
import { createClient } from '../../../src/client/client.ts';

export type Respond = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

export const grpcHead: OutgoingHttpHeaders = { ':status': 200, 'content-type': 'application/grpc' };

/** A message as gRPC frames it. */
export function framed(message: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flag, 0);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** The reply to a get that finds nothing. */
export function getReply(revision = 7): Buffer {
  const reply = { ...emptyGetResponse(), revision };
  const bytes = Buffer.alloc(sizeOfGetResponse(reply));
  writeGetResponse(reply, bytes, 0);
  return bytes;
}

/** Head, pieces of the body, trailers. */
export function respondWith(
  head: OutgoingHttpHeaders,
  pieces: readonly Uint8Array[],
  trailers: OutgoingHttpHeaders,
): Respond {
  return (stream) => {
    stream.respond(head, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    for (const piece of pieces) stream.write(piece);
    stream.end();
  };
}

/** A head that ends the reply. */
export function respondWithHead(head: OutgoingHttpHeaders): Respond {
  return (stream) => stream.respond(head, { endStream: true });
}

/** A client, which tries once, of a server that answers each request so. */
export async function clientOfServer(
  respond: Respond,
  options: Partial<ClientOptions> = {},
): Promise<KelpClient> {
  const server = createServer();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    respond(stream, headers);
  });
  server.on('sessionError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = createClient({ address: `127.0.0.1:${port}`, retries: 0, ...options });
  onTestFinished(() => {
    client.close();
    server.close();
  });
  return client;
}
