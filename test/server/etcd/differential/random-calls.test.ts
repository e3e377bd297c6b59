/**
 * Random calls to Debian's etcd and to KelpDB: replies and errors must be equal, and so must be what a watch over everything tells.
 * `ETCD_SEED=7 ETCD_CALLS=1000000` begins elsewhere, and goes on for longer; a difference prints its seed and the calls before it.
 */
import { expect, onTestFinished, test } from 'vitest';
import { SeededRandom } from '../../../support/random.ts';
import { hasRealEtcd } from '../support/real-etcd.ts';
import { KEPT_HISTORY_FLAGS } from '../../../support/test-engine.ts';
import { SideBySide } from '../support/side-by-side.ts';
import { type DrawnCall, drawCall } from './drawn-calls.ts';
import { WatchedAll } from './watched-all.ts';
import { normalised } from './normalised.ts';

const { ETCD_SEED = '1', ETCD_CALLS = '10000' } = process.env;
/** One seed has so many, and begins with empty servers. */
const CALLS_PER_SEED = 5000;
const TOLD_CALLS = 6;

const seeds = Array.from(
  { length: Math.ceil(Number(ETCD_CALLS) / CALLS_PER_SEED) },
  (_, index) => Number(ETCD_SEED) + index,
);

test.runIf(hasRealEtcd).each(seeds)(
  'random calls are answered as by etcd, seed %i',
  { timeout: 300_000 },
  async (seed) => {
    const servers = await SideBySide.start(KEPT_HISTORY_FLAGS);
    const random = new SeededRandom(seed);
    const watches = await Promise.all([WatchedAll.start(servers.etcd), WatchedAll.start(servers.kelp)]);
    onTestFinished(() => {
      for (const watch of watches) watch.stop();
    });
    const seen: DrawnCall[] = [];
    let revision = 1;
    for (let made = 0; made < CALLS_PER_SEED;) {
      const calls = [drawCall(random, revision)];
      while (calls.at(-1)?.isRead === true) calls.push(drawCall(random, revision));
      // The last one writes: it goes alone, behind the reads.
      const write = calls.pop();
      for (const together of [calls, write === undefined ? [] : [write]]) {
        // What a watch has not told yet may not be compacted.
        if (together[0]?.method === 'Compact')
          await Promise.all(watches.map((watch) => watch.reached(revision)));
        const [wanted, given] = await Promise.all(
          [servers.etcd, servers.kelp].map((client) => Promise.all(together.map((call) => call.run(client)))),
        );
        for (const [index, call] of together.entries()) {
          seen.push(call);
          const right = normalised(call, wanted?.[index]);
          const why = (): string =>
            `ETCD_SEED=${seed}, after:\n${seen.slice(-TOLD_CALLS).map(told).join('\n')}`;
          expect(normalised(call, given?.[index]), why()).toEqual(right);
          revision = Math.max(revision, revisionIn(wanted?.[index]));
        }
      }
      made += calls.length + 1;
    }
    await Promise.all(watches.map((watch) => watch.reached(revision)));
    const [wanted, given] = watches.map(({ events }) => events);
    expect(given, `ETCD_SEED=${seed}`).toEqual(wanted);
  },
);

function told({ method, request }: DrawnCall): string {
  const shown = (_name: string, value: unknown): unknown => {
    if (typeof value === 'bigint') return Number(value);
    if (typeof value === 'object' && value !== null && 'data' in value && Array.isArray(value.data))
      return Buffer.from(value.data as number[]).toString();
    return value;
  };
  return `${method} ${JSON.stringify(request, shown)}`;
}

function revisionIn(outcome: unknown): number {
  const { reply } = outcome as { readonly reply?: { readonly header?: { readonly revision?: string } } };
  return Number(reply?.header?.revision ?? 0);
}
