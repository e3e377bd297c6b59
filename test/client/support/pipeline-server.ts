/** A server over Node's HTTP/2 that takes batches of `Pipeline` and answers them when a test says so. */
import { once } from 'node:events';
import {
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
  createServer,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import * as codec from '../../../gen/kelp/v1/kv_codec.ts';
import type { ClientOptions } from '../../../src/client/client-options.ts';
import type { KelpClient } from '../../../src/client/client.ts';
import { createClient } from '../../../src/client/client.ts';
import type { Pace } from '../../../src/client/calls/pace.ts';
import { framed, grpcHead } from './grpc-server.ts';

type Operation = codec.PipelineOperationShape;
type Result = codec.PipelineResultShape['result'];

/** One stream of batches, from the side of the server. */
export class BatchStream {
  readonly stream: ServerHttp2Stream;
  readonly batches: Operation[][] = [];
  /** The client has sent its end. */
  hasEnded = false;
  isClosed = false;
  #pending: Buffer = Buffer.alloc(0);
  #answered = 0;

  constructor(stream: ServerHttp2Stream) {
    this.stream = stream;
  }

  get session(): ServerHttp2Session {
    const { session } = this.stream;
    if (session === undefined) throw new Error('its connection is gone');
    return session as ServerHttp2Session;
  }

  get unansweredCount(): number {
    return this.batches.length - this.#answered;
  }

  /** @returns how many batches have come whole with it. */
  take(bytes: Buffer): number {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    let count = 0;
    for (;;) {
      const end = this.#pending.length < 5 ? Number.POSITIVE_INFINITY : 5 + this.#pending.readUInt32BE(1);
      if (this.#pending.length < end) return count;
      const message = Buffer.from(this.#pending.subarray(5, end));
      this.#pending = this.#pending.subarray(end);
      this.batches.push(codec.readPipelineRequest(message, 0, message.length).operations);
      count++;
    }
  }

  /** The reply to the first batch that is not answered, as the stream carries it. */
  replyBytes(resultOf: (operation: Operation) => Result = usualResult): Buffer {
    const batch = this.batches[this.#answered++];
    if (batch === undefined) throw new Error('every batch is answered');
    return replyOf(batch.map(resultOf));
  }

  answer(resultOf?: (operation: Operation) => Result): void {
    this.write(this.replyBytes(resultOf));
  }

  write(bytes: Uint8Array): void {
    if (!this.stream.headersSent) this.stream.respond(grpcHead, { waitForTrailers: true });
    this.stream.write(bytes);
  }

  /** Ends the stream by a status. */
  end(trailers: OutgoingHttpHeaders = { 'grpc-status': '0' }): void {
    if (!this.stream.headersSent) {
      this.stream.respond({ ...grpcHead, ...trailers }, { endStream: true });
      return;
    }
    this.stream.on('wantTrailers', () => this.stream.sendTrailers(trailers));
    this.stream.end();
  }
}

export function replyOf(results: readonly Result[]): Buffer {
  const reply = { results: results.map((result) => ({ result })) };
  const bytes = Buffer.alloc(codec.sizeOfPipelineResponse(reply));
  codec.writePipelineResponse(reply, bytes, 0);
  return framed(bytes);
}

/** As if each key held its own name, at revision 7. */
export function usualResult({ operation }: Operation): Result {
  const revision = 7;
  switch (operation.case) {
    case 'get': {
      const { key } = operation.value;
      return { case: 'get', value: { entry: { ...emptyEntry(), key, value: Buffer.from(key) }, revision } };
    }
    case 'put':
      return { case: 'put', value: { revision, previous: undefined } };
    case 'delete':
      return { case: 'delete', value: { revision, deleted: true, previous: undefined } };
    case 'exists':
      return { case: 'exists', value: { exists: operation.value.keys.map(() => true), revision } };
    case 'increment':
      return { case: 'increment', value: { value: operation.value.delta, revision } };
    case undefined:
      return { case: 'failure', value: { code: 3, message: 'no operation', detail: undefined } };
    default:
      throw new Error(`no test sends ${operation.case}`);
  }
}

function emptyEntry(): NonNullable<codec.GetResponseShape['entry']> {
  return {
    key: '',
    keyBytes: new Uint8Array(0),
    value: new Uint8Array(0),
    createRevision: 1,
    modRevision: 1,
    version: 1,
    leaseId: 0,
    expireTime: undefined,
    type: 0,
  };
}

export interface PipelineServer {
  readonly port: number;
  /** In the order in which they came. */
  readonly streams: BatchStream[];
  /** The calls that came by themselves, by their method. */
  readonly alone: string[];
  readonly sessions: ServerHttp2Session[];
}

export interface Behaviour {
  /** Batches have come over a stream; left out: all are answered. */
  readonly onBatch?: ((stream: BatchStream) => void) | undefined;
  /** A stream of batches was begun. */
  readonly onStream?: (stream: BatchStream) => void;
  /** Another call has come; left out: it is answered. */
  readonly onAlone?: (stream: ServerHttp2Stream, method: string) => void;
  readonly settings?: ServerOptions['settings'];
}

export async function startPipelineServer(behaviour: Behaviour = {}): Promise<PipelineServer> {
  const { onBatch = answerAll, onStream, onAlone = answerAlone, settings } = behaviour;
  const server = createServer(settings === undefined ? {} : { settings });
  const streams: BatchStream[] = [];
  const alone: string[] = [];
  const sessions: ServerHttp2Session[] = [];
  server.on('session', (session) => sessions.push(session));
  server.on('sessionError', () => undefined);
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => undefined);
    const method = headers[':path']?.toString().split('/').at(-1) ?? '';
    if (method !== 'Pipeline') {
      alone.push(method);
      stream.resume().on('end', () => onAlone(stream, method));
      return;
    }
    const side = new BatchStream(stream);
    streams.push(side);
    stream.on('data', (bytes: Buffer) => {
      if (side.take(bytes) > 0) onBatch(side);
    });
    stream.on('end', () => void (side.hasEnded = true));
    stream.on('close', () => void (side.isClosed = true));
    onStream?.(side);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, streams, alone, sessions };
}

export function answerAll(stream: BatchStream, resultOf?: (operation: Operation) => Result): void {
  while (stream.unansweredCount > 0) stream.answer(resultOf);
}

/** An empty message, which is a reply of any kind. */
export function answerAlone(stream: ServerHttp2Stream): void {
  stream.respond(grpcHead, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(framed(new Uint8Array(0)));
}

export function clientFor(
  { port }: { readonly port: number },
  options: Partial<ClientOptions> = {},
  pace?: Pace,
): KelpClient {
  const client = createClient({ address: `127.0.0.1:${port}`, retries: 0, ...options }, pace);
  onTestFinished(() => client.close());
  return client;
}
