/** Runs `kelp` in this process: command line in; exit code and output out. */
import { Readable, Writable } from 'node:stream';
import { Output, type OutputStream } from '../../src/cli/terminal/output.ts';
import { run } from '../../src/cli/run.ts';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What `stdout` is made of. */
  readonly bytes: Buffer;
}

export interface Circumstances {
  readonly stdin?: string | Uint8Array;
  readonly isTerminal?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** Sees each part of the output as it comes. */
  readonly onOutput?: (text: string) => void;
}

export class Kelp {
  readonly #environment: Readonly<Record<string, string>>;

  /** @param environment of each run. */
  constructor(address: string, environment: Readonly<Record<string, string>> = {}) {
    this.#environment = { KELP_ADDRESS: address, ...environment };
  }

  async run(args: readonly string[], circumstances: Circumstances = {}): Promise<Outcome> {
    const { stdin = '', isTerminal = false, environment = {}, onOutput } = circumstances;
    const stdout = new Collector(isTerminal, onOutput);
    const stderr = new Collector(isTerminal);
    const code = await run(args, {
      stdin: Readable.from([Buffer.from(stdin)]),
      output: new Output(stdout, stderr),
      environment: { ...this.#environment, ...environment },
    });
    return { code, stdout: stdout.text, stderr: stderr.text, bytes: stdout.bytes };
  }

  /** Runs what must succeed. @returns its output. */
  async text(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    if (code !== 0) throw new Error(`kelp ${args.join(' ')} exits with ${code}: ${stderr}`);
    return stdout;
  }

  /** Runs what must succeed with `--json`. @returns the objects of its lines. */
  async json(...args: string[]): Promise<unknown[]> {
    return jsonLines(await this.text(...args, '--json'));
  }
}

export function jsonLines(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}

class Collector extends Writable implements OutputStream {
  readonly isTTY: boolean;
  readonly #chunks: Buffer[] = [];
  readonly #onOutput: ((text: string) => void) | undefined;

  constructor(isTTY: boolean, onOutput?: (text: string) => void) {
    super();
    this.isTTY = isTTY;
    this.#onOutput = onOutput;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString('utf8');
  }

  override _write(chunk: Buffer, _: BufferEncoding, callback: () => void): void {
    this.#chunks.push(chunk);
    this.#onOutput?.(chunk.toString('utf8'));
    callback();
  }
}
