/** Writes of all kinds by chance, on few keys and leases and with short times, so that they meet. */
import type { Operation } from '../../../src/api.ts';
import { StoreError } from '../../../src/errors.ts';
import type { KvStore } from '../../../src/kv/kv-store.ts';
import type { SeededRandom } from '../../support/random.ts';

const KEYS = ['a', 'b', 'c', 'd', 'da', 'db', '\uffff'];
const LEASES = [1, 2, 3];
const TTLS = [200, 900, 4000];
const COLLECTIONS = { hash: 'h', list: 'l', set: 's', sortedSet: 'z', hll: 'y', bloom: 'f' };
/** So many long elements do not fit into the metadata. */
const MEMBERS = Array.from({ length: 24 }, (_, index) => `member-${index}-`.padEnd(60, 'x'));

type Write = (kv: KvStore, random: SeededRandom) => Promise<unknown>;

const keyOf = (random: SeededRandom): string => random.pick(KEYS);
const ttlOf = (random: SeededRandom): { ttlMs?: number } =>
  random.chance(0.4) ? { ttlMs: random.pick(TTLS) } : {};
const leaseOf = (random: SeededRandom): { leaseId?: number } =>
  random.chance(0.3) ? { leaseId: random.pick(LEASES) } : {};
const someMembers = (random: SeededRandom): string[] =>
  Array.from({ length: random.between(1, 14) }, () => random.pick(MEMBERS));

function operationOf(random: SeededRandom): Operation {
  const key = keyOf(random);
  switch (random.below(4)) {
    case 0:
      return { kind: 'put', key, value: `${random.below(1000)}`, ...ttlOf(random), ...leaseOf(random) };
    case 1:
      return { kind: 'delete', key };
    case 2:
      return { kind: 'increment', key, delta: BigInt(random.below(9)) };
    default:
      return { kind: 'get', key };
  }
}

const writes: readonly (readonly [weight: number, Write])[] = [
  [
    8,
    (kv, random) => kv.put(keyOf(random), `${random.below(1000)}`, { ...ttlOf(random), ...leaseOf(random) }),
  ],
  // Rows of puts are applied without a draft for each.
  [2, (kv, random) => Promise.all(Array.from({ length: 8 }, () => kv.put(keyOf(random), 'row')))],
  [3, (kv, random) => kv.delete(keyOf(random))],
  [1, (kv) => kv.deleteRange({ prefix: 'd' })],
  [3, (kv, random) => kv.touch(keyOf(random), ttlOf(random))],
  [2, (kv, random) => kv.increment(keyOf(random), random.below(9))],
  [
    4,
    (kv, random) =>
      kv.txn({ success: Array.from({ length: random.between(1, 6) }, () => operationOf(random)) }),
  ],
  [2, (kv, random) => kv.grantLease(random.pick([1500, 6000]), random.pick(LEASES))],
  [2, (kv, random) => kv.renewLease(random.pick(LEASES))],
  [1, (kv, random) => kv.revokeLease(random.pick(LEASES))],
  [
    3,
    (kv, random) =>
      kv.hash.set(
        COLLECTIONS.hash,
        new Map(someMembers(random).map((name) => [name, `${random.below(9)}`])),
        ttlOf(random),
      ),
  ],
  // Calls to one spread collection, one behind the other, go together.
  [
    2,
    (kv, random) =>
      Promise.all(MEMBERS.map((name) => kv.hash.set(COLLECTIONS.hash, { [name]: `${random.below(99)}` }))),
  ],
  [2, (kv, random) => kv.hash.delete(COLLECTIONS.hash, someMembers(random))],
  [
    2,
    (kv, random) =>
      kv.list.push(COLLECTIONS.list, someMembers(random), { end: random.pick(['head', 'tail'] as const) }),
  ],
  [2, (kv, random) => kv.list.pop(COLLECTIONS.list, { limit: random.between(1, 6) })],
  [2, (kv, random) => kv.set.add(COLLECTIONS.set, someMembers(random), ttlOf(random))],
  [1, (kv, random) => kv.set.remove(COLLECTIONS.set, someMembers(random))],
  [
    3,
    (kv, random) =>
      kv.sortedSet.add(
        COLLECTIONS.sortedSet,
        new Map(someMembers(random).map((name) => [name, random.below(50)])),
        ttlOf(random),
      ),
  ],
  [1, (kv, random) => kv.sortedSet.remove(COLLECTIONS.sortedSet, someMembers(random))],
  [1, (kv, random) => kv.sketch.hllAdd(COLLECTIONS.hll, someMembers(random))],
  [1, (kv) => kv.sketch.bloomCreate(COLLECTIONS.bloom, { capacity: 2000 })],
  [1, (kv, random) => kv.sketch.bloomAdd(COLLECTIONS.bloom, someMembers(random))],
  // Whole collections go by a delete, an overwrite and their time.
  [2, (kv, random) => kv.delete(random.pick(Object.values(COLLECTIONS)))],
  [1, (kv, random) => kv.put(random.pick(Object.values(COLLECTIONS)), 'plain')],
  [1, (kv, random) => kv.touch(random.pick(Object.values(COLLECTIONS)), { ttlMs: random.pick(TTLS) })],
];

const weightSum = writes.reduce((sum, [weight]) => sum + weight, 0);

/** One of them; what the store refuses has changed nothing, and is as good. */
export async function writeSomething(kv: KvStore, random: SeededRandom): Promise<void> {
  let left = random.below(weightSum);
  for (const [weight, write] of writes) {
    left -= weight;
    if (left >= 0) continue;
    try {
      await write(kv, random);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
    return;
  }
}
