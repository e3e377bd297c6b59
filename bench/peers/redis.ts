/** A Redis server and the little of its protocol (RESP2) that the bench speaks. */
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import type { CaseContext } from '../bench-case.ts';
import { ChildServer } from '../load/child-server.ts';
import { freePort } from '../../test/support/free-port.ts';

export interface RedisServer {
  readonly child: ChildServer;
  readonly port: number;
  /** How long it took to load what was on disk, as the server says; 0: there was nothing. */
  readonly loadSeconds: number;
}

/** @returns `undefined` when Redis is not installed. */
export async function startRedis(
  context: CaseContext,
  directory: string,
  options: readonly string[],
): Promise<RedisServer | undefined> {
  await mkdir(directory, { recursive: true });
  const port = await freePort();
  let loadSeconds = 0;
  const child = await ChildServer.start(context, {
    command: 'redis-server',
    args: ['--bind', '127.0.0.1', '--port', String(port), '--dir', directory, '--save', '', ...options],
    findReady: (line) => {
      const seconds = /DB loaded from \S+: ([\d.]+) seconds/.exec(line)?.[1];
      if (seconds !== undefined) loadSeconds = Number(seconds);
      return line.includes('Ready to accept connections') ? 'ready' : undefined;
    },
  });
  return child && { child, port, loadSeconds };
}

/** A command as bytes. */
export function redisCommand(...words: readonly (string | Uint8Array)[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = typeof word === 'string' ? Buffer.from(word) : word;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

const CARRIAGE_RETURN = 13;
const LINE_END_BYTES = 2;
const NONE = Buffer.alloc(0);

/** One connection. Replies come in the order of the commands. */
export class RedisConnection {
  readonly #socket: Socket;
  #received: Buffer = NONE;
  #onReply: (reply: Buffer) => void = () => undefined;
  #onError: (error: Error) => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay();
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#onError(error));
  }

  static async open(port: number): Promise<RedisConnection> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RedisConnection(socket);
  }

  /** Sends a command alone and gives its reply: a line, or the bytes of a text. */
  async send(...words: readonly string[]): Promise<string> {
    let text = '';
    await this.pipeline([redisCommand(...words)], 1, (reply) => (text = reply.toString()));
    return text;
  }

  /** Sends all commands, `depth` of them under way. Those that answers make room for go out in one write. */
  pipeline(
    commands: readonly Uint8Array[],
    depth: number,
    onReply: (reply: Buffer) => void = () => undefined,
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let sentCount = 0;
    let repliedCount = 0;
    let isSendPlanned = false;
    const send = (): void => {
      isSendPlanned = false;
      const end = Math.min(commands.length, repliedCount + depth);
      if (end > sentCount) this.#socket.write(Buffer.concat(commands.slice(sentCount, end)));
      sentCount = end;
    };
    this.#onError = reject;
    this.#onReply = (reply) => {
      onReply(reply);
      repliedCount++;
      if (repliedCount === commands.length) resolve();
      if (isSendPlanned) return;
      isSendPlanned = true;
      process.nextTick(send);
    };
    send();
    return promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const bytes = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    let start = 0;
    for (;;) {
      const lineEnd = bytes.indexOf(CARRIAGE_RETURN, start);
      if (lineEnd === -1 || lineEnd + LINE_END_BYTES > bytes.length) break;
      const kind = String.fromCharCode(bytes[start] ?? 0);
      let body = bytes.subarray(start + 1, lineEnd);
      let end = lineEnd + LINE_END_BYTES;
      if (kind === '$' && body.toString() !== '-1') {
        const byteLength = Number(body.toString());
        if (end + byteLength + LINE_END_BYTES > bytes.length) break;
        body = bytes.subarray(end, end + byteLength);
        end += byteLength + LINE_END_BYTES;
      }
      start = end;
      if (kind === '-') this.#onError(new Error(`Redis: ${body.toString()}`));
      else this.#onReply(body);
    }
    this.#received = bytes.subarray(start);
  }
}
