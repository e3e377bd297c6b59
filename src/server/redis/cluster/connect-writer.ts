/**
 * A connection to the writer's port for clients of Redis, made as the client's own one is: the writer is told what the client had said
 * (login, version of the protocol, database, name) before the first byte of it goes there.
 */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { serverFixed } from '../../../limits.ts';
import { parseListenAddress } from '../../config/option-values.ts';
import { ReplyError } from '../replies/errors.ts';
import { ReplySkipper } from './reply-skipper.ts';

/** How the writer is known by its certificate, which is for the host of its address. No certificate is shown: it would be this node's. */
export interface WriterTls {
  /** Authorities in PEM form; `undefined`: those that Node trusts. */
  readonly ca: Buffer | undefined;
}

export interface WriterConnectOptions {
  /** `HOST:PORT`. */
  readonly address: string;
  /** `undefined`: in plain text. */
  readonly tls: WriterTls | undefined;
  /** Commands, each with one reply, be it an error. */
  readonly introduction: readonly (readonly Buffer[])[];
  /** ... and behind them others; HELLO is one of them. */
  readonly prelude: readonly (readonly Buffer[])[];
  /** ... and behind them those without one. */
  readonly silent: readonly (readonly Buffer[])[];
  readonly signal: AbortSignal;
}

const TOO_MANY_CLIENTS = 'ERR max number of clients reached';

/** There is no writer at its address now. */
export class WriterUnreachableError extends Error {}

/**
 * Resolves with a paused socket, of which only what is for the client is left to be read.
 * Rejects with a `WriterUnreachableError`, or with a `ReplyError` for the client.
 */
export function connectWriter(options: WriterConnectOptions): Promise<Socket> {
  const { introduction, prelude, silent, signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  let socket: Socket;
  try {
    socket = open(options);
  } catch (error) {
    // What the writer says of itself is no address.
    return Promise.reject(new WriterUnreachableError('it has no address', { cause: error }));
  }
  const skipper = new ReplySkipper(prelude.length, introduction.length);
  const fail = (error: Error): void => {
    end();
    socket.on('error', () => undefined);
    socket.destroy();
    reject(error);
  };
  const unreachable = (cause?: unknown): void =>
    fail(
      new WriterUnreachableError(cause instanceof Error ? cause.message : 'it ends connections', { cause }),
    );
  const read = (chunk: Buffer): void => {
    if (!skipper.add(chunk)) {
      if (skipper.bytes.length > serverFixed.redisStrangerWordBytesMax) unreachable();
      return;
    }
    // It does not know this node as one yet, after it has taken over: that node has said so within a second.
    if (skipper.error?.startsWith(TOO_MANY_CLIENTS) === true) return unreachable(new Error(skipper.error));
    if (skipper.error !== undefined) {
      fail(new ReplyError(skipper.error));
      return;
    }
    // It has become a follower, which would pass the connection on again.
    if (!/\r\nrole\r\n\$6\r\nmaster\r\n/.test(skipper.skipped)) {
      fail(new WriterUnreachableError('it is a follower'));
      return;
    }
    socket.pause();
    end();
    if (skipper.bytes.length > 0) socket.unshift(skipper.bytes);
    resolve(socket);
  };
  const end = (): void => {
    signal.removeEventListener('abort', unreachable);
    socket.off('data', read).off('error', unreachable).off('close', unreachable);
  };
  signal.addEventListener('abort', unreachable);
  socket.on('data', read).on('error', unreachable).on('close', unreachable);
  socket.write(Buffer.concat([...introduction, ...prelude, ...silent].map(toCommand)));
  return promise;
}

function open({ address, tls }: WriterConnectOptions): Socket {
  const parsed = parseListenAddress(address);
  // The client may end its side and wait for replies, and so may this one.
  const plain = { ...parsed, allowHalfOpen: true };
  const socket = 'path' in plain || tls === undefined ? connect(plain) : connectTls(tlsOptions(plain, tls));
  socket.setNoDelay(true);
  socket.setKeepAlive(true, serverFixed.tcpKeepAliveMs);
  return socket;
}

/** Node takes `allowHalfOpen` here, too; its types leave it out. */
function tlsOptions(
  {
    host,
    port,
    allowHalfOpen,
  }: { readonly host: string; readonly port: number; readonly allowHalfOpen: boolean },
  { ca }: WriterTls,
): ConnectionOptions {
  const options = {
    host,
    port,
    allowHalfOpen,
    ...(ca === undefined ? {} : { ca }),
    ...(isIP(host) === 0 ? { servername: host } : {}),
  };
  return options;
}

function toCommand(words: readonly Buffer[]): Buffer {
  const parts = words.flatMap((word) => [Buffer.from(`$${word.length}\r\n`), word, Buffer.from('\r\n')]);
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts]);
}
