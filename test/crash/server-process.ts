/** A KelpDB server as a process of its own, so that it can be stopped, starved and killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { flagsOfEngine } from '../support/test-engine.ts';
import { childEnvironment } from '../support/child-environment.ts';

export interface ServerProcessOptions {
  readonly dataDir: string;
  /** By default one that stays free for it while it is away: with it again, clients find the server after a restart. */
  readonly port?: number;
  /** Where it listens; by default 127.0.0.1. */
  readonly host?: string;
  /** What comes before its command, which takes the place of that. */
  readonly command?: readonly string[];
  readonly flags?: readonly string[];
  /** A module that the process loads first, and that `tell` talks to. */
  readonly preload?: URL;
  /** It becomes a user that owns nothing, which takes root. */
  readonly isNobody?: boolean;
  /** No file that it writes may become longer. A multiple of 512. */
  readonly fileBytesMax?: number;
  /** So many files and connections it may have open. */
  readonly openFilesMax?: number;
  /** Whoever starts it ends it; else it is killed when the test ends at the latest. */
  readonly outlivesTest?: boolean;
}

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

type LogLine = Readonly<Record<string, unknown>>;

const MAIN = join(process.cwd(), 'src/cli/main.ts');
const NOBODY_MAIN = fileURLToPath(new URL('nobody-main.ts', import.meta.url));

export class ServerProcess {
  /** Settled when the process is gone and its output is read. */
  readonly ended: Promise<Ending>;
  /** What it wrote to its error output, which is not the log. */
  stderr = '';
  readonly #child: ChildProcess;
  /** Of its log, so far. */
  readonly lines: LogLine[] = [];
  #wake: (() => void)[] = [];
  #isEnded = false;

  /** Starts a process; it may end by itself before it is ready. */
  constructor(options: ServerProcessOptions) {
    const { dataDir, host = '127.0.0.1', port = 0, flags = [], preload } = options;
    const { isNobody = false, outlivesTest = false } = options;
    const kelp = [
      ...(options.command ?? []),
      process.execPath,
      ...(preload === undefined ? [] : ['--import', preload.href]),
      isNobody ? NOBODY_MAIN : MAIN,
      'serve',
      '--log-format=json',
      `--listen=${host}:${port}`,
      `--data-dir=${dataDir}`,
      ...flagsOfEngine(flags),
    ];
    const [command = '', ...args] = limited(kelp, options);
    this.#child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe', ...(preload === undefined ? [] : (['ipc'] as const))],
      env: childEnvironment(),
    });
    const { stdout, stderr } = this.#child;
    if (stdout !== null) createInterface({ input: stdout }).on('line', (line) => this.#read(line));
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      this.#isEnded = true;
      this.#wakeAll();
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
    if (outlivesTest) return;
    onTestFinished(async () => {
      await this.end('SIGKILL');
    });
  }

  /** Starts a server and waits until it is ready. */
  static async start(options: ServerProcessOptions): Promise<ServerProcess> {
    const server = new ServerProcess({ port: await freePort(), ...options });
    await server.logged('ready');
    return server;
  }

  /** Starts a server that must end by itself; rejects when it becomes ready. */
  static async refused(options: ServerProcessOptions): Promise<ServerProcess> {
    const server = new ServerProcess(options);
    const ready = server.logged('ready').then(
      () => 'ready',
      () => 'ended',
    );
    if ((await ready) === 'ready') throw new Error('the server should have been refused, and is ready');
    return server;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it listens on, once it is ready. */
  get port(): number {
    const address = this.lines.find(({ msg }) => msg === 'ready')?.['address'];
    return Number(/:(\d+)$/.exec(String(address))?.[1]);
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Where clients of Redis are served, once it is ready. */
  get redisAddress(): string {
    return String(this.lines.find(({ msg }) => msg === 'ready')?.['redisAddress']);
  }

  /** Waits for the first line of the log with this message; rejects with its last words when the process ends before. */
  logged(message: string): Promise<LogLine> {
    return this.loggedWhere(({ msg }) => msg === message, `"${message}"`);
  }

  /** As `logged`, for the first line that holds. */
  async loggedWhere(holds: (line: LogLine) => boolean, what = 'what is waited for'): Promise<LogLine> {
    for (;;) {
      const line = this.lines.find(holds);
      if (line !== undefined) return line;
      if (this.#isEnded) {
        const log = this.lines.slice(-20).map((each) => JSON.stringify(each));
        throw new Error(`the server ended before it logged ${what}:\n${[...log, this.stderr].join('\n')}`);
      }
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Gives an order to the module that was loaded first and waits until it is carried out. */
  async tell(order: object): Promise<void> {
    const done = once(this.#child, 'message');
    this.#child.send(order);
    await done;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal and waits until the process has ended. */
  end(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<Ending> {
    this.kill(signal);
    return this.ended;
  }

  #read(line: string): void {
    this.lines.push(JSON.parse(line) as LogLine);
    this.#wakeAll();
  }

  #wakeAll(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const each of wake) each();
  }
}

/** POSIX counts the length of files in blocks of 512 bytes. The process takes the place of the shell. */
function limited(command: readonly string[], options: ServerProcessOptions): readonly string[] {
  const { fileBytesMax, openFilesMax } = options;
  const limits = [
    ...(fileBytesMax === undefined ? [] : [`ulimit -f ${fileBytesMax / 512}`]),
    ...(openFilesMax === undefined ? [] : [`ulimit -n ${openFilesMax}`]),
  ];
  return limits.length === 0 ? command : ['sh', '-c', `${limits.join('; ')}; exec "$@"`, 'sh', ...command];
}
