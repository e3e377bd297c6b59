/**
 * Nodes that are stopped in order and come back, one after the other, as in an upgrade, and clusters that grow and shrink: clients that know
 * several nodes see no call fail. In part of the time the first test alone.
 */
import { expect, test } from 'vitest';
import { type KelpClient, createClient } from '../../../src/client/client.ts';
import { openClients } from '../../crash/clients.ts';
import { rounds } from '../../support/share.ts';
import { NodeCluster } from './node-cluster.ts';
import { TIMEOUT_MS } from './survive.ts';

const WORKERS = 8;
const CALLS = 100;

/** Clients that write and read, each its own key, and repeat what clients repeat by themselves. */
class SteadyLoad {
  doneCount = 0;
  readonly failures: unknown[] = [];
  readonly #stop = new AbortController();
  readonly #ended: Promise<unknown>;

  constructor(clients: readonly KelpClient[]) {
    this.#ended = Promise.all(
      Array.from({ length: WORKERS }, async (_, index) => {
        const client = clients[index % clients.length];
        if (client === undefined) throw new Error('a load needs a client');
        for (let count = 1; !this.#stop.signal.aborted; count++)
          await this.#call(client, `worker/${index}`, count);
      }),
    );
  }

  /** Resolves when so many more calls have been answered. */
  async goesOn(calls = CALLS): Promise<void> {
    const wanted = this.doneCount + calls;
    await expect.poll(() => this.doneCount >= wanted, { timeout: TIMEOUT_MS }).toBe(true);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #call(client: KelpClient, key: string, count: number): Promise<void> {
    try {
      await client.put(key, String(count));
      const { entry } = await client.get(key);
      if (entry?.text() !== String(count)) this.failures.push(`${key} is ${entry?.text()}, not ${count}`);
      this.doneCount++;
    } catch (error) {
      this.failures.push(error);
    }
  }
}

function openLoad(addresses: readonly string[]): { readonly load: SteadyLoad; readonly client: KelpClient } {
  const { reader } = openClients(addresses);
  const clients = addresses.map((_address, index) =>
    openClients([...addresses.slice(index), ...addresses.slice(0, index)]),
  );
  return { load: new SteadyLoad(clients.map((each) => each.reader)), client: reader };
}

test('no call fails while each node is stopped and comes back', { timeout: TIMEOUT_MS }, async () => {
  const cluster = await NodeCluster.start();
  const { load } = openLoad(cluster.addresses);
  await load.goesOn();
  for (const node of cluster.nodes) {
    await node.end('SIGTERM');
    await load.goesOn();
    await node.start();
    await load.goesOn();
  }
  await load.stop();
  expect(load.failures).toEqual([]);
});

test.runIf(rounds(4) > 1)(
  'a cluster grows by a node and shrinks by its writer, and no call fails',
  { timeout: TIMEOUT_MS },
  async () => {
    const cluster = await NodeCluster.start();
    const { load, client } = openLoad(cluster.addresses);
    await load.goesOn();

    const more = await cluster.add();
    await more.start();
    const { revision } = await client.get('worker/0');
    await using atMore = createClient({ address: more.address, deadlineMs: 60_000 });
    const options = { consistency: 'local', minRevision: revision, revision } as const;
    const there = await client.scan({}, { revision }).toArray();
    expect((await atMore.scan({}, options).toArray()).map(({ key }) => key)).toEqual(
      there.map(({ key }) => key),
    );
    await expect.poll(() => known(cluster), { timeout: TIMEOUT_MS }).toEqual([...cluster.addresses].sort());

    const writer = await cluster.writer();
    await cluster.remove(writer);
    await load.goesOn();
    // Once it was silent for long enough it counts no more for what is kept.
    await expect.poll(() => known(cluster), { timeout: TIMEOUT_MS }).toEqual([...cluster.addresses].sort());
    await load.stop();
    expect(load.failures).toEqual([]);
  },
);

/** The nodes of which the writer knows. */
async function known(cluster: NodeCluster): Promise<readonly string[]> {
  const { address } = await cluster.writer();
  await using client = createClient({ address });
  const { members } = await client.cluster.members();
  return members.map((member) => member.address).sort();
}
