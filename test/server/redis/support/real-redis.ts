/** Debian's redis-server as a process beside the test: what it replies is what is right. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../support/free-port.ts';
import { found } from '../../../support/installed.ts';
import { type DecodedReply, ReplyReader } from './decoded-reply.ts';
import { toRequest, type Word } from './words.ts';

/** Whether tests can compare with it. */
export const hasRealRedis = found('redis-server', spawnSync('redis-server', ['--version']).status === 0);

export class RealRedis {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #socket: Socket;
  readonly #reader = new ReplyReader();
  readonly #waiting: ((reply: DecodedReply) => void)[] = [];

  private constructor(port: number, process: ChildProcess, folder: string, socket: Socket) {
    this.port = port;
    this.#process = process;
    this.#folder = folder;
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => {
      this.#reader.add(bytes.toString('latin1'));
      for (let next = this.#reader.next(); next !== undefined; next = this.#reader.next())
        this.#waiting.shift()?.(next.reply);
    });
  }

  /** Who starts it ends it by `stop`. */
  static async start(options: readonly string[] = []): Promise<RealRedis> {
    const folder = mkdtempSync(join(tmpdir(), 'kelp-redis-'));
    const port = await freePort();
    const args = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      folder,
    ];
    const child = spawn('redis-server', [...args, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
    await isReady(child);
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RealRedis(port, child, folder, socket);
  }

  run(...words: readonly Word[]): Promise<DecodedReply> {
    const { promise, resolve } = Promise.withResolvers<DecodedReply>();
    this.#waiting.push(resolve);
    this.#socket.write(toRequest(words));
    return promise;
  }

  async stop(): Promise<void> {
    this.#socket.destroy();
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function isReady(child: ChildProcess): Promise<void> {
  let output = '';
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`redis-server ended: ${output}`)));
    child.once('error', reject);
    child.stdout?.on('data', (bytes: Buffer) => {
      output += bytes.toString();
      if (output.includes('Ready to accept connections')) resolve();
    });
  });
}
