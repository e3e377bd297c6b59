/** A client of the Redis protocol over a socket, which sends what a test wants. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { type DecodedReply, ReplyReader } from './decoded-reply.ts';
import { toRequest, type Word } from './words.ts';

export class RedisClient {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
  readonly #reader = new ReplyReader();
  readonly #replies: DecodedReply[] = [];
  #wake = (): void => undefined;
  receivedBytes = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    this.closed = once(socket, 'close');
    socket.on('data', (bytes: Buffer) => {
      this.receivedBytes += bytes.length;
      this.#reader.add(bytes.toString('latin1'));
      for (let next = this.#reader.next(); next !== undefined; next = this.#reader.next())
        this.#replies.push(next.reply);
      this.#wake();
    });
  }

  /** @param address `HOST:PORT` or `unix:PATH`. */
  static async open(address: string, options: { readonly ca?: Buffer } = {}): Promise<RedisClient> {
    const socket = open(address, options.ca);
    await once(socket, options.ca === undefined ? 'connect' : 'secureConnect');
    onTestFinished(() => void socket.destroy());
    return new RedisClient(socket);
  }

  /** Over a socket that a test has made, once it is connected. */
  static async over(socket: TLSSocket): Promise<RedisClient> {
    await once(socket, 'secureConnect');
    return new RedisClient(socket);
  }

  send(...words: readonly Word[]): void {
    this.socket.write(toRequest(words));
  }

  /** Replies that have come and were not asked for. */
  get waitingCount(): number {
    return this.#replies.length;
  }

  /** The next reply. */
  async next(): Promise<DecodedReply> {
    while (this.#replies.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#replies.shift() ?? null;
  }

  run(...words: readonly Word[]): Promise<DecodedReply> {
    this.send(...words);
    return this.next();
  }
}

function open(address: string, ca: Buffer | undefined): Socket {
  if (address.startsWith('unix:')) return connect(address.slice('unix:'.length));
  const at = address.lastIndexOf(':');
  const [host, port] = [address.slice(0, at), Number(address.slice(at + 1))];
  return ca === undefined ? connect(port, host) : connectTls({ host, port, ca, servername: 'localhost' });
}
