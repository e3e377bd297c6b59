/**
 * A shared log that was put back to an older state: a node that has more refuses to go on with it, also when it has grown since, and when
 * positions and epochs are the same as before.
 */
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock, systemRandom } from '../../src/clock.ts';
import { type OpenedNode, openNode } from '../../src/cluster/open-node.ts';
import type { Peers } from '../../src/cluster/node.ts';
import { encodePlace } from '../../src/cluster/journal/place-note.ts';
import { replaceState } from '../../src/cluster/late/replace-state.ts';
import { nodeDisk } from '../../src/disk/node-disk.ts';
import type { ClusterEvent } from '../../src/cluster/cluster-event.ts';
import { StoredLog } from '../../src/shared-log/stored-log.ts';
import { stored, won } from '../shared-log/world.ts';
import { eventually } from '../support/eventually.ts';
import { SeededRandom } from '../support/random.ts';
import { SimulatedLogSystem } from '../support/simulated-log-storage.ts';
import { temporaryDirectory } from '../support/test-server.ts';

const STORE_ID = Buffer.alloc(16, 7);
const REFUSAL = /an older state of the log was put back\. Keep a copy of this data directory/;

/** No node has a state to give. */
const noPeers: Peers = {
  snapshot: () => {
    throw new Error('there is no other node');
  },
  report: () => Promise.resolve(),
};

interface OpenChanges {
  readonly address?: string;
  readonly peers?: Peers;
  readonly failoverAfterMs?: number;
  readonly onEvent?: (event: ClusterEvent) => void;
  readonly signal?: AbortSignal;
}

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

async function openAt(logs: SharedLogs, dataDir: string, changes: OpenChanges = {}): Promise<OpenedNode> {
  const { signal = new AbortController().signal, ...given } = { address: 'a:1', peers: noPeers, ...changes };
  const options = { store: { dataDir }, sharedLog: logs.open(), failoverAfterMs: 200, ...given };
  const opened = await openNode(options, signal);
  onTestFinished(() => close(opened));
  return opened;
}

