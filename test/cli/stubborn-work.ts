/** A process whose work tells that it is to end, and does not: what a second signal is for. */
import { untilInterrupted } from '../../src/cli/interrupt.ts';

await untilInterrupted(
  (signal) =>
    new Promise(() => {
      setInterval(() => undefined, 60_000);
      signal.addEventListener('abort', () => process.stdout.write('interrupted'));
      process.stdout.write('working');
    }),
);
