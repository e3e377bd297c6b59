/** The driver of a language as a process: requests go in, and answers come out, in any order. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { JsonObject } from './steps.ts';

export interface Answer {
  readonly ok?: JsonObject;
  readonly error?: JsonObject;
}

/** A request that was sent. */
export interface Begun {
  readonly answer: Promise<Answer>;
  readonly isAnswered: () => boolean;
}

/** Of its error output. */
const KEPT_CHARACTERS = 10_000;

export class DriverProcess {
  /** What it wrote to its error output last. */
  stderr = '';
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;
  /** Why no answer comes any more. */
  #broken: string | undefined;

  constructor([program = '', ...args]: readonly string[]) {
    this.#child = spawn(program, args, { stdio: 'pipe' });
    const { stdin, stdout, stderr } = this.#child;
    // It tells of its end by `close`.
    stdin?.on('error', () => undefined);
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-KEPT_CHARACTERS);
    });
    if (stdout !== null) createInterface({ input: stdout }).on('line', (line) => this.#read(line));
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#break(`the driver can't be started: ${error.message}`);
        resolve(null);
      });
      this.#child.once('close', (code, signal) => {
        this.#break(`the driver has ended (${signal ?? code})`);
        resolve(code);
      });
    });
    onTestFinished(async () => {
      this.#child.kill('SIGKILL');
      await this.ended;
    });
  }

  begin(request: JsonObject): Begun {
    const id = ++this.#lastId;
    let isAnswered = false;
    const answer = new Promise<Answer>((resolve) => {
      this.#waiting.set(id, (given) => {
        isAnswered = true;
        resolve(given);
      });
    });
    if (this.#broken === undefined) this.#child.stdin?.write(`${JSON.stringify({ id, ...request })}\n`);
    else this.#settle(id, broken(this.#broken));
    return { answer, isAnswered: () => isAnswered };
  }

  async signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    this.#child.kill(signal);
    if (signal === 'SIGKILL') await this.ended;
  }

  /** Ends its input; resolves with the exit code once it has ended. */
  async end(): Promise<number | null> {
    this.#child.stdin?.end();
    return this.ended;
  }

  #read(line: string): void {
    try {
      const { id, ...answer } = JSON.parse(line) as { readonly id: number } & Answer;
      if (!this.#waiting.has(id)) throw new Error('no request waits for it');
      this.#settle(id, answer);
    } catch (error) {
      this.#break(`the driver wrote ${JSON.stringify(line.slice(0, 200))}: ${String(error)}`);
    }
  }

  #settle(id: number, answer: Answer): void {
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
  }

  #break(reason: string): void {
    this.#broken ??= reason;
    for (const id of this.#waiting.keys()) this.#settle(id, broken(this.#broken));
  }
}

function broken(message: string): Answer {
  return { error: { code: 'driver', message } };
}

/** As `promise`, or `undefined` after the time, which is a limit of the harness. */
export async function within<Result>(promise: Promise<Result>, limitMs: number): Promise<Result | undefined> {
  const timeout = new AbortController();
  const late = once(AbortSignal.any([AbortSignal.timeout(limitMs), timeout.signal]), 'abort');
  const result = await Promise.race([promise, late.then(() => undefined)]);
  timeout.abort();
  return result;
}
