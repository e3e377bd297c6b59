/** In which order things happen that may happen in any. */
import type { SeededRandom } from './random.ts';

/** Runs an action later, once; who schedules may not count on any order. */
export type Schedule = (action: () => void) => void;

/** In the order of the calls. */
export const inOrder: Schedule = (action) => queueMicrotask(action);

/**
 * In an order that the seed decides. An action waits for at least one turn of the event loop, so that those which are
 * under way at the same time are mixed.
 */
export function shuffled(random: SeededRandom): Schedule {
  const waiting: (() => void)[] = [];
  return (action) => {
    waiting.push(action);
    setImmediate(() => {
      const [picked] = waiting.splice(random.below(waiting.length), 1);
      picked?.();
    });
  };
}
