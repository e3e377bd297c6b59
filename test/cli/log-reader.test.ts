/** A server whose log nobody reads, or nobody any more. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type KelpClient, createClient } from '../../src/client/client.ts';
import { metricsOf } from '../server/metrics/exposition.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { childEnvironment } from '../support/child-environment.ts';

// The log has to fill all that is between the server and its reader.
vi.setConfig({ testTimeout: 120_000 });

/** Each is a line of the log. */
const BATCH = 1000;

class LoggingServer {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown[]>;
  readonly lines: Record<string, unknown>[] = [];
  readonly #stdout: Readable;
  #tail = '';
  #wake = (): void => undefined;

  constructor(dataDir: string) {
    const flags = ['--listen=127.0.0.1:0', `--data-dir=${dataDir}`, '--log-level=debug', '--fsync=never'];
    this.child = spawn(process.execPath, ['src/cli/main.ts', 'serve', ...flags], {
      env: childEnvironment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.exited = once(this.child, 'exit');
    onTestFinished(async () => {
      this.child.kill('SIGKILL');
      await this.exited;
    });
    this.#stdout = this.child.stdout as Readable;
    this.#stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#tail + text).split('\n');
      this.#tail = lines.pop() ?? '';
      this.lines.push(...lines.map((line) => JSON.parse(line) as Record<string, unknown>));
      this.#wake();
    });
    this.#stdout.once('close', () => this.#wake());
  }

  async line(holds: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.lines.find(holds);
      if (found !== undefined) return found;
      if (this.#stdout.closed) throw new Error('the log has ended');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  message(text: string): Promise<Record<string, unknown>> {
    return this.line(({ msg }) => msg === text);
  }

  stopReading(): void {
    this.#stdout.pause();
  }

  readAgain(): void {
    this.#stdout.resume();
  }

  closeLog(): void {
    this.#stdout.destroy();
  }
}

async function start(): Promise<{ server: LoggingServer; client: KelpClient; url: string }> {
  const server = new LoggingServer(await temporaryDirectory());
  const url = `http://${String((await server.message('ready'))['address'])}`;
  // A line for each call: those that travel together are one for the server.
  const client = createClient({ address: url, deadlineMs: 60_000, pipeline: false });
  onTestFinished(() => client.close());
  return { server, client, url };
}

async function callOften(client: KelpClient): Promise<void> {
  await Promise.all(Array.from({ length: BATCH }, () => client.get('a')));
}

async function droppedLines(url: string): Promise<number> {
  const metric = (await metricsOf(url)).find(({ name }) => name === 'kelp_log_lines_dropped_total');
  return metric?.samples[0]?.value ?? Number.NaN;
}

async function fillLog(client: KelpClient, url: string): Promise<void> {
  while ((await droppedLines(url)) === 0) await callOften(client);
}

test('a log that nobody reads drops every line beyond its limit, while calls are served, and does not hold up the end', async () => {
  const { server, client, url } = await start();
  server.stopReading();
  await fillLog(client, url);
  const dropped = await droppedLines(url);
  await callOften(client);
  expect(await droppedLines(url)).toBeGreaterThanOrEqual(dropped + BATCH);
  server.child.kill('SIGTERM');
  expect(await server.exited).toEqual([0, null]);
});

test('a reader that goes on is told how many lines it missed, and gets the last ones', async () => {
  const { server, client, url } = await start();
  server.stopReading();
  await fillLog(client, url);
  server.readAgain();
  const { level, lines } = await server.line(({ msg }) => /were dropped/.test(String(msg)));
  expect(level).toBe('warn');
  expect(lines).toBe(await droppedLines(url));
  server.child.kill('SIGTERM');
  await server.message('stopped');
  expect(await server.exited).toEqual([0, null]);
});

test('a reader that is gone changes nothing for the calls and for the end', async () => {
  const { server, client, url } = await start();
  server.closeLog();
  await callOften(client);
  expect(await droppedLines(url)).toBeGreaterThanOrEqual(BATCH);
  server.child.kill('SIGTERM');
  expect(await server.exited).toEqual([0, null]);
});
