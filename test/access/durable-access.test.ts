/** Access as it lies on disk: it survives what the entries of users survive, and what can't be understood is never passed over. */
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Access } from '../../src/access/access.ts';
import { accessKey, accessKind } from '../../src/access/records/access-keys.ts';
import * as records from '../../src/access/records/access-records.ts';
import type { KvStore } from '../../src/kv/kv-store.ts';
import { openUncheckedStore } from '../../src/kv/open-store.ts';
import { writeBackupFile } from '../../src/offline/backup-file.ts';
import { restore } from '../../src/offline/restore.ts';
import { verifyDirectory } from '../../src/offline/verify/verify.ts';
import { importFrom } from '../../src/transfer/import.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { engineOfTests, optionsOfEngine } from '../support/test-engine.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { engineOfStore } from '../store/model/engine-of-harness.ts';
import { NO_PROGRESS } from '../offline/folders.ts';

const DATA = '/data';
const engine = engineOfTests() ?? 'memory';
const password = {
  salt: Buffer.alloc(16, 1),
  hash: Buffer.alloc(32, 2),
  cost: 16_384,
  blockSize: 8,
  parallelization: 5,
};
const grant = {
  start: Buffer.from('a'),
  end: Buffer.from('b'),
  mayRead: true,
  mayWrite: false,
  isAdmin: false,
};

type Step = (store: KvStore, access: Access) => Promise<unknown>;

const steps: readonly Step[] = [
  (_, access) => access.change((draft) => records.createRole(draft, 'reader')),
  (_, access) => access.change((draft) => records.addGrant(draft, 'reader', grant)),
  (_, access) =>
    access.change((draft) => records.createUser(draft, 'root', { password, roles: [], nowMs: 1 })),
  (store) => store.snapshot(),
  (_, access) =>
    access.change((draft) => records.createUser(draft, 'ann', { password, roles: ['reader'], nowMs: 2 })),
  (_, access) =>
    access.change((draft) =>
      records.createToken(draft, 'ci', {
        hash: Buffer.alloc(32, 3),
        user: 'ann',
        createTimeMs: 3,
        expireTimeMs: 0,
      }),
    ),
  (store) => store.put('a key of a user', 'x'),
  (store) => store.compact(4),
  (store) => store.snapshot(),
  (_, access) => access.change((draft) => records.setPassword(draft, 'ann', undefined)),
  // Takes the role from its user, in one transaction.
  (_, access) => access.change((draft) => records.deleteRole(draft, 'reader')),
  // Takes the token along.
  (_, access) => access.change((draft) => records.deleteUser(draft, 'ann')),
];

async function openOn(disk: SimulatedDisk): Promise<{ readonly store: KvStore; readonly access: Access }> {
  const [clock, random] = [new ManualClock(), new SeededRandom(2)];
  const options = { dataDir: DATA, disk, clock, random, fsync: 'always' } as const;
  const store = await openUncheckedStore({ ...options, ...engineOfStore() });
  return { store, access: new Access({ store, clock, random }) };
}

/** All that is kept of access. */
function shown(store: KvStore): string {
  return JSON.stringify(
    store.readVisible((view) => [records.users(view), records.roles(view), records.tokens(view)]),
  );
}

/** What is kept after each number of steps. */
async function statesOf(): Promise<string[]> {
  const { store, access } = await openOn(new SimulatedDisk({ seed: 1 }));
  const states = [shown(store)];
  for (const step of steps) {
    await step(store, access);
    states.push(shown(store));
  }
  await store.close();
  return states;
}

// SQLite's file is on the real disk, which no simulated crash takes back.
const crashes = engine === 'btree' ? [] : (['losePower', 'endProcess'] as const);

describe.each(crashes)('after a crash (%s) at any call of the disk', (end) => {
  it('access is what was acknowledged, or what was under way as a whole', { timeout: 300_000 }, async () => {
    const states = await statesOf();
    const found = new Set<number>();
    for (let calls = 0, hasCrashed = true; hasCrashed; calls++) {
      let callsLeft = Number.POSITIVE_INFINITY;
      let after: SimulatedDisk | undefined;
      const disk = new SimulatedDisk({
        seed: calls,
        schedule: (action) =>
          queueMicrotask(() => {
            if (callsLeft-- === 0) after = disk[end]();
            action();
          }),
      });
      const { store, access } = await openOn(disk);
      callsLeft = calls;
      let done = 0;
      try {
        for (; done < steps.length; done++) await steps[done]?.(store, access);
      } catch {
        // The disk is gone.
      }
      callsLeft = Number.POSITIVE_INFINITY;
      await store.close().catch(() => undefined);
      hasCrashed = after !== undefined;
      const again = await openOn(after ?? disk[end]());
      expect([states[done], states[done + 1]]).toContain(shown(again.store));
      expect(again.access.table.isClosed).toBe(shown(again.store).includes('"root"'));
      found.add(done);
      await again.store.close();
    }
    expect(found.size).toBeGreaterThan(steps.length - 2);
  });
});

/** A store in a folder, with all steps but the last three. */
async function filledFolder(options = optionsOfEngine()): Promise<{
  readonly dataDir: string;
  readonly store: KvStore;
  readonly state: string;
}> {
  const dataDir = join(await temporaryDirectory(), 'data');
  const [clock, random] = [new ManualClock(), new SeededRandom(2)];
  const store = await openUncheckedStore({ dataDir, clock, random, fsync: 'never', ...options });
  onTestFinished(() => store.close());
  const access = new Access({ store, clock, random });
  for (const step of steps.slice(0, -3)) await step(store, access);
  return { dataDir, store, state: shown(store) };
}

