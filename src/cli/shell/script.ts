/** A shell without a person: commands come from standard input, one in a line, to its end or to EXIT. */
import type { Readable } from 'node:stream';
import { shell as limits } from '../../limits.ts';
import { type ExitCode, exitCode } from '../process/exit-code.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import { failureText, tellFailure } from '../process/failure.ts';
import type { Output } from '../terminal/output.ts';
import type { Interpreter } from './interpreter.ts';
import { untilAborted } from './until-aborted.ts';

export interface ScriptOptions {
  readonly stdin: Readable;
  readonly output: Output;
  readonly isJson: boolean;
  /** Rejects with its reason when it is aborted. */
  readonly signal: AbortSignal;
}

/**
 * Runs all commands, also behind one that has failed. A transaction in which one fails by an error (that there is no such
 * key is an answer) can't be committed.
 * @returns the exit code of the first that failed.
 */
export async function runScript(interpreter: Interpreter, options: ScriptOptions): Promise<ExitCode> {
  const { stdin, output, isJson, signal } = options;
  const { session } = interpreter;
  let first: ExitCode = exitCode.ok;
  let lineNumber = 0;
  for await (const line of linesOf(stdin, signal)) {
    lineNumber++;
    const code = await interpreter.run(line, signal, async (error) =>
      output.note(`line ${lineNumber}: ${failureText(error)}`),
    );
    if (first === exitCode.ok) first = code;
    if (code !== exitCode.ok && code !== exitCode.no) session.transaction?.fail();
    if (session.isOver) break;
  }
  if (session.transaction !== undefined) {
    const error = new UsageError('the script ends within a transaction: nothing of that was written');
    tellFailure(output, error, isJson);
    if (first === exitCode.ok) first = exitCode.usage;
  }
  return first;
}

const NEWLINE = 0x0a;

/** The lines of a stream, which is destroyed at the end: else it would keep the process. */
export async function* linesOf(
  stdin: Readable,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const chunks = stdin[Symbol.asyncIterator]() as AsyncIterator<Buffer | string>;
  const line = new GatheredLine();
  try {
    for (;;) {
      const next = await untilAborted(chunks.next(), signal);
      if (next.done === true) break;
      let rest = Buffer.from(next.value);
      for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE)) {
        line.add(rest.subarray(0, end));
        yield line.take();
        rest = rest.subarray(end + 1);
      }
      line.add(rest);
    }
    if (!line.isEmpty) yield line.take();
  } finally {
    stdin.destroy();
  }
}

class GatheredLine {
  #parts: Buffer[] = [];
  #byteCount = 0;

  get isEmpty(): boolean {
    return this.#byteCount === 0;
  }

  add(part: Buffer): void {
    this.#byteCount += part.length;
    if (this.#byteCount > limits.lineBytesMax) {
      throw new UsageError(`a line of the script has more than ${limits.lineBytesMax} bytes`);
    }
    if (part.length > 0) this.#parts.push(part);
  }

  /** Bytes that are not UTF-8 become U+FFFD, which the reader of words refuses. */
  take(): string {
    const text = Buffer.concat(this.#parts).toString('utf8');
    this.#parts = [];
    this.#byteCount = 0;
    return text;
  }
}
