/** `kelp` in a pseudo-terminal, which `script` of util-linux gives it: keys in, a screen out. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { Screen } from './screen.ts';
import { childEnvironment } from '../../support/child-environment.ts';

export interface ShellTerminalOptions {
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly cwd?: string;
  /** A file that gets the exit code, also when the terminal is gone by then. */
  readonly codeFile?: string;
  /** Below a shell that notices when it is stopped, says so, and has it go on. */
  readonly hasJobControl?: boolean;
}

const ROWS = 24;

/** What keys send. */
export const keys = {
  enter: '\r',
  tab: '\t',
  interrupt: '\u0003',
  suspend: '\u001a',
  endOfInput: '\u0004',
  left: '\u001b[D',
  up: '\u001b[A',
  end: '\u0005',
} as const;

export class ShellTerminal {
  readonly screen: Screen;
  /** Resolves with the exit code of the shell. */
  readonly ended: Promise<number>;
  readonly #process: ChildProcessWithoutNullStreams;
  /** All that came, for messages of failures. */
  #output = '';
  #wake = (): void => undefined;
  #exitCode: number | undefined;

  constructor(options: ShellTerminalOptions) {
    const { args, environment = {}, columns = 80, cwd = '.' } = options;
    this.screen = new Screen(columns, ROWS);
    const words = [process.execPath, resolve('src/cli/main.ts'), ...args].map((word) => `'${word}'`);
    const command = `stty cols ${columns} rows ${ROWS}; ${runUnderShell(words.join(' '), options)}`;
    this.#process = spawn('script', ['-qec', command, '/dev/null'], {
      cwd,
      env: { ...childEnvironment(), TERM: 'xterm', SHELL: '/bin/sh', ...environment },
    });
    this.#process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
      this.screen.write(text);
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      this.#process.on('close', (code) => {
        this.#exitCode = code ?? -1;
        this.#wake();
        resolve(this.#exitCode);
      });
    });
    onTestFinished(async () => {
      this.#process.kill('SIGKILL');
      await this.ended;
    });
  }

  /** Takes the terminal away, as when its window is closed. */
  hangUp(): void {
    this.#process.kill('SIGKILL');
  }

  /** Presses keys, without waiting for anything. */
  press(text: string): void {
    this.#process.stdin.write(text);
  }

  /** Waits until the screen holds; throws when the shell ends before. */
  async until(holds: (screen: Screen) => boolean): Promise<void> {
    while (!holds(this.screen)) {
      if (this.#exitCode !== undefined) throw new Error(`the shell has ended: ${this.#output}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Presses keys, and waits for what stands behind the prompt then, the cursor behind it. */
  async edit(text: string, line: string): Promise<void> {
    this.press(text);
    const column = `kelp> ${line}`.length;
    await this.until(({ cursor }) => cursor.line === `kelp> ${line}`.trimEnd() && cursor.column === column);
  }

  /** Waits for an empty prompt. */
  async prompted(prompt = 'kelp>'): Promise<void> {
    await this.until(({ cursor }) => cursor.line === prompt && cursor.column === prompt.length + 1);
  }

  /** Types a line behind an empty prompt. @returns the lines of its reply, when the next prompt stands there. */
  async type(line: string, prompt = 'kelp>'): Promise<string[]> {
    const before = this.screen.lines.length;
    this.press(`${line}${keys.enter}`);
    await this.until(({ lines, cursor }) => lines.length > before && cursor.line === prompt);
    return this.screen.lines.slice(before, -1);
  }
}

function runUnderShell(kelp: string, { codeFile, hasJobControl }: ShellTerminalOptions): string {
  if (hasJobControl === true) return `set -m; ${kelp}; echo stopped; fg > /dev/null`;
  // The shell between, which notes the code, must not end with the terminal.
  return codeFile === undefined ? `exec ${kelp}` : `trap : HUP; ${kelp}; echo $? > '${codeFile}'`;
}
