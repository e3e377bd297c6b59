/** `kelp` in a pseudo-terminal, which `script` of util-linux gives it, with what the terminal is set to before and after. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { childEnvironment } from '../support/child-environment.ts';

export class KelpTerminal {
  /** All that came. */
  output = '';
  readonly ended: Promise<number | null>;
  readonly #process: ChildProcessWithoutNullStreams;
  #wake = (): void => undefined;
  #hasEnded = false;

  constructor(args: readonly string[], rows = 30) {
    const words = [process.execPath, resolve('src/cli/main.ts'), ...args].map((word) => `'${word}'`);
    const command = `stty cols 100 rows ${rows}; stty -g; ${words.join(' ')}; echo "code $?"; stty -g`;
    this.#process = spawn('script', ['-qec', command, '/dev/null'], {
      env: { ...childEnvironment(), TERM: 'xterm', SHELL: '/bin/sh' },
    });
    this.#process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
      this.#wake();
    });
    this.ended = new Promise((done) => {
      this.#process.on('close', (code) => {
        this.#hasEnded = true;
        this.#wake();
        done(code);
      });
    });
    onTestFinished(async () => {
      this.#process.kill('SIGKILL');
      await this.ended;
    });
  }

  press(keys: string): void {
    this.#process.stdin.write(keys);
  }

  /** Waits until the output holds; throws when `kelp` ends before. */
  async until(holds: (output: string) => boolean): Promise<void> {
    while (!holds(this.output)) {
      if (this.#hasEnded) throw new Error(`it has ended: ${JSON.stringify(this.output)}`);
      await new Promise<void>((wake) => (this.#wake = wake));
    }
  }
}
