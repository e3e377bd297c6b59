/** A server in a process of its own, on this machine, which ends with the case whatever happens. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { CaseContext } from '../bench-case.ts';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 20_000;

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** What its environment has beside that of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Looks at each line that the server prints; its first result but `undefined` says that the server is ready. */
  readonly findReady: (line: string) => string | undefined;
}

export class ChildServer {
  /** What `findReady` found. */
  readonly ready: string;
  readonly processId: number;
  readonly #context: CaseContext;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;

  private constructor(
    context: CaseContext,
    child: ChildProcessByStdio<null, Readable, Readable>,
    processId: number,
    ready: string,
  ) {
    this.#context = context;
    this.#child = child;
    this.processId = processId;
    this.ready = ready;
  }

  /** @returns `undefined` when there is no such program. */
  static async start(
    context: CaseContext,
    { command, args, environment = {}, findReady }: ServerCommand,
  ): Promise<ChildServer | undefined> {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    const { promise: ready, resolve, reject } = Promise.withResolvers<string | undefined>();
    child.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' ? resolve(undefined) : reject(error),
    );
    const lines: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => {
        lines.push(line);
        const found = findReady(line);
        if (found !== undefined) resolve(found);
      });
    }
    child.once('exit', () => reject(new Error(`${command} ended before it was ready:\n${lines.join('\n')}`)));
    const { pid } = child;
    if (pid === undefined) return ready.then(() => undefined);
    context.started(pid);
    // The bench ends it too; this is for a case that lost its bench.
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    const timer = setTimeout(() => reject(new Error(`${command} was not ready in time`)), START_TIMEOUT_MS);
    try {
      return new ChildServer(context, child, pid, (await ready) ?? '');
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends it a signal by which it does not end, such as SIGSTOP. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill(signal);
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
    }
    this.#context.ended(this.processId);
  }
}
