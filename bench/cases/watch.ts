/**
 * Measures watchers and writer in this process: events a second, each counted once for every watcher that got it, and
 * the time from the call of a put to its event.
 */
import type { Store } from '../../src/index.ts';
import type { BenchCase } from '../bench-case.ts';
import { type FanOutTarget, measureFanOut } from '../load/fan-out.ts';
import { openBenchStore } from '../load/store.ts';

export const watch: BenchCase = {
  async run(context) {
    const store = await openBenchStore(context, `${context.directory}/data`, 'never');
    await measureFanOut(context, inProcess(store));
    await store.close();
  },
};

function inProcess(store: Store): FanOutTarget {
  return {
    name: 'in process',
    put: (key, value) => store.put(key, value),
    async watch(key, onEvents) {
      const leaving = new AbortController();
      const messages = store.watch({ ranges: [{ key }], signal: leaving.signal });
      await messages.next();
      const ended = (async () => {
        for await (const message of messages) if (message.kind === 'events') onEvents(message.events.length);
      })();
      return {
        stop() {
          leaving.abort();
          return ended;
        },
      };
    },
  };
}
