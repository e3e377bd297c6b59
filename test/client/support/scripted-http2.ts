/**
 * A server that answers with the frames of HTTP/2 that a test writes, for what no well-behaved server does at will. It
 * acts when a whole request has come, and knows what came to which connection.
 */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { field, frame } from '../../support/bare-http2.ts';

/** One connection, from the side of the server. */
export interface ScriptedConnection {
  readonly socket: Socket;
  /** Counts from 0. */
  readonly index: number;
  /** The requests that have come over it, this one included. */
  readonly requestCount: number;
}

export interface ScriptedServer {
  readonly port: number;
  /** How many whole requests have come over each connection. */
  readonly requestCounts: readonly number[];
  /** How many pings. */
  readonly pingCounts: readonly number[];
}

export interface Script {
  /** Default: sends its settings. */
  readonly onConnection?: (socket: Socket, index: number) => void;
  /** Whether it answers pings on the connection of this index. Default: always. */
  readonly isAlive?: (index: number) => boolean;
  /** A request has come whole. */
  readonly onRequest: (connection: ScriptedConnection, streamId: number) => void;
  /** Some of a request has come, which goes on. Default: waits for the rest. */
  readonly onData?: (connection: ScriptedConnection, streamId: number) => void;
}

const PREFACE_BYTES = 24;
const FRAME_HEAD_BYTES = 9;
const SETTINGS = 4;
const PING = 6;
const END_STREAM = 1;
/** SETTINGS_MAX_CONCURRENT_STREAMS. */
const MAX_STREAMS = Buffer.from([0, 3]);

export async function startScripted({
  onConnection = (socket) => sendSettings(socket),
  isAlive = () => true,
  onRequest,
  onData,
}: Script): Promise<ScriptedServer> {
  const requestCounts: number[] = [];
  const pingCounts: number[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const index = requestCounts.push(0) - 1;
    pingCounts.push(0);
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket, index);
    let pending: Buffer = Buffer.alloc(0);
    let toSkip = PREFACE_BYTES;
    socket.on('data', (chunk: Buffer) => {
      const skipped = Math.min(toSkip, chunk.length);
      toSkip -= skipped;
      pending = Buffer.concat([pending, chunk.subarray(skipped)]);
      while (pending.length >= FRAME_HEAD_BYTES + lengthOf(pending)) take();
    });

    function take(): void {
      const end = FRAME_HEAD_BYTES + lengthOf(pending);
      const [type, flags, streamId] = [pending[3] ?? 0, pending[4] ?? 0, pending.readUInt32BE(5)];
      const payload = pending.subarray(FRAME_HEAD_BYTES, end);
      pending = pending.subarray(end);
      if (type === PING && flags === 0) {
        pingCounts[index] = (pingCounts[index] ?? 0) + 1;
        if (isAlive(index)) socket.write(frame(PING, 1, 0, payload));
      }
      // Of headers and data; acknowledgements have the same flag.
      if (type > 1) return;
      if ((flags & END_STREAM) === 0) {
        if (type === 0) onData?.({ socket, index, requestCount: requestCounts[index] ?? 0 }, streamId);
        return;
      }
      const requestCount = (requestCounts[index] ?? 0) + 1;
      requestCounts[index] = requestCount;
      onRequest({ socket, index, requestCount }, streamId);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, requestCounts, pingCounts };
}

function lengthOf(bytes: Buffer): number {
  return bytes.length < FRAME_HEAD_BYTES ? 0 : bytes.readUIntBE(0, 3);
}

/** Its own, and the acknowledgement of the client's, which are on their way. */
export function sendSettings(socket: Socket, streamsMax?: number): void {
  const settings =
    streamsMax === undefined ? Buffer.alloc(0) : Buffer.concat([MAX_STREAMS, uint32(streamsMax)]);
  socket.write(Buffer.concat([frame(SETTINGS, 0, 0, settings), frame(SETTINGS, 1, 0, Buffer.alloc(0))]));
}

/** Answers a call with a message. */
export function answer(
  connection: ScriptedConnection,
  streamId: number,
  message: Uint8Array = new Uint8Array(0),
): void {
  begin(connection, streamId, message);
  end(connection, streamId);
}

/** Sends the head of a reply and its first message. */
export function begin({ socket }: ScriptedConnection, streamId: number, message: Uint8Array): void {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  const status = Buffer.concat([field(':status', '200'), field('content-type', 'application/grpc+proto')]);
  socket.write(
    Buffer.concat([frame(1, 4, streamId, status), frame(0, 0, streamId, Buffer.concat([prefix, message]))]),
  );
}

/** Says that all went well. */
export function end({ socket }: ScriptedConnection, streamId: number): void {
  socket.write(frame(1, 5, streamId, field('grpc-status', '0')));
}

export function reset({ socket }: ScriptedConnection, streamId: number, code: number): void {
  socket.write(frame(3, 0, streamId, uint32(code)));
}

export function goAway({ socket }: ScriptedConnection, lastStreamId: number, code: number): void {
  socket.write(frame(7, 0, 0, Buffer.concat([uint32(lastStreamId), uint32(code)])));
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
