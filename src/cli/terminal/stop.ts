/** Ctrl-Z on a terminal whose keys are read one by one: what the terminal does by itself where it reads lines. */
import type { Readable } from 'node:stream';
import type { ReadStream } from 'node:tty';

/**
 * Gives the terminal back and stops all that was started with this process, as `fg` and `bg` expect it.
 * Returns when the process is to go on, and at once where no shell could say so: then nothing is stopped.
 */
export function stopUntilContinued(terminal: Readable): void {
  const { setRawMode } = terminal as Partial<ReadStream>;
  setRawMode?.call(terminal, false);
  process.kill(0, 'SIGTSTP');
  setRawMode?.call(terminal, true);
}
