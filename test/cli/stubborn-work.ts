/** A process whose work is told to end, and does not: what a second signal is for. */
import { untilInterrupted } from '../../src/cli/process/interrupt.ts';

await untilInterrupted(
  (signal) =>
    new Promise(() => {
      setInterval(tellOnceLeftToSystem, 1);
      signal.addEventListener('abort', () => process.stdout.write(' interrupted'));
      process.stdout.write('working');
    }),
);

function tellOnceLeftToSystem(): void {
  if (process.listenerCount('SIGTERM') === 0) process.stdout.write(' left');
}
