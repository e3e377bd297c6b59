/** The log in a real etcd whose members die, stand still and come back. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LogHead, SharedLog } from '../../src/shared-log/shared-log.ts';
import { hasRealEtcd } from '../server/etcd/support/real-etcd.ts';
import { EtcdCluster, type EtcdMember } from '../support/etcd-cluster.ts';
import { SeededRandom } from '../support/random.ts';
import { etcdWorld } from './etcd-world.ts';
import { race } from './race.ts';
import { type LogWorld, batch, openNode, readTo, stored, won, writtenLog } from './world.ts';

const limitMs = 120_000;

describe.runIf(hasRealEtcd)('a shared log in three members of etcd', { timeout: limitMs }, () => {
  let cluster: EtcdCluster;
  let world: LogWorld;
  beforeAll(async () => {
    cluster = await EtcdCluster.start();
    await cluster.leader();
  });
  beforeEach(async () => {
    world = etcdWorld(cluster.endpoints, (await cluster.leader()).calls);
  });
  afterEach(() => world.close());
  afterAll(() => cluster.stop());

  /** Appends until it is told to end, and gives the head behind. */
  function appending(
    log: SharedLog,
    from: LogHead,
  ): { readonly end: () => Promise<LogHead>; readonly count: () => number } {
    const end = new AbortController();
    let head = from;
    const run = (async () => {
      while (!end.signal.aborted) head = stored(await log.append(head, batch(head.position + 1)));
    })();
    return {
      end: async () => {
        end.abort();
        await run;
        return head;
      },
      count: () => head.position,
    };
  }

  function others(leader: EtcdMember): readonly EtcdMember[] {
    return cluster.members.filter((member) => member !== leader);
  }

  /** Waits until so many more batches are stored. */
  async function more(
    writer: { readonly count: () => number },
    log: SharedLog,
    count: number,
  ): Promise<void> {
    const end = new AbortController();
    const to = writer.count() + count;
    for await (const { position } of log.read(writer.count(), end.signal)) if (position >= to) break;
    end.abort();
  }

  function allBatches(head: LogHead): string[] {
    return Array.from({ length: head.position }, (_, index) =>
      index === 0 ? '1 taken by first' : `1 batch ${index + 1}`,
    );
  }

  test('goes on over kill -9 of the leader, again and again, with nothing lost and nothing twice', async () => {
    const { log, head } = await writtenLog(world);
    const reader = openNode(world).log;
    const follower = openNode(world).log;
    const writer = appending(log, head);
    const end = new AbortController();
    const followed: number[] = [];
    const following = (async () => {
      for await (const { position } of follower.read(1, end.signal)) followed.push(position);
    })().catch(() => undefined);
    for (let round = 0; round < 3; round++) {
      await more(writer, reader, 50);
      const leader = await cluster.leader();
      await leader.kill();
      await more(writer, reader, 50);
      leader.start();
    }
    await cluster.leader();
    const last = await writer.end();
    expect(await reader.head()).toEqual(last);
    expect(await readTo(reader, last.position)).toEqual(allBatches(last));
    await readTo(follower, last.position, last.position);
    end.abort();
    await following;
    expect(followed).toEqual(followed.map((_, index) => index + 1));
  });

  test('goes on while the leader stands still, and what comes of it later', async () => {
    const { log, head } = await writtenLog(world);
    const reader = openNode(world).log;
    const writer = appending(log, head);
    await more(writer, reader, 20);
    const leader = await cluster.leader();
    leader.pause();
    await more(writer, reader, 20);
    leader.resume();
    await more(writer, reader, 20);
    const last = await writer.end();
    expect(await readTo(reader, last.position)).toEqual(allBatches(last));
  });

  test('goes on for those who read at a member that stands still', async () => {
    const { log, head } = await writtenLog(world, 1);
    const { log: reader } = openNode(world);
    const [first] = cluster.members;
    const end = new AbortController();
    const records = reader.read(2, end.signal)[Symbol.asyncIterator]();
    expect((await records.next()).value?.position).toBe(2);
    const next = records.next();
    // The one that is asked first.
    first?.pause();
    try {
      stored(await log.append(head, batch(2)));
      expect((await next).value?.position).toBe(3);
    } finally {
      first?.resume();
      end.abort();
    }
  });

  test('goes on while the leader is moved, and members are stopped and started one by one', async () => {
    const { log, head } = await writtenLog(world);
    const reader = openNode(world).log;
    const writer = appending(log, head);
    for (let round = 0; round < 6; round++) {
      const leader = await cluster.leader();
      const [other] = others(leader);
      const id = (await other?.calls.maintenance.status({}))?.header?.memberId ?? 0n;
      await leader.calls.maintenance.moveLeader({ targetID: id });
      await more(writer, reader, 10);
    }
    for (const member of cluster.members) {
      await cluster.leader();
      await member.kill('SIGTERM');
      await more(writer, reader, 10);
      member.start();
      await member.isReady();
    }
    const last = await writer.end();
    expect(await readTo(reader, last.position)).toEqual(allBatches(last));
  });

  test('has all that was stored when all members were killed at once', async () => {
    const { log, head } = await writtenLog(world);
    const reader = openNode(world).log;
    const writer = appending(log, head);
    await more(writer, reader, 100);
    await Promise.all(cluster.members.map((member) => member.kill()));
    const before = writer.count();
    for (const member of cluster.members) member.start();
    await more(writer, reader, 20);
    const last = await writer.end();
    expect(last.position).toBeGreaterThan(before);
    expect(await readTo(reader, last.position)).toEqual(allBatches(last));
  });

  test('without a majority tells nothing as stored and is unavailable, not fenced', async () => {
    const { log, head } = await writtenLog(world, 1);
    const dead = others(await cluster.leader());
    await Promise.all(dead.map((member) => member.kill()));
    const open = { code: 'unavailable', mayHaveLanded: true };
    // Long enough for what is left to give up leading.
    await expect(log.append(head, batch(2), { timeoutMs: 4000 })).rejects.toMatchObject(open);
    await expect(log.head({ timeoutMs: 1500 })).rejects.toMatchObject({
      code: 'unavailable',
      mayHaveLanded: false,
    });
    // Whether it was sent to the one that is left is a matter of time.
    await expect(log.takeOver(head, 'second', { timeoutMs: 1500 })).rejects.toMatchObject({
      code: 'unavailable',
    });
    for (const member of dead) member.start();
    // The batch or the new writer: one of them is there, or none.
    const result = await log.append(head, batch(2));
    const now = await log.head();
    expect(result === 'fenced' ? now.epoch : result).toEqual(result === 'fenced' ? 2 : now);
    let third = await log.takeOver(now, 'third');
    // What is left of the second may come as late as this.
    if (third === 'lost') third = await log.takeOver(await log.head(), 'third');
    won(third);
  });

  test('keeps what nodes are told true while they race and members die', async () => {
    const random = new SeededRandom(18);
    const plan = { nodeCount: 4, stepCount: 150, trouble: 0.1, timeoutMs: 10_000 };
    const racing = race(world, random, plan);
    const leader = await cluster.leader();
    await leader.kill();
    leader.start();
    expect(await racing).toEqual([]);
  });
});
