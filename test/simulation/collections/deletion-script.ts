/**
 * A script of collections that are deleted, and swept once history has passed them, while the newest snapshot is from before: a
 * start has their elements back with that snapshot and forgets them again, and then no state may show a collection that lacks
 * them. History goes by its age: that begins anew at a start, which so has no other reason to reach less far back.
 */
import type { Store } from '../../../src/api.ts';
import { fixed } from '../../../src/limits.ts';
import { SWEPT_KEYS } from '../../../src/store/collections/collection-keys.ts';
import type { Machine } from '../machine.ts';
import { type Script, SMALL_PLAN, snapshot } from '../sweep.ts';
import { checkOldContents, checkVisibleContents } from './collection-checks.ts';
import { type Item, NAMES } from './content.ts';
import { partsOf } from './opened-store.ts';
import type { Step } from './steps.ts';

const HISTORY_AGE_MS = 60_000;

/** How many of the old states could be read that a start has found. */
export interface ReadStates {
  count: number;
}

export function deletionScript(readStates: ReadStates): Script {
  return {
    plan: {
      ...SMALL_PLAN,
      limits: { ...SMALL_PLAN.limits, historyAgeMs: HISTORY_AGE_MS },
      isHistoryKept: false,
    },
    runRound,
    check: (machine, store) => {
      const { revision } = machine.ledger.model;
      checkVisibleContents(store, machine.ledger);
      const { oldestRevision } = partsOf(store).durable.status();
      for (let old = Math.max(1, oldestRevision); old <= revision; old++) {
        checkOldContents(store, machine.ledger, old);
        readStates.count++;
      }
    },
  };
}

async function runRound(machine: Machine, store: Store, round: number): Promise<void> {
  const { ledger, scheduler } = machine;
  const change = (...steps: Step[]): Promise<void> => ledger.call(store, { kind: 'collections', steps });
  const put = (key: string): Promise<void> =>
    ledger.call(store, { kind: 'put', key, value: Buffer.from(`${key} of round ${round}`), options: {} });
  await Promise.all([
    change({ kind: 'change', key: 'h1', type: 'hash', removed: [], added: items(round) }),
    change({ kind: 'change', key: 'z1', type: 'sortedSet', removed: [], added: scores(round) }),
    change({ kind: 'push', key: 'l1', elements: items(round).map(([, value]) => value) }),
    put('a'),
  ]);
  await snapshot(machine, store);
  await change(
    { kind: 'change', key: 'h1', type: 'hash', removed: NAMES.slice(0, 3), added: [] },
    { kind: 'rename', from: 'z1', to: 'z2', replaces: true },
  );
  await Promise.all([change({ kind: 'remove', key: 'h1' }), put('l1'), put('b')]);
  await change({ kind: 'remove', key: 'z2' });
  await put('c');
  // All of it is older than history is kept, when a timer of the store next looks.
  scheduler.advance(2 * HISTORY_AGE_MS);
  await scheduler.sleep(2 * fixed.historyCheckMs);
  await put('d');
  // The look at the history behind this is what sweeps.
  while (machine.engine.count(SWEPT_KEYS) > 0) await scheduler.sleep(fixed.historyCheckMs);
  await put('e');
}

function items(round: number): Item[] {
  return NAMES.map((name): Item => [name, `${name} of round ${round}`]);
}

function scores(round: number): Item[] {
  return NAMES.map((name, index): Item => [name, `${index * round}`]);
}
