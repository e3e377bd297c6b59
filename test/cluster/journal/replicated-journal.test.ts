/** What a journal over a shared log puts where, and when it says that it is durable. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cluster as clusterLimits, sharedLog as limits } from '../../../src/limits.ts';
import { OvertakenError } from '../../../src/wal/segments/overtaken.ts';
import { JournalWorld, TestJournal } from './test-journal.ts';

let cluster: JournalWorld;

beforeEach(async () => {
  cluster = await JournalWorld.create();
});

afterEach(async () => {
  await cluster.close();
});

describe('a writer', () => {
  it('puts what was committed into the shared log first, and then with its place into the cache', async () => {
    const writer = await cluster.writer();
    writer.put('A');
    writer.put('B');
    writer.put('note');
    await writer.journal.flush();
    expect(await writer.read()).toEqual(['[2 1 first]', 'A', 'B', 'note']);
    const follower = await cluster.node();
    await follower.follow(2);
    expect(follower.applied.map(({ text }) => text)).toEqual(['A', 'B', 'note']);
  });

  it('counts the sequence of records without the notes of places', async () => {
    const writer = await cluster.writer();
    await writer.putStored('A', 'B');
    await writer.putStored('C');
    expect(writer.durable).toEqual([0, 2, 3]);
    expect(writer.journal.durableSequence).toBe(3);
    const { checksum } = await writer.node.log.head();
    expect(writer.journal.place).toEqual({
      position: 3,
      epoch: 1,
      checksum,
      writerAddress: 'first',
      revision: 3,
    });
  });

  it('puts nothing into the cache before the shared log has stored it', async () => {
    const writer = await cluster.writer();
    const stored = Promise.withResolvers<void>();
    writer.node.trouble.next('advance', 'dropped', () => stored.promise);
    writer.put('A');
    await cluster.world.clock.sleep(5000);
    expect(await writer.read()).toEqual([]);
    expect(writer.journal.durableSequence).toBe(0);
    stored.resolve();
    await writer.journal.flush();
    expect(await writer.read()).toEqual(['[2 1 first]', 'A']);
  });

  it('gathers what is committed while a batch is on its way', async () => {
    const writer = await cluster.writer();
    writer.put('A');
    await cluster.world.clock.pause();
    for (const text of ['B', 'C', 'D']) writer.put(text);
    await writer.journal.flush();
    expect(await writer.read()).toEqual(['[2 1 first]', 'A', '[3 1 first]', 'B', 'C', 'D']);
  });

  // Without that each of the two records is a batch of its own in all 20 rounds. In some the cache has taken longer than the wait.
  it('waits a little for those who were told, so that what they put next is one batch', async () => {
    const writer = await cluster.writer();
    const { clock } = cluster.world;
    let togetherCount = 0;
    for (let round = 0; round < 20; round++) {
      await storedSlowly(writer, 'A', 'B');
      const { position } = writer.journal.newestPlace;
      writer.put('C');
      await new Promise<void>((resolve) => clock.yieldNow(resolve));
      writer.put('D');
      await writer.journal.flush();
      if (writer.journal.newestPlace.position === position + 1) togetherCount++;
    }

    expect(togetherCount).toBeGreaterThanOrEqual(8);
  });

  it('makes no batch longer than the shared log takes', async () => {
    const writer = await cluster.writer('first', { unflushedBytesMax: 2 ** 23 });
    const third = 'X'.repeat(limits.batchBytesMax / 3);
    await writer.putStored(third, third, third, 'Z');
    const places = (await writer.read()).filter((text) => text.startsWith('['));
    expect(places).toEqual(['[2 1 first]', '[3 1 first]']);
    expect(() => writer.put('X'.repeat(limits.batchBytesMax))).toThrow(/make several smaller ones/);
  });

  it('refuses records while too much is on its way', async () => {
    const writer = await cluster.writer('first', { unflushedBytesMax: 100 });
    writer.put('X'.repeat(90));
    expect(() => writer.put('Y'.repeat(20))).toThrow(/not yet stored in the shared log/);
    expect(writer.journal.reserveRow(20)).toBeUndefined();
    await writer.journal.flush();
    await writer.putStored('Y'.repeat(20));
    expect(writer.journal.lastRevision).toBe(2);
  });

  it('tries the same batch again while the shared log gives no answer', async () => {
    const writer = await cluster.writer();
    for (const trouble of ['lost', 'dropped', 'late'] as const) {
      writer.node.trouble.next('advance', trouble);
      await writer.putStored(trouble.toUpperCase());
    }
    await writer.node.trouble.arrive();
    const follower = await cluster.node();
    await follower.follow(4);
    expect(follower.applied.map(({ text }) => text)).toEqual(['LOST', 'DROPPED', 'LATE']);
  });

  it('fails for good when another node has taken over, and what was not stored shows nowhere', async () => {
    const writer = await cluster.writer();
    await writer.putStored('A');
    const other = await cluster.node();
    await other.takeOver('second');
    writer.put('B');
    await expect(writer.journal.flush()).rejects.toMatchObject({ code: 'storageFailed' });
    expect(writer.failures).toEqual([expect.any(OvertakenError)]);
    expect(writer.durable).toEqual([0, 1]);
    expect(() => writer.put('C')).toThrow(expect.objectContaining({ code: 'notWriter' }));
    expect(await writer.read()).toEqual(['[2 1 first]', 'A']);
    expect((await other.read()).slice(-3)).toEqual(['[2 1 first]', 'A', '[3 2 second]']);
  });

  it.each(['', 'second:1'])(
    'hands over to "%s" by a last batch that says that there is no writer',
    async (to) => {
      const writer = await cluster.writer();
      writer.put('A');
      await writer.journal.handOver(to);
      expect(writer.journal.durableSequence).toBe(1);
      await cluster.world.clock.pause();
      expect(writer.failures).toEqual([expect.any(OvertakenError)]);
      const follower = await cluster.node();
      await follower.follow(3);
      const { checksum } = await follower.node.log.head();
      const place = { position: 3, epoch: 1, checksum, writerAddress: '', successorAddress: to };
      expect(follower.journal.newestPlace).toEqual(place);
    },
  );

  it('stores what was committed before it is closed, but does not wait for ever', async () => {
    const first = await cluster.writer();
    first.put('A');
    await first.journal.close();
    expect(first.failures).toEqual([]);
    const second = await cluster.node();
    await second.takeOver('second');
    expect(second.applied.map(({ text }) => text)).toEqual(['A']);
    second.node.trouble.trouble = (call) => (call === 'advance' ? 'stalled' : 'none');
    second.put('B');
    await expect(second.journal.close()).rejects.toMatchObject({ code: 'storageFailed' });
    expect(second.failures).toHaveLength(1);
  });
});

describe('a follower', () => {
  it('commits nothing, and says where the writer is', async () => {
    await cluster.writer('10.0.0.1:2380,redis=10.0.0.1:6379');
    const follower = await cluster.node();
    await follower.follow(1);
    expect(() => follower.put('A')).toThrow(
      expect.objectContaining({ code: 'notWriter', details: { writerAddress: '10.0.0.1:2380' } }),
    );
    expect(follower.journal.reserveRow(10)).toBeUndefined();
  });

  it('counts a record as durable once it was applied and is readable in the cache', async () => {
    const writer = await cluster.writer();
    await writer.putStored('A', 'note', 'B');
    const follower = await cluster.node();
    await follower.follow(2);
    expect(follower.applied).toEqual([
      { sequence: 1, text: 'A' },
      { sequence: 2, text: 'note' },
      { sequence: 3, text: 'B' },
    ]);
    await follower.journal.flush();
    expect(follower.durable.at(-1)).toBe(3);
    expect(follower.journal.lastRevision).toBe(2);
    expect(await follower.read()).toEqual(['[1 1 first]', '[2 1 first]', 'A', 'note', 'B']);
  });

  it('goes on as the writer with the next revision and the next sequence', async () => {
    const writer = await cluster.writer();
    await writer.putStored('A');
    const other = await cluster.node();
    await other.takeOver('second');
    await other.putStored('B');
    expect(other.journal.lastRevision).toBe(2);
    expect(other.journal.durableSequence).toBe(2);
    expect((await other.read()).slice(-5)).toEqual(['[2 1 first]', 'A', '[3 2 second]', '[4 2 second]', 'B']);
  });

  it('leaves out of the cache what the snapshot that it began with has', async () => {
    const writer = await cluster.writer();
    const place = { ...writer.journal.newestPlace, revision: 0 };
    await writer.putStored('A1', 'A2', 'A3');
    const late = await cluster.node({ snapshotRevision: 2, place });
    await late.follow(2);
    await late.journal.flush();
    expect(late.applied).toEqual([{ sequence: 1, text: 'A3' }]);
    expect(await late.read(3)).toEqual(['[2 1 first]', 'A3']);
  });

  it('notes no place in the cache before it has come to the revision of its snapshot', async () => {
    const writer = await cluster.writer();
    const place = { ...writer.journal.newestPlace, revision: 0 };
    for (const text of ['A1', 'A2', 'A3', 'A4']) await writer.putStored(text);
    const late = await cluster.node({ snapshotRevision: 3, place });
    await late.follow(3);
    expect(late.journal.place).toMatchObject({ position: 3, epoch: 1, writerAddress: 'first', revision: 2 });
    await late.follow(5);
    await late.journal.flush();
    expect(late.applied).toEqual([{ sequence: 1, text: 'A4' }]);
    const again = await TestJournal.open(cluster.world, late.crash(), { snapshotRevision: 3 });
    expect(again.replayed).toEqual(['[4 1 first]', '[5 1 first]', 'A4']);
  });

  it('learns who the writer is from what the writer says of itself', async () => {
    const writer = await cluster.writer();
    const place = { ...writer.journal.newestPlace, writerAddress: '', revision: 0 };
    expect(await writer.journal.announce()).toBe(2);
    const follower = await cluster.node({ place });
    await follower.follow(2);
    expect(follower.journal.newestPlace.writerAddress).toBe('first');
    expect(follower.applied).toEqual([]);
  });

  it('refuses bytes that are no batch', async () => {
    const follower = await cluster.node();
    const bytes = Buffer.from('no batch');
    const first = { position: 1, epoch: 1, bytesBefore: 0, behind: 0, checksum: 7 };
    await follower.journal.accept({ ...first, kind: 'takeOver', address: 'a' });
    const second = { position: 2, epoch: 1, bytesBefore: 40, behind: 7, checksum: 8 };
    await expect(follower.journal.accept({ ...second, kind: 'batch', bytes })).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringContaining('no batch') as string,
    });
  });

  it('refuses a record that lies behind another one than it has', async () => {
    const writer = await cluster.writer();
    await writer.putStored('A');
    const follower = await cluster.node();
    await follower.follow(1);
    const { newestPlace } = follower.journal;
    for await (const record of follower.records()) {
      const other = { ...record, behind: (record.behind ^ 1) >>> 0 };
      await expect(follower.journal.accept(other)).rejects.toMatchObject({
        code: 'damaged',
        message: expect.stringContaining('an older state of the log was put back') as string,
      });
      break;
    }
    expect(follower.applied).toEqual([]);
    expect(follower.journal.newestPlace).toEqual(newestPlace);
  });

  it('waits for room in the cache', async () => {
    const writer = await cluster.writer();
    await writer.putStored('X'.repeat(5000));
    await writer.putStored('Y'.repeat(5000));
    const follower = await cluster.node({ cache: { unflushedBytesMax: 6000 } });
    await follower.follow(3);
    await follower.journal.flush();
    expect(follower.journal.place.position).toBe(3);
  });
});

describe('the cache after a crash', () => {
  it.each(['endProcess', 'losePower'] as const)('ends with a whole batch after %s', async (kind) => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = await JournalWorld.create(seed);
      const writer = await world.writer();
      for (const name of ['A', 'B', 'C']) await writer.putStored(`${name}x`, `${name}y`, `${name}z`);
      const again = await TestJournal.open(world.world, writer.crash(kind));
      const { position } = again.journal.newestPlace;
      const expected = ['[1 1 first]', '[2 1 first]', 'Ax', 'Ay', 'Az', '[3 1 first]', 'Bx', 'By', 'Bz'];
      expected.push('[4 1 first]', 'Cx', 'Cy', 'Cz');
      expect(again.replayed, `seed ${seed}`).toEqual(expected.slice(0, [0, 1, 5, 9, 13][position]));
      await again.takeOver('second');
      expect(again.applied.length + again.replayed.filter((text) => !text.startsWith('[')).length).toBe(9);
      await world.close();
    }
  });

  it('holds nothing of what an overtaken writer had on its way', async () => {
    const writer = await cluster.writer();
    await writer.putStored('A');
    await (await cluster.node()).takeOver('second');
    writer.put('B');
    await expect(writer.journal.flush()).rejects.toThrow();
    const again = await TestJournal.open(cluster.world, writer.crash());
    expect(again.replayed).toEqual(['[1 1 first]', '[2 1 first]', 'A']);
    await again.follow(3);
    expect(again.journal.newestPlace.writerAddress).toBe('second');
  });
});

/** Resolves when the owners of these records are told that they are durable. */
async function storedSlowly(writer: TestJournal, ...texts: readonly string[]): Promise<void> {
  writer.node.trouble.next('advance', 'lost', () => writer.world.clock.sleep(clusterLimits.gatheringMsMax));
  for (const text of texts) writer.put(text);
  const { journal } = writer;
  while (journal.durableSequence < journal.committedSequence)
    await new Promise<void>((resolve) => (writer.onDurable = resolve));
}
