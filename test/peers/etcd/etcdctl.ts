/** Debian's etcdctl beside a test: commands that end, and those that go on, whose lines are waited for. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { found } from '../../support/installed.ts';

export const hasEtcdctl = found('etcdctl', spawnSync('etcdctl', ['--help']).status === 0);

export class Etcdctl {
  readonly #child: ChildProcess;
  /** Of both outputs, in lines. */
  #lines: string[] = [];
  #rest = '';
  #wake = (): void => undefined;

  /** @param address `HOST:PORT`. */
  constructor(address: string, args: readonly string[]) {
    const env = { ...process.env, ETCDCTL_API: '3' };
    this.#child = spawn('etcdctl', [`--endpoints=${address}`, ...args], { env });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (bytes: Buffer) => this.#said(bytes.toString()));
    onTestFinished(() => void this.#child.kill('SIGKILL'));
  }

  /** What a command says that ends by itself. */
  static async run(address: string, ...args: readonly string[]): Promise<string> {
    const command = new Etcdctl(address, args);
    await once(command.#child, 'close');
    return [...command.#lines, command.#rest].join('\n');
  }

  /** The next lines. */
  async lines(count: number): Promise<string[]> {
    while (this.#lines.length < count)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.#lines.splice(0, count);
  }

  /** Ends it as one does at a terminal. */
  async interrupt(): Promise<void> {
    const end = once(this.#child, 'close');
    this.#child.kill('SIGINT');
    await end;
  }

  #said(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    this.#lines.push(...lines);
    this.#wake();
  }
}
