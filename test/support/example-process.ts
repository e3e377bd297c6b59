/** A program of `examples/`, run as `npm run example` runs it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { childEnvironment } from './child-environment.ts';

interface PackageJson {
  readonly scripts: { readonly example: string };
}

export class ExampleProcess {
  /** Resolves with the exit code when the process has ended and its output is read. */
  readonly ended: Promise<number | null>;
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  #wake = (): void => undefined;

  constructor(name: string, environment: Readonly<Record<string, string>>) {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as PackageJson;
    const [, ...flags] = scripts.example.split(' ');
    this.child = spawn(process.execPath, [...flags, `examples/${name}.ts`], {
      env: { ...childEnvironment(), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
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
      this.child.once('close', (code) => {
        resolve(code);
        this.#wake();
      });
    });
    onTestFinished(async () => {
      this.child.kill('SIGKILL');
      await this.ended;
    });
  }

  /** Waits until the lines so far hold; rejects with all that was printed when the process ends before. */
  async printed(holds: (lines: readonly string[]) => boolean): Promise<void> {
    while (!holds(this.lines)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`the example ended before:\n${this.stdout}${this.stderr}`);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Whole lines of standard output. */
  get lines(): string[] {
    return this.stdout.split('\n').slice(0, -1);
  }
}

/** Runs an example to its end and gives its lines. Throws when it fails. */
export async function runExample(
  name: string,
  environment: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const example = new ExampleProcess(name, environment);
  const code = await example.ended;
  if (code !== 0) throw new Error(`examples/${name}.ts ended with ${code}:\n${example.stderr}`);
  return example.lines;
}
