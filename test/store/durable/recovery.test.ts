/** A store whose engine keeps its state on disk comes back from its newest checkpoint and the log above it, or is refused. */
import { describe, expect, it } from 'vitest';
import { encodeNotes } from '../../../src/store/checkpoints/checkpoint-notes.ts';
import { openStore } from '../../../src/kv/open-store.ts';
import { allPairs, refused, valueOf } from '../model/readable.ts';
import { DATA_DIR, LOG_DIR, MemoryHarness, SNAPSHOT_DIR } from '../model/store-harness.ts';
import { Bases, openLayered } from './layered-store.ts';

const SMALL = { segmentBytes: 4096, logRetentionBytes: 0, logRetentionMs: 0 };

describe('a store over an engine on disk', () => {
  it('has everything again after a crash: keys of the checkpoint, and of the log above it', async () => {
    const { harness, bases } = await openLayered({ limits: SMALL });
    for (let index = 0; index < 300; index++) await harness.store.put(`k${index % 50}`, `${index}`);
    await harness.store.delete('k7');
    const { revision } = await harness.store.snapshot();
    expect(revision).toBe(301);
    for (let index = 0; index < 100; index++) await harness.store.put(`k${index % 60}`, `new ${index}`);
    await harness.store.delete('k8');
    const before = await allPairs(harness.store);
    const status = await harness.store.status();
    await harness.crash('losePower');
    expect(bases.newest.revision).toBe(301);
    expect(await allPairs(harness.store)).toEqual(before);
    expect(await harness.store.status()).toMatchObject({
      revision: status.revision,
      incarnation: status.incarnation,
      keyCount: status.keyCount,
      oldestRevision: 301,
      snapshotCount: 0,
      snapshotRevision: 0,
    });
    expect(harness.events.at(-1)).toMatchObject({ kind: 'recovered', snapshotRevision: 301 });
    await refused(harness.store.get('k1', { revision: 300 }), 'revisionCompacted');
    expect(await valueOf(harness.store, 'k49', 301)).toBe('299');
  });

  it('keeps no snapshot, and cuts the log', async () => {
    const { harness } = await openLayered({ limits: SMALL });
    const value = 'v'.repeat(1000);
    for (let index = 0; index < 40; index++) await harness.store.put(`k${index}`, value);
    const { segmentCount } = await harness.store.status();
    expect(segmentCount).toBeGreaterThan(5);
    await harness.store.snapshot();
    expect((await harness.store.status()).segmentCount).toBeLessThanOrEqual(2);
    expect(await harness.disk.list(SNAPSHOT_DIR)).toEqual([]);
    await harness.crash('losePower');
    expect((await allPairs(harness.store)).length).toBe(40);
  });

  it('knows leases and their keys, those of the checkpoint and those that changed since', async () => {
    const { harness } = await openLayered({ limits: SMALL });
    const { store } = harness;
    await store.grantLease(10_000, 1);
    await store.grantLease(20_000, 2);
    await store.put('one', '', { leaseId: 1 });
    await store.put('two', '', { leaseId: 2 });
    await store.put('moved', '', { leaseId: 1 });
    await store.snapshot();
    await store.put('moved', '', { leaseId: 2 });
    await harness.advance(4000);
    await store.grantLease(30_000, 3);
    await harness.crash('endProcess');
    expect(await harness.store.getLease(1, { includeKeys: true })).toMatchObject({ keys: ['one'] });
    expect(await harness.store.getLease(2, { includeKeys: true })).toMatchObject({ keys: ['moved', 'two'] });
    expect(await harness.store.getLease(3)).toMatchObject({ keyCount: 0 });
    await harness.advance(10_000);
    await refused(harness.store.getLease(1), 'leaseNotFound');
    expect(await allPairs(harness.store)).toEqual(['moved=', 'two=']);
  });

  it('keeps a collection swept that was swept behind the checkpoint', async () => {
    const { harness, bases } = await openLayered({ limits: { ...SMALL, historyRevisionsMax: 2 } });
    const fields = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`f${index}`, 'v']));
    await harness.store.hash.set('h', fields);
    await harness.store.snapshot();
    expect(bases.newest.size).toBe(301);
    await harness.store.delete('h');
    for (let index = 0; index < 5; index++) await harness.store.put('k', `${index}`);
    await harness.advance(20_000);
    await harness.crash('losePower');
    await harness.store.snapshot();
    expect(await allPairs(harness.store)).toEqual(['k=4']);
    expect(bases.newest.size).toBe(1);
  });

  it('goes on when nothing was ever committed, from the log alone', async () => {
    const { harness, bases } = await openLayered();
    await harness.store.put('k', 'v');
    await harness.crash('losePower');
    expect(await valueOf(harness.store, 'k')).toBe('v');
    expect(bases.newest.revision).toBe(0);
  });
});

