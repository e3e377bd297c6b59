/** The server as `npm start` runs it: with a shell and npm between it and whoever stops it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test, vi } from 'vitest';
import { temporaryDirectory } from '../support/test-server.ts';
import { childEnvironment } from '../support/child-environment.ts';

vi.setConfig({ testTimeout: 120_000 });

const ways = [['start'], ['run', 'kelp', '--', 'serve']];

class NpmServer {
  readonly npm: ChildProcess;
  /** Resolves when all that npm has started is gone: nothing holds their output any more. */
  readonly ended: Promise<unknown[]>;
  readonly log: string[] = [];
  #wake = (): void => undefined;

  constructor(args: readonly string[], dataDir: string) {
    this.npm = spawn('npm', args, {
      // A process group of its own, as a terminal gives one to each command.
      detached: true,
      env: {
        ...childEnvironment(),
        HOME: process.env['HOME'],
        KELP_LISTEN: '127.0.0.1:0',
        KELP_DATA_DIR: dataDir,
        npm_config_update_notifier: 'false',
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.ended = once(this.npm, 'close');
    createInterface({ input: this.npm.stdout as NodeJS.ReadableStream })
      .on('line', (line) => {
        this.log.push(line);
        this.#wake();
      })
      .on('close', () => this.#wake());
    onTestFinished(async () => {
      this.killGroup('SIGKILL');
      await this.ended;
    });
  }

  async logged(message: string): Promise<void> {
    while (!this.log.some((line) => line.includes(`"msg":"${message}"`))) {
      if (this.npm.stdout?.closed === true) throw new Error(this.log.join('\n'));
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  killGroup(signal: NodeJS.Signals): void {
    try {
      process.kill(-(this.npm.pid ?? 0), signal);
    } catch {
      // All of them are gone.
    }
  }
}

test.each(ways)('npm %s: the server stops when npm is told to', async (...args) => {
  const server = new NpmServer(args, join(await temporaryDirectory(), 'data'));
  await server.logged('ready');
  server.npm.kill('SIGTERM');
  await server.ended;
  expect(server.log.at(-1)).toContain('"stopped"');
});

test.each(ways)('npm %s: Ctrl-C, which reaches the server twice, stops it once', async (...args) => {
  const server = new NpmServer(args, join(await temporaryDirectory(), 'data'));
  await server.logged('ready');
  server.killGroup('SIGINT');
  await server.ended;
  expect(server.log.at(-1)).toContain('"stopped"');
});
