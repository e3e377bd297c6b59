/** A KelpDB server as a process of its own, so that it can be killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface ServerProcessOptions {
  readonly dataDir: string;
  /** 0 lets the system choose; the same port again lets clients find the server after a restart. */
  readonly port: number;
  readonly flags?: readonly string[];
}

export class ServerProcess {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(process: ChildProcess, port: number, ended: Promise<unknown>) {
    this.#process = process;
    this.port = port;
    this.#ended = ended;
  }

  /** Starts a server and waits until it says that it is ready; rejects with its last words when it ends before. */
  static async start(options: ServerProcessOptions): Promise<ServerProcess> {
    const flags = [
      '--listen',
      `127.0.0.1:${options.port}`,
      '--data-dir',
      options.dataDir,
      ...(options.flags ?? []),
    ];
    const child = spawn(process.execPath, ['src/cli/main.ts', 'serve', '--log-format', 'json', ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(child, 'exit');
    const lines: string[] = [];
    const port = await new Promise<number>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on('line', (line) => {
          lines.push(line);
          if (lines.length > 100) lines.shift();
          const ready = /"address":"127\.0\.0\.1:(\d+)".*"msg":"ready"/.exec(line);
          if (ready !== null) resolve(Number(ready[1]));
        });
      }
      void ended.then(() => reject(new Error(`the server ended before it was ready:\n${lines.join('\n')}`)));
    });
    return new ServerProcess(child, port, ended);
  }

  /** Sends a signal and waits until the process has ended; @returns its exit code, `null` after SIGKILL. */
  async end(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<number | null> {
    this.#process.kill(signal);
    await this.#ended;
    return this.#process.exitCode;
  }
}