describe('a start is refused', () => {
  it('of a state of another store than the log', async () => {
    const { harness, bases } = await openLayered();
    await harness.store.put('k', 'v');
    await harness.store.snapshot();
    await harness.close();
    const other = await openLayered({ seed: 2 });
    await other.harness.store.put('k', 'w');
    await other.harness.store.snapshot();
    bases.newest = other.bases.newest;
    await expect(harness.open()).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringContaining('belongs to another store than the log'),
    });
  });

  it('of a state above the end of the log', async () => {
    // The same seed gives both stores the same id.
    const { harness, bases } = await openLayered();
    await harness.store.put('k', '1');
    await harness.close();
    const ahead = await openLayered();
    await ahead.harness.store.put('k', '1');
    await ahead.harness.store.put('k', '2');
    await ahead.harness.store.snapshot();
    bases.newest = ahead.bases.newest;
    await expect(harness.open()).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringContaining('the log ends at revision 1, but revision 2 had been reached'),
    });
  });

  it('of a state below the beginning of the log', async () => {
    const { harness, bases } = await openLayered({ limits: SMALL });
    const value = 'v'.repeat(1000);
    for (let index = 0; index < 40; index++) await harness.store.put(`k${index}`, value);
    await harness.store.snapshot();
    await harness.close();
    bases.newest = new Bases().newest;
    await expect(harness.open()).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringMatching(/keeps the state of revision 0, and the log begins at revision \d+/),
    });
  });

  it.each([
    ['no message', Buffer.from([0xff]), 'can not be understood'],
    ['no header', encodeNotes(undefined, []), 'no notes of a checkpoint are with it'],
  ])('of notes that are %s', async (_, notes, message) => {
    const { harness, bases } = await openLayered();
    await harness.store.put('k', '1');
    await harness.store.snapshot();
    await harness.close();
    const makeEngine = async (place: Parameters<typeof bases.makeEngine>[0]) => {
      const engine = await bases.makeEngine(place);
      Object.assign(engine.durable ?? {}, { notes });
      return engine;
    };
    await expect(
      openStore({ dataDir: DATA_DIR, disk: harness.disk, clock: harness.clock, engine: 'lsm', makeEngine }),
    ).rejects.toMatchObject({ code: 'damaged', message: expect.stringContaining(message) });
  });

  it('with another engine than that of the directory, which stays as it is', async () => {
    const { harness } = await openLayered();
    await harness.store.put('k', '1');
    await harness.close();
    for (const engine of ['memory', 'btree'] as const) {
      await expect(
        openStore({ dataDir: DATA_DIR, disk: harness.disk, clock: harness.clock, engine }),
      ).rejects.toMatchObject({
        code: 'invalidArgument',
        message: expect.stringContaining('of the engine lsm'),
      });
    }
    await harness.open();
    expect(await valueOf(harness.store, 'k')).toBe('1');
  });

  it('of a directory that is of memory', async () => {
    const memory = await MemoryHarness.open();
    await memory.store.put('k', '1');
    await memory.close();
    await expect(
      openStore({ dataDir: DATA_DIR, disk: memory.disk, clock: memory.clock, engine: 'lsm' }),
    ).rejects.toMatchObject({
      code: 'invalidArgument',
      message: expect.stringContaining('of the engine memory, not of lsm'),
    });
    expect(await memory.disk.list(LOG_DIR)).not.toEqual([]);
  });
});