async function shownOf(dataDir: string): Promise<string> {
  const store = await openUncheckedStore({ dataDir, fsync: 'never', ...optionsOfEngine() });
  const state = shown(store);
  await store.close();
  return state;
}

it('a backup and what is restored of it have the users, roles and tokens', async () => {
  const { dataDir, store, state } = await filledFolder();
  expect(state).toContain('"ann"');
  const backupPath = `${dataDir}.backup`;
  await writeBackupFile(backupPath, store.backup(), NO_PROGRESS);
  await store.close();
  await restore({ backupPath, dataDir: `${dataDir}-again`, logPaths: [], engine }, NO_PROGRESS);
  expect(await shownOf(`${dataDir}-again`)).toBe(state);
  expect(await shownOf(dataDir)).toBe(state);
  expect((await verifyDirectory(dataDir, NO_PROGRESS)).damages).toEqual([]);
});

it('an older state is restored with the access of its time', async () => {
  const { dataDir, store, state } = await filledFolder();
  const backupPath = `${dataDir}.backup`;
  await writeBackupFile(backupPath, store.backup(), NO_PROGRESS);
  const { revision } = await store.status();
  const access = new Access({ store, clock: new ManualClock(), random: new SeededRandom(3) });
  await access.change((draft) => records.deleteUser(draft, 'ann'));
  await store.close();
  const logPaths = [dataDir];
  await restore({ backupPath, dataDir: `${dataDir}-old`, logPaths, revision, engine }, NO_PROGRESS);
  expect(await shownOf(`${dataDir}-old`)).toBe(state);
  await restore({ backupPath, dataDir: `${dataDir}-new`, logPaths, engine }, NO_PROGRESS);
  expect(await shownOf(`${dataDir}-new`)).not.toContain('"ann"');
});

it('an import of a backup makes no user, and no key of what is kept of one', async () => {
  const { dataDir, store } = await filledFolder();
  const backupPath = `${dataDir}.backup`;
  await writeBackupFile(backupPath, store.backup(), NO_PROGRESS);
  const { store: other } = await openOn(new SimulatedDisk({ seed: 1 }));
  onTestFinished(() => other.close());
  expect(await importFrom(other, backupPath)).toMatchObject({ entryCount: 1, writtenCount: 1 });
  const { entries } = await other.scan({});
  expect(entries.map(({ key, keyBytes }) => keyBytes ?? key)).toEqual(['a key of a user']);
  expect(shown(other)).toBe('[[],[],[]]');
});

describe('a record that no store writes', () => {
  const userKey = accessKey(accessKind.user, 'ann');
  const cases: readonly (readonly [what: string, key: Uint8Array, value: Uint8Array, message: RegExp])[] = [
    [
      'of no form',
      userKey,
      Buffer.from([0xff, 0xff]),
      /the user ann, as the store keeps it, can not be understood/,
    ],
    [
      'of a token whose hash is short',
      accessKey(accessKind.token, 'ci'),
      Buffer.from([0x0a, 1, 0x41, 0x12, 1, 0x61]),
      /the token ci, .* \(its hash is none\); .* run kelp access reset/,
    ],
    [
      'of a role that grants nothing',
      accessKey(accessKind.role, 'reader'),
      Buffer.from([0x0a, 0]),
      /the role reader, .* \(one of its grants is for nothing\)/,
    ],
    ['of another kind', Buffer.from([0xfc, 9, 0x61]), Buffer.alloc(0), /of no kind that this version knows/],
  ];

  it.each(cases)('%s stops the start, and kelp verify finds it', async (_, key, value, message) => {
    const { dataDir, store } = await filledFolder();
    await store.transact((view) => view.put(key, value));
    const clock = new ManualClock();
    const open = (): Access => new Access({ store, clock, random: new SeededRandom(3) });
    expect(open).toThrow(
      expect.objectContaining({ code: 'damaged', message: expect.stringMatching(message) }),
    );
    await expect(writeBackupFile(`${dataDir}.backup`, store.backup(), NO_PROGRESS)).rejects.toThrow(message);
    await store.snapshot();
    await store.close();

    const { damages } = await verifyDirectory(dataDir, NO_PROGRESS);
    // In the log and in the snapshot, or what an engine on disk has in its place.
    expect(damages.map(({ what }) => what)).toEqual([
      expect.stringMatching(message),
      expect.stringMatching(message),
    ]);
  });

  it.each(['btree', 'lsm', 'bitcask'] as const)('is found in the files of %s, too', async (name) => {
    const { dataDir, store } = await filledFolder({ engine: name });
    await store.transact((view) => view.put(userKey, Buffer.from([0xff, 0xff])));
    await store.snapshot();
    await store.close();
    const { damages, recovery } = await verifyDirectory(dataDir, NO_PROGRESS);
    const ofFiles = damages.filter(({ file }) => file.startsWith(`${dataDir}/base/`));
    expect(ofFiles.map(({ what }) => what)).toEqual([expect.stringMatching(/^the user ann, as the store/)]);
    expect(recovery.kind).toBe('stops');
  });
});
