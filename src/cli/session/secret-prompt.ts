/**
 * Asks for a password on the terminal. The terminal is set not to echo, and hands over each key by itself, as long as one is asked
 * for; whatever ends that (Enter, Ctrl-C, a signal, the end of the terminal) sets it back.
 */
import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { fixed } from '../../limits.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import { InterruptedError, untilInterrupted } from '../process/interrupt.ts';
import { isTerminal } from '../terminal/is-terminal.ts';
import type { Output } from '../terminal/output.ts';
import { stopUntilContinued } from '../terminal/stop.ts';
import { TypedSecret } from '../terminal/typed-secret.ts';

const BELL = '\u0007';

/** Where a person is asked. */
export interface Desk {
  readonly stdin: Readable;
  readonly output: Output;
}

/** Whether there is somebody to ask: who types, and sees what is asked. */
export function canAsk({ stdin, output }: Desk): boolean {
  return isTerminal(stdin) && (output.isErrorTerminal || output.isTerminal);
}

/**
 * @param subjects what is asked for, one after the other, such as "password of alice". Between them nothing is echoed either.
 * @throws UsageError for what is no password, InterruptedError when the person gives up.
 */
export async function askSecrets(subjects: readonly string[], { stdin, output }: Desk): Promise<string[]> {
  const terminal = stdin as ReadStream;
  // What is piped on from standard output must not hold the question.
  const say = (text: string): void =>
    output.isErrorTerminal ? output.noteSoon(text) : output.writeSoon(text);
  return untilInterrupted(async (signal) => {
    terminal.setRawMode(true);
    // Of a terminal that is gone it fails to be set back, which is an event.
    const ignore = (): void => undefined;
    terminal.on('error', ignore);
    try {
      const secrets: string[] = [];
      for (const subject of subjects) {
        const question = `${subject.charAt(0).toUpperCase()}${subject.slice(1)}: `;
        const bytes = await readSecret(terminal, say, question, signal).finally(() => say('\n'));
        secrets.push(typedText(bytes, subject));
      }
      return secrets;
    } finally {
      terminal.setRawMode(false);
      terminal.off('error', ignore);
    }
  });
}

function typedText(bytes: Buffer, subject: string): string {
  if (bytes.length === 0) throw noPassword();
  if (bytes.length > fixed.passwordBytesMax) {
    throw new UsageError(`the ${subject} has more than ${fixed.passwordBytesMax} bytes`);
  }
  // What U+FFFD would stand for is not what was meant.
  if (!isUtf8(bytes)) throw new UsageError(`the ${subject} is not UTF-8 text; is the terminal set to it?`);
  return bytes.toString('utf8');
}

function noPassword(): UsageError {
  return new UsageError('no password was typed');
}

/** @returns what was typed, up to Enter; what follows is left in the stream. */
async function readSecret(
  terminal: ReadStream,
  say: (text: string) => void,
  question: string,
  signal: AbortSignal,
): Promise<Buffer> {
  const secret = new TypedSecret(fixed.passwordBytesMax);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onKeys = (keys: Buffer): void => {
    const { ending, isSuspended, rings, rest } = secret.take(keys);
    if (rings) say(BELL);
    if (isSuspended && ending === undefined) {
      say('\n');
      stopUntilContinued(terminal);
      say(question);
    }
    if (ending === undefined) return;
    terminal.off('data', onKeys).pause();
    if (rest.length > 0) terminal.unshift(rest);
    if (ending === 'entered') resolve();
    else if (ending === 'interrupted') reject(new InterruptedError('SIGINT'));
    else reject(noPassword());
  };
  const onGone = (): void => reject(new InterruptedError('SIGHUP'));
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort);
  terminal.on('end', onGone).on('close', onGone).on('error', onGone).on('data', onKeys);
  say(question);
  terminal.resume();
  try {
    await promise;
    return secret.bytes;
  } finally {
    terminal.off('data', onKeys).off('error', onGone).off('close', onGone).off('end', onGone).pause();
    signal.removeEventListener('abort', onAbort);
  }
}
