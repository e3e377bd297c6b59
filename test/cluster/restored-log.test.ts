/** A shared log that was put back to an older state: a node that has more refuses to go on with it, also when it has grown since. */
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock, systemRandom } from '../../src/clock.ts';
import { type OpenedNode, openNode } from '../../src/cluster/open-node.ts';
import type { Peers } from '../../src/cluster/node.ts';
import { StoredLog } from '../../src/shared-log/stored-log.ts';
import { eventually } from '../support/eventually.ts';
import { SeededRandom } from '../support/random.ts';
import { SimulatedLogSystem } from '../support/simulated-log-storage.ts';
import { temporaryDirectory } from '../support/test-server.ts';

const STORE_ID = Buffer.alloc(16, 7);
const REFUSAL = /an older state of the log was put back\. Keep a copy of this data directory/;

/** No node has a state to give. */
const peers: Peers = {
  snapshot: () => {
    throw new Error('there is no other node');
  },
  report: () => Promise.resolve(),
};

class SharedLogs {
  readonly #system = new SimulatedLogSystem({
    random: new SeededRandom(1),
    schedule: (act) => void setImmediate(act),
  });

  open(): StoredLog {
    return new StoredLog({ storage: this.#system.open(), clock: systemClock, random: systemRandom });
  }

  /** @returns what puts the log back to where it is now. */
  copy(): () => void {
    const { head } = this.#system;
    const records = new Map(this.#system.records);
    return () => {
      this.#system.head = head;
      this.#system.records = new Map(records);
    };
  }
}

async function makeLogs(): Promise<SharedLogs> {
  const logs = new SharedLogs();
  await logs.open().init(STORE_ID);
  return logs;
}

async function openAt(logs: SharedLogs, dataDir: string, address = 'a:1'): Promise<OpenedNode> {
  const options = { store: { dataDir }, sharedLog: logs.open(), peers, address, failoverAfterMs: 200 };
  const opened = await openNode(options, new AbortController().signal);
  onTestFinished(() => close(opened));
  return opened;
}

async function openWriter(logs: SharedLogs, dataDir: string, address?: string): Promise<OpenedNode> {
  const opened = await openAt(logs, dataDir, address);
  await eventually(() => opened.node.role).toBe('writer');
  return opened;
}

async function close({ node, store }: OpenedNode): Promise<void> {
  await node.close();
  await store.close({ snapshotMsMax: 0 });
}

async function put({ store }: OpenedNode, prefix: string, count: number): Promise<void> {
  for (let index = 0; index < count; index++) await store.put(`${prefix}${index}`, 'v'.repeat(100));
}

test('it is refused while it is behind a node, and when another one has written past that', async () => {
  const logs = await makeLogs();
  const [dirOfA, dirOfB] = [await temporaryDirectory(), await temporaryDirectory()];
  const a = await openWriter(logs, dirOfA);
  await put(a, 'old', 5);
  const b = await openAt(logs, dirOfB, 'b:1');
  await b.node.readBarrier();
  await close(b);
  const putBack = logs.copy();
  await put(a, 'lost', 10);
  await close(a);
  putBack();
  await expect(openAt(logs, dirOfA)).rejects.toThrow(REFUSAL);

  const next = await openWriter(logs, dirOfB, 'b:1');
  while (next.node.status().position <= a.node.status().position + 1) await put(next, 'new', 1);
  await expect(openAt(logs, dirOfA)).rejects.toThrow(REFUSAL);
  // What was acknowledged since stays.
  await put(next, 'more', 1);
  expect((await next.store.get('new0')).entry).toBeDefined();
});

test('a node whose disk is damaged as well keeps what it has', async () => {
  const logs = await makeLogs();
  const putBack = logs.copy();
  const dataDir = await temporaryDirectory();
  const a = await openWriter(logs, dataDir);
  await put(a, 'a', 50);
  await a.store.snapshot();
  await put(a, 'damaged', 10);
  await close(a);
  putBack();
  const [segment = ''] = (await readdir(join(dataDir, 'log'))).filter((name) => name.endsWith('.log'));
  const path = join(dataDir, 'log', segment);
  const bytes = await readFile(path);
  const at = bytes.lastIndexOf('damaged5') + 20;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, bytes);
  const filesOf = async (): Promise<string[][]> => [
    await readdir(join(dataDir, 'log')),
    await readdir(join(dataDir, 'snapshots')),
  ];
  const before = await filesOf();
  await expect(openAt(logs, dataDir)).rejects.toThrow(/is damaged.*an older state of the log was put back/s);
  expect(await filesOf()).toEqual(before);
});