async function openWriter(logs: SharedLogs, dataDir: string, changes?: OpenChanges): Promise<OpenedNode> {
  const opened = await openAt(logs, dataDir, changes);
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
  const b = await openAt(logs, dirOfB, { address: 'b:1' });
  await b.node.readBarrier();
  await close(b);
  const putBack = logs.copy();
  await put(a, 'lost', 10);
  await close(a);
  putBack();
  await expect(openAt(logs, dirOfA)).rejects.toThrow(REFUSAL);

  const next = await openWriter(logs, dirOfB, { address: 'b:1' });
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

/** A log with two histories of the same epochs, which are one until `b` has gone on in the one and `a` in the other. */
interface TwoHistories {
  readonly logs: SharedLogs;
  readonly dirOfA: string;
  /** The writer, in the history that is there. */
  readonly a: OpenedNode;
  /** Puts the longer one in place of that of `a`. */
  readonly swap: () => void;
  /** Of a node that has only what is in both. */
  readonly dirOfC: string;
}

async function twoHistories(): Promise<TwoHistories> {
  const logs = await makeLogs();
  const [dirOfA, dirOfB, dirOfC] = [
    await temporaryDirectory(),
    await temporaryDirectory(),
    await temporaryDirectory(),
  ];
  const first = await openWriter(logs, dirOfA);
  await put(first, 'old', 5);
  for (const [dataDir, address] of [
    [dirOfB, 'b:1'],
    [dirOfC, 'c:1'],
  ] as const) {
    const follower = await openAt(logs, dataDir, { address, failoverAfterMs: 60_000 });
    await follower.node.readBarrier();
    await close(follower);
  }
  await close(first);
  const putBack = logs.copy();
  const b = await openWriter(logs, dirOfB, { address: 'b:1' });
  await put(b, 'new', 100);
  await close(b);
  const swap = logs.copy();
  const { epoch } = await logs.open().head();
  putBack();
  const a = await openWriter(logs, dirOfA);
  await put(a, 'lost', 10);
  expect(a.node.status().epoch).toBe(epoch);
  return { logs, dirOfA, a, swap, dirOfC };
}

async function filesIn(dataDir: string): Promise<string[][]> {
  const folders = ['log', 'snapshots'].map((folder) => readdir(join(dataDir, folder)));
  return (await Promise.all(folders)).map((names) => names.sort());
}

describe('a log that was put back and has the same epochs again', () => {
  test('is refused by a node that starts from its cache', async () => {
    const { logs, dirOfA, a, swap } = await twoHistories();
    await close(a);
    swap();
    const before = await filesIn(dirOfA);
    await expect(openAt(logs, dirOfA)).rejects.toThrow(REFUSAL);
    expect(await filesIn(dirOfA)).toEqual(before);
  });

  test('is refused by a node that starts from a snapshot alone', async () => {
    const { logs, a, swap } = await twoHistories();
    const dataDir = await temporaryDirectory();
    const directory = { disk: nodeDisk, clock: systemClock, dataDir, onEvent: () => undefined };
    await replaceState(directory, { storeId: STORE_ID, position: 1, name: 'a backup' }, a.store.backup());
    await close(a);
    swap();
    await expect(openAt(logs, dataDir)).rejects.toThrow(REFUSAL);
  });

  test('ends its writer, and those that follow that, which are refused then', async () => {
    const { logs, dirOfA, dirOfC, a, swap } = await twoHistories();
    const c = await openAt(logs, dirOfC, { address: 'c:1', failoverAfterMs: 60_000 });
    await c.node.readBarrier();
    swap();
    await expect(a.store.put('more', '1')).rejects.toMatchObject({ code: 'storageFailed' });
    await Promise.all([a.node.ended, c.node.ended]);
    for (const { store } of [a, c]) {
      expect((await store.get('lost9')).entry).toBeDefined();
      expect((await store.get('new0')).entry).toBeUndefined();
    }
    for (const opened of [a, c]) await close(opened);
    await expect(openAt(logs, dirOfA)).rejects.toThrow(REFUSAL);
    await expect(openAt(logs, dirOfC, { address: 'c:1' })).rejects.toThrow(REFUSAL);
  });

  test('has no snapshot of the other history put in place of what a late node has', async () => {
    const { logs, dirOfC, a, swap } = await twoHistories();
    const { position } = a.node.status();
    const pieces: Uint8Array[] = [];
    for await (const piece of a.store.backup()) pieces.push(piece);
    await close(a);
    swap();
    const log = logs.open();
    await log.trim(position);
    // Whom to ask is found behind what is trimmed.
    won(await log.takeOver(await log.head(), 'b:1'));
    const before = await filesIn(dirOfC);
    const failed = Promise.withResolvers<Error>();
    const end = new AbortController();
    const opening = openAt(logs, dirOfC, {
      address: 'c:1',
      peers: { ...noPeers, snapshot: () => iterated(pieces) },
      onEvent: (event) => {
        if (event.kind === 'fetchFailed') failed.resolve(event.error);
      },
      signal: end.signal,
    });
    opening.catch(() => undefined);
    expect((await failed.promise).message).toMatch(/is of another history than the shared log/);
    end.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');
    expect(await filesIn(dirOfC)).toEqual(before);
  });

  test('is not taken over by a node whose own place is the last one', async () => {
    const logs = await makeLogs();
    const putBack = logs.copy();
    await writeRaw(logs, 'y:1');
    const swap = logs.copy();
    putBack();
    await writeRaw(logs, 'x:1');
    const follower = await openAt(logs, await temporaryDirectory(), { failoverAfterMs: 1000 });
    await follower.node.readBarrier();
    swap();
    await follower.node.ended;
    expect((await logs.open().head()).epoch).toBe(1);
  });
});

/** Some records of a writer that says no more then. */
async function writeRaw(logs: SharedLogs, writerAddress: string): Promise<void> {
  const log = logs.open();
  let head = won(await log.takeOver(await log.head(), writerAddress));
  while (head.position < 5) {
    const note = encodePlace({ position: head.position + 1, epoch: 1, checksum: 0, writerAddress });
    head = stored(await log.append(head, note));
  }
}

async function* iterated(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}
