/** `kelp` as a process of its own, from the sources or from what was built of them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { childEnvironment } from '../support/child-environment.ts';

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class KelpProcess {
  readonly child: ChildProcess;
  /** Resolves when the process has ended and its output is read. */
  readonly ended: Promise<Ending>;
  stdout = '';
  stderr = '';
  #wake = (): void => undefined;

  constructor(args: readonly string[], { main = 'src/cli/main.ts', cwd = '.', environment = {} } = {}) {
    this.child = spawn(process.execPath, [main, ...args], {
      cwd,
      env: { ...childEnvironment(), ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#wake();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
        this.#wake();
      });
    });
    onTestFinished(async () => {
      this.child.kill('SIGKILL');
      await this.ended;
    });
  }

  /** Waits until the output so far holds; throws when the process ends before. */
  async until(holds: () => boolean): Promise<void> {
    const isEnded = (): boolean => this.child.exitCode !== null || this.child.signalCode !== null;
    while (!holds()) {
      if (isEnded()) throw new Error(`kelp has ended: ${this.stdout}${this.stderr}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Waits for a server to be ready. @returns its address. */
  async ready(): Promise<string> {
    await this.until(() => this.stdout.includes('"ready"'));
    const line = this.stdout.split('\n').find((each) => each.includes('"ready"')) ?? '';
    return (JSON.parse(line) as { address: string }).address;
  }
}
