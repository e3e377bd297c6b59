/** The table of keys that clients have read, beside a model of it. */
import { expect, test } from 'vitest';
import { TrackedKeys } from '../../../../src/server/redis/tracking/tracked-keys.ts';
import { SeededRandom } from '../../../support/random.ts';

type Client = string;

/** By key and client the oldest state that was shown. */
class Model {
  readonly shown = new Map<string, Map<Client, number>>();

  add(name: string, client: Client, revision: number): void {
    const clients = this.shown.get(name) ?? new Map<Client, number>();
    clients.set(client, Math.min(clients.get(client) ?? revision, revision));
    this.shown.set(name, clients);
  }

  changed(name: string, revision: number, stays: Client): Client[] {
    const told: Client[] = [];
    for (const [client, shown] of this.shown.get(name) ?? []) {
      if (shown >= revision) continue;
      told.push(client);
      if (client !== stays) this.shown.get(name)?.delete(client);
    }
    if (this.shown.get(name)?.size === 0) this.shown.delete(name);
    return told.toSorted();
  }

  get itemCount(): number {
    return [...this.shown.values()].reduce((sum, { size }) => sum + size, 0);
  }
}

test.each([1, 2, 3])('tells each client that was shown an older state, once, with seed %i', (seed) => {
  const random = new SeededRandom(seed);
  const keys = new TrackedKeys<Client>();
  const model = new Model();
  const name = (): string => `key ${random.below(40)}`;
  const client = (): Client => `client ${random.below(6)}`;
  for (let revision = 1; revision < 5000; revision++) {
    const kind = random.below(10);
    if (kind < 6) {
      const call = [name(), client(), Math.max(0, revision - random.below(4))] as const;
      keys.add(...call);
      model.add(...call);
    } else if (kind < 9) {
      const [changed, stays] = [name(), client()];
      const told: Client[] = [];
      const at = revision - random.below(4);
      keys.changed(changed, at, (one) => {
        told.push(one);
        return one !== stays;
      });
      expect(told.toSorted()).toEqual(model.changed(changed, at, stays));
    } else {
      const told: [string, Client][] = [];
      keys.evict(random.below(1000) / 1000, (evicted, one) => told.push([evicted, one]));
      const [evicted = ''] = told[0] ?? [];
      expect(told.map(([, one]) => one).toSorted()).toEqual(
        [...(model.shown.get(evicted)?.keys() ?? [])].toSorted(),
      );
      expect(told.every(([each]) => each === evicted)).toBe(true);
      model.shown.delete(evicted);
    }
    expect([keys.keyCount, keys.itemCount]).toEqual([model.shown.size, model.itemCount]);
  }
  while (keys.keyCount > 0) keys.evict(random.below(1000) / 1000, () => undefined);
  expect([keys.itemCount, keys.bytes]).toEqual([0, 0]);
});

test('a key that is shown again is told by the oldest state of it', () => {
  const keys = new TrackedKeys<Client>();
  const told: Client[] = [];
  const tell = (client: Client): boolean => told.push(client) > 0;
  keys.add('k', 'a', 5);
  keys.add('k', 'a', 9);
  keys.add('k', 'b', 9);
  keys.changed('k', 7, tell);
  expect(told).toEqual(['a']);
  keys.changed('k', 9, tell);
  expect(told).toEqual(['a']);
  keys.changed('k', 10, tell);
  expect(told).toEqual(['a', 'b']);
});
