/** How the nodes of a cluster elect, follow and fail over: three of them on simulated machines, without chance mishaps. */
import { expect, it, describe } from 'vitest';
import { cluster as limits, fixed, sharedLog as logLimits } from '../../src/limits.ts';
import type { ClusterNode } from '../../src/cluster/node.ts';
import { collectionReaders } from '../../src/kv/collections/read-calls.ts';
import type { KvStore } from '../../src/kv/kv-store.ts';
import { inCluster, type ClusterOptions, type SimulatedCluster } from './simulation/simulated-cluster.ts';
import type { SimulatedNode } from './simulation/simulated-node.ts';

/** A cluster that has a writer, in which nothing goes astray. */
function started<Result>(
  run: (cluster: SimulatedCluster, writer: SimulatedNode, others: SimulatedNode[]) => Promise<Result>,
  options: Partial<ClusterOptions> = {},
): Promise<Result> {
  return inCluster({ seed: 1, ...options }, async (cluster) => {
    await cluster.start();
    const { writer, nodes } = cluster;
    if (writer === undefined) throw new Error('there is no writer');
    await cluster.settle();
    return run(
      cluster,
      writer,
      nodes.filter((node) => node !== writer),
    );
  });
}

function storeOf({ name, store }: SimulatedNode): KvStore {
  if (store === undefined) throw new Error(`${name} is not open`);
  return store;
}

function nodeOf({ name, opened }: SimulatedNode): ClusterNode {
  if (opened === undefined) throw new Error(`${name} is not open`);
  return opened.node;
}

function first(nodes: readonly SimulatedNode[]): SimulatedNode {
  const [node] = nodes;
  if (node === undefined) throw new Error('there is none');
  return node;
}

/** Resolves with the writer that comes after that one. */
async function nextWriter(cluster: SimulatedCluster, before: SimulatedNode): Promise<SimulatedNode> {
  const isNext = (node: SimulatedNode): boolean => node !== before && node.isWriter;
  await cluster.world.until(() => cluster.nodes.some(isNext), 30_000);
  return first(cluster.nodes.filter(isNext));
}

function kindsOf({ events }: SimulatedNode): string[] {
  return events.map(({ kind }) => kind);
}

describe('a cluster', () => {
  it('has one writer at once, whom the others follow', () =>
    started(async (cluster, writer, others) => {
      await cluster.world.answer(storeOf(writer).put('key', 'value'));
      await cluster.settle();
      expect(cluster.world.time.nowMs).toBeLessThan(1000);
      expect(nodeOf(writer).status()).toMatchObject({
        role: 'writer',
        epoch: 1,
        writerAddress: writer.address,
        takeoverCount: 1,
        lagMs: 0,
      });
      for (const other of others) {
        expect(nodeOf(other).status()).toMatchObject({ role: 'follower', writerAddress: writer.address });
        expect(nodeOf(other).status()).toMatchObject({ epoch: 1, takeoverCount: 0, position: 2 });
        const { entry } = await storeOf(other).get('key');
        expect(Buffer.from(entry?.value ?? []).toString()).toBe('value');
      }
    }));

  it('keeps its writer while that has nothing to write', () =>
    started(async (cluster, writer) => {
      await cluster.world.pass(20_000);
      expect(cluster.writer).toBe(writer);
      expect(cluster.world.truth.epochs.at(-1)).toBe(1);
    }));

  it('has another writer soon after the first has died, and nothing is lost', () =>
    started(async (cluster, writer) => {
      const { world } = cluster;
      const { revision } = await world.answer(storeOf(writer).put('key', 'value'));
      writer.crash('losePower');
      const diedMs = world.time.nowMs;
      const next = await nextWriter(cluster, writer);
      const passedMs = world.time.nowMs - diedMs;
      expect(passedMs).toBeGreaterThan(limits.failoverAfterMs - limits.heartbeatMs);
      expect(passedMs).toBeLessThan(
        limits.failoverAfterMs + limits.failoverJitterMs + 2 * limits.headCheckMs,
      );
      expect(storeOf(next).seam.visibleRevision).toBe(revision);
      expect((await world.answer(storeOf(next).put('key', 'later'))).revision).toBe(revision + 1);
      writer.start();
      await cluster.settle();
      expect(nodeOf(writer).status()).toMatchObject({ role: 'follower', writerAddress: next.address });
    }));

  it('has no other writer while the log is down, and the same one afterwards', () =>
    started(async (cluster, writer) => {
      const { world } = cluster;
      world.stall(10_000);
      const call = storeOf(writer).put('key', 'value');
      await world.answer(call);
      expect(world.time.nowMs).toBeGreaterThan(10_000);
      await world.pass(10_000);
      expect(world.truth.epochs.at(-1)).toBe(1);
      expect(kindsOf(writer)).toContain('logUnreachable');
      expect(kindsOf(writer)).toContain('logReachable');
    }));

  it('stays with its writer while a follower is cut off, which catches up', () =>
    started(async (cluster, writer, others) => {
      const { world } = cluster;
      const other = first(others);
      other.cut(true);
      for (let count = 0; count < 10; count++)
        await world.answer(storeOf(writer).put('key', `value ${count}`));
      await world.pass(10_000);
      expect(storeOf(other).seam.visibleRevision).toBe(0);
      expect(kindsOf(other)).toContain('logUnreachable');
      other.cut(false);
      await cluster.settle();
      expect(world.truth.epochs.at(-1)).toBe(1);
    }));
});

describe('a writer whose disk hangs', () => {
  /** So much is not written at once, in the turn in which it comes. */
  const large = 'x'.repeat(fixed.batchWrittenNowBytesMax);

  it('gives up its role, and says of what waits that it may have been made', () =>
    started(async (cluster, writer) => {
      const { world } = cluster;
      const { revision } = await world.answer(storeOf(writer).put('key', 'value'));
      writer.hangDisk(true);
      const hungMs = world.time.nowMs;
      const call = storeOf(writer).put('key', large);
      const refused = expect(world.answer(call)).rejects.toMatchObject({ code: 'storageFailed' });
      const next = await nextWriter(cluster, writer);
      const passedMs = world.time.nowMs - hungMs;
      expect(passedMs).toBeGreaterThan(limits.diskStallMs);
      expect(passedMs).toBeLessThan(
        limits.diskStallMs + limits.failoverAfterMs + limits.failoverJitterMs + 4 * limits.heartbeatMs,
      );
      await refused;
      expect(kindsOf(writer)).toContain('diskStalled');
      expect(kindsOf(writer)).not.toContain('overtaken');
      // The shared log had it.
      expect(storeOf(next).seam.visibleRevision).toBeGreaterThan(revision);
      await world.answer(storeOf(next).put('key', 'last'));

      writer.hangDisk(false);
      await cluster.settle();
      expect(nodeOf(writer).status()).toMatchObject({ role: 'follower', writerAddress: next.address });
    }));

  it('for less than that keeps it', () =>
    started(async (cluster, writer) => {
      const { world } = cluster;
      for (let count = 0; count < 3; count++) {
        writer.hangDisk(true);
        const call = storeOf(writer).put('key', large + count);
        await world.pass(limits.diskStallMs - 2 * limits.heartbeatMs);
        writer.hangDisk(false);
        await world.answer(call);
      }
      expect(cluster.writer).toBe(writer);
      expect(world.truth.epochs.at(-1)).toBe(1);
    }));
});

describe('a writer', () => {
  it('that is cut off acknowledges nothing, and follows the next one when it is back', () =>
    started(async (cluster, writer) => {
      const { world } = cluster;
      writer.cut(true);
      const call = storeOf(writer).put('lost', 'value');
      const next = await nextWriter(cluster, writer);
      const { revision } = await world.answer(storeOf(next).put('kept', 'value'));
      writer.cut(false);
      await expect(world.answer(call)).rejects.toMatchObject({ code: 'storageFailed' });
      await cluster.settle();
      expect(kindsOf(writer)).toContain('overtaken');
      expect(storeOf(writer).seam.visibleRevision).toBe(revision);
      expect((await storeOf(writer).get('lost')).entry).toBeUndefined();
      expect(nodeOf(writer).role).toBe('follower');
    }));

  it('that is cut off says nothing of what it found, since others may write by then', () =>
    started(async (cluster, writer) => {
      const { world } = cluster;
      await world.answer(storeOf(writer).put('key', 'old'));
      writer.cut(true);
      const next = await nextWriter(cluster, writer);
      await world.answer(storeOf(next).delete('key'));
      const isThere = {
        subject: { key: 'key' },
        relation: 'equal',
        operand: { kind: 'exists', value: true },
      } as const;
      const store = storeOf(writer);
      const told = [
        store.txn({ compares: [isThere], success: [{ kind: 'get', key: 'key' }] }),
        store.put('key', 'new', { condition: { kind: 'mustNotExist' } }),
        store.delete('other'),
      ].map((call) => call.then(JSON.stringify, (error: { code: string }) => error.code));
      expect(await world.answer(Promise.all(told))).toEqual(['notWriter', 'notWriter', 'notWriter']);
    }));

  it('tells at once what it found while it is the writer, by one question for all of a turn', () =>
    started(async (cluster, writer) => {
      const { world } = cluster;
      const store = storeOf(writer);
      const before = world.system.headCount;
      const calls = Array.from({ length: 100 }, () => store.delete('absent'));
      const answers = await world.answer(Promise.all(calls));
      expect(answers.every(({ deleted }) => !deleted)).toBe(true);
      expect(world.system.headCount - before).toBeGreaterThan(0);
      expect(world.system.headCount - before).toBeLessThanOrEqual(2);
    }));

  it('that stood still acknowledges nothing once it was overtaken', () =>
    started(async (cluster, writer) => {
      const { world } = cluster;
      writer.pause();
      const next = await nextWriter(cluster, writer);
      await world.answer(storeOf(next).put('key', 'value'));
      const { opened } = writer;
      writer.resume();
      if (opened === undefined) throw new Error('it is not open');
      const call = opened.store.put('lost', 'value');
      await expect(world.answer(call)).rejects.toMatchObject({ code: 'storageFailed' });
      await cluster.settle();
      expect(nodeOf(writer).role).toBe('follower');
    }));

  it('that hands over is followed at once, and goes on as a follower', () =>
    started(async (cluster, writer) => {
      const { world } = cluster;
      await world.answer(storeOf(writer).put('key', 'value'));
      const beganMs = world.time.nowMs;
      await world.answer(nodeOf(writer).handOver());
      const next = await nextWriter(cluster, writer);
      expect(world.time.nowMs - beganMs).toBeLessThan(limits.headCheckMs);
      await cluster.settle();
      expect(nodeOf(writer).status()).toMatchObject({ role: 'follower', writerAddress: next.address });
      expect(kindsOf(writer)).toContain('handedOver');
    }));

  it('that is stopped hands over first', () =>
    started(async (cluster, writer) => {
      const { world } = cluster;
      const call = storeOf(writer).put('key', 'value');
      await world.answer(writer.stop());
      expect((await call).revision).toBe(1);
      const stoppedMs = world.time.nowMs;
      await nextWriter(cluster, writer);
      expect(world.time.nowMs - stoppedMs).toBeLessThan(limits.headCheckMs);
    }));

  it('attaches no more keys to a lease than a batch of the shared log can delete, so that the lease can end', () =>
    started(async (cluster, writer) => {
      const { world } = cluster;
      const store = storeOf(writer);
      await world.answer(store.grantLease(3_600_000, 7));
      const keyOf = (index: number): string => String(index).padStart(4000, '.');
      const attach = (from: number, count: number): Promise<unknown> =>
        store.txn({
          success: Array.from({ length: count }, (_, index) => ({
            kind: 'put' as const,
            key: keyOf(from + index),
            value: 'v',
            leaseId: 7,
          })),
        });
      await world.answer(attach(0, 150));
      await world.answer(attach(150, 100));
      await expect(world.answer(attach(250, 20))).rejects.toMatchObject({ code: 'limitReached' });
      expect(await world.answer(store.revokeLease(7))).toMatchObject({ deletedCount: 250 });
    }));

  it('refuses what is longer than a batch of the shared log', () =>
    started(async (cluster, writer) => {
      const value = Buffer.alloc(1024 * 1024);
      await expect(cluster.world.answer(storeOf(writer).put('key', value))).rejects.toMatchObject({
        code: 'limitReached',
      });
      await cluster.world.answer(storeOf(writer).put('key', 'short'));
    }));
});

describe('a follower', () => {
  it('refuses writes, reports and handing over, and says where the writer is', () =>
    started(async (cluster, writer, others) => {
      const other = first(others);
      const refusal = { code: 'notWriter', details: { writerAddress: writer.address } };
      await expect(cluster.world.answer(storeOf(other).put('key', 'value'))).rejects.toMatchObject(refusal);
      await expect(nodeOf(other).handOver()).rejects.toMatchObject(refusal);
      const report = { address: 'three:1', position: 1, snapshotPosition: 0 };
      expect(() => nodeOf(other).takeReport(report, '')).toThrow(expect.objectContaining(refusal));
    }));

  it('tells the next writer how far it is, too, and never one that does not know it', () =>
    started(async (cluster, writer, others) => {
      const { world } = cluster;
      await world.pass(2 * limits.reportMs);
      await world.answer(nodeOf(writer).handOver());
      const next = await nextWriter(cluster, writer);
      await cluster.settle();
      await world.pass(2 * limits.reportMs);
      expect(nodeOf(next).status().nodes).toHaveLength(cluster.nodes.length);
      const failures = [writer, ...others].flatMap(({ events }) =>
        events.flatMap((event) => (event.kind === 'reportFailed' ? [event.error.message] : [])),
      );
      expect(failures.filter((message) => message.startsWith('nonce'))).toEqual([]);
    }));

  it('tells the writer how far it is', () =>
    started(async (cluster, writer, others) => {
      await cluster.world.answer(storeOf(writer).put('key', 'value'));
      await cluster.world.pass(2 * limits.reportMs);
      const { nodes } = nodeOf(writer).status();
      expect(nodes.map(({ address }) => address).sort()).toEqual(
        [writer, ...others].map(({ address }) => address).sort(),
      );
    }));
});

describe('a writer that hands over to a named node', () => {
  it.each(['one', 'two', 'three'])('leaves its place to that one alone, named %s', (name) =>
    started(async (cluster, writer) => {
      const { world } = cluster;
      const named = cluster.node(name);
      if (named === writer) return;
      await world.answer(nodeOf(writer).handOver(named.address));
      const startMs = world.time.nowMs;
      expect(await nextWriter(cluster, writer)).toBe(named);
      expect(world.time.nowMs - startMs).toBeLessThan(limits.headCheckMs);
      await cluster.settle();
      expect(world.truth.epochs.at(-1)).toBe(2);
      expect(nodeOf(writer).status()).toMatchObject({ role: 'follower', writerAddress: named.address });
    }),
  );

  it.each(['pause', 'crash'] as const)(
    'is followed by another one in the time of a takeover when that one is gone (%s)',
    (how) =>
      started(async (cluster, writer, others) => {
        const { world } = cluster;
        const [named, other] = [first(others), first(others.slice(1))];
        if (how === 'pause') named.pause();
        else named.crash('endProcess');
        await world.answer(nodeOf(writer).handOver(named.address));
        const startMs = world.time.nowMs;
        await world.until(() => writer.isWriter || other.isWriter, 30_000);
        const passedMs = world.time.nowMs - startMs;
        expect(passedMs).toBeGreaterThan(limits.failoverAfterMs - limits.heartbeatMs);
        expect(passedMs).toBeLessThan(
          limits.failoverAfterMs + limits.failoverJitterMs + 2 * limits.headCheckMs,
        );
        if (how === 'pause') named.resume();
        else named.start();
        await cluster.settle();
        expect(nodeOf(named).role).toBe('follower');
      }),
  );

  it('is itself the next one where there is no other, also when it starts again meanwhile', () =>
    started(async (cluster, writer, others) => {
      for (const other of others) other.crash('endProcess');
      await cluster.world.answer(nodeOf(writer).handOver(first(others).address));
      writer.crash('losePower');
      writer.start();
      await cluster.world.until(() => writer.isWriter, 30_000);
    }));
});

describe('a read', () => {
  it('behind a barrier sees what was acknowledged anywhere before', () =>
    started(async (cluster, writer, others) => {
      const { world } = cluster;
      for (let count = 0; count < 20; count++) {
        const { revision } = await world.answer(storeOf(writer).put('key', `value ${count}`));
        for (const node of [writer, ...others]) {
          await world.answer(nodeOf(node).readBarrier());
          expect(storeOf(node).seam.visibleRevision).toBeGreaterThanOrEqual(revision);
        }
      }
    }));

  it('asks the log once for all that wait', () =>
    started(async (cluster, _, others) => {
      const { world } = cluster;
      const node = nodeOf(first(others));
      const before = world.system.headCount;
      await world.answer(Promise.all(Array.from({ length: 100 }, () => node.readBarrier())));
      expect(world.system.headCount - before).toBeLessThanOrEqual(2);
    }));

  it('behind a barrier is refused by a node that is cut off, and local ones go on', () =>
    started(async (cluster, writer, others) => {
      const { world } = cluster;
      await world.answer(storeOf(writer).put('key', 'value'));
      await cluster.settle();
      const other = first(others);
      other.cut(true);
      await expect(world.answer(nodeOf(other).readBarrier(), 10_000)).rejects.toMatchObject({
        code: 'notWriter',
      });
      expect((await storeOf(other).get('key')).entry).toBeDefined();
    }));

  it('of what the newest state alone tells asks the log for nothing besides the barrier', () =>
    started(async (cluster, writer) => {
      const { world } = cluster;
      const store = storeOf(writer);
      const { leaseId } = await world.answer(store.grantLease(60_000));
      await world.answer(store.put('key', 'value'));
      const before = world.system.headCount;
      const key = { key: 'absent', revision: 0 };
      const calls = [
        store.count({}),
        store.meanValueBytes(),
        store.getLease(leaseId),
        collectionReaders.sortedSetCount(store, { ...key, range: undefined }, () => undefined),
      ];
      await world.answer(Promise.all<unknown>(calls));
      expect(world.system.headCount).toBe(before);
    }));

  it('of that kind which may be old tells what is visible while the log is away, also beside writes that wait', () =>
    started(async (cluster, writer) => {
      const { world } = cluster;
      const store = storeOf(writer);
      await world.answer(store.put('key', 'value'));
      writer.cut(true);
      // By then a note is on its way.
      await world.pass(limits.heartbeatMs + 100);
      const count = (): Promise<{ readonly count: number }> =>
        world.answer(store.count({}, { isLocal: true }), 1000);
      expect(await count()).toMatchObject({ count: 1 });
      store.put('other', 'value').catch(() => undefined);
      expect(await count()).toMatchObject({ count: 1 });
      await nextWriter(cluster, writer);
      expect(await count()).toMatchObject({ count: 1 });
    }));

  it('may wait for a revision, until its signal', () =>
    started(async (cluster, writer, others) => {
      const { world } = cluster;
      const node = nodeOf(first(others));
      const reached = node.reached(1);
      await world.answer(storeOf(writer).put('key', 'value'));
      await world.answer(reached);
      expect(storeOf(first(others)).seam.visibleRevision).toBe(1);
      const end = new AbortController();
      const never = node.reached(2, end.signal);
      end.abort(new Error('too late'));
      await expect(never).rejects.toThrow('too late');
    }));
});

describe('a key with a time to live', () => {
  const ttlMs = 1000;

  /** A cluster whose log is slow, at the moment at which the deadline of a key has passed at the writer, and nowhere else. */
  function overdue(
    seed: number,
    run: (cluster: SimulatedCluster, writer: SimulatedNode, other: SimulatedNode) => Promise<void>,
  ): Promise<void> {
    return started(
      async (cluster, writer, others) => {
        const { world } = cluster;
        world.logMsMax = 50;
        const store = storeOf(writer);
        await world.answer(store.put('key', 'value', { ttlMs }));
        await cluster.settle();
        const { clock } = writer.process;
        const { entry } = await store.get('key');
        const expireTimeMs = entry?.expireTimeMs ?? 0;
        await world.until(() => clock.nowMs() >= expireTimeMs);
        await run(cluster, writer, first(others));
      },
      { seed, skewMsMax: 0 },
    );
  }

  async function isThere(node: SimulatedNode): Promise<boolean> {
    return (await storeOf(node).get('key')).entry !== undefined;
  }

  it.each([1, 2, 3, 4, 5, 6])(
    'that is gone at the writer is gone at a follower behind a barrier (seed %i)',
    (seed) =>
      overdue(seed, async ({ world }, writer, other) => {
        for (let wasThere = true; wasThere;) {
          wasThere = await isThere(writer);
          await world.answer(nodeOf(other).readBarrier());
          if (!wasThere) expect(await isThere(other)).toBe(false);
        }
      }),
  );
});

describe('the shared log', () => {
  it('that is full when a node would take over leaves the node as it is, and is asked again', () =>
    started(async (cluster, writer, others) => {
      for (const other of others) other.fill(true);
      const opened = others.map(nodeOf);
      writer.crash('endProcess');
      await cluster.world.pass(10_000);
      for (const [index, other] of others.entries()) expect(nodeOf(other)).toBe(opened[index]);
      expect(others.flatMap(kindsOf)).toContain('logUnreachable');
      for (const other of others) other.fill(false);
      await nextWriter(cluster, writer);
    }));

  const limitsOfStore = { snapshotLogBytes: 1024 };

  async function put(cluster: SimulatedCluster, writer: SimulatedNode, count: number): Promise<void> {
    for (let index = 0; index < count; index++)
      await cluster.world.answer(storeOf(writer).put(`key ${index % 5}`, 'x'.repeat(100)));
  }

  it('is trimmed below what the snapshots of two nodes hold', () =>
    started(
      async (cluster, writer) => {
        await put(cluster, writer, 100);
        await cluster.world.until(() => kindsOf(writer).includes('logTrimmed'), 20_000);
        await cluster.world.pass(5000);
      },
      { limits: limitsOfStore },
    ));

  it('is trimmed whatever is reported by who does not read it', () =>
    started(
      async (cluster, writer, others) => {
        const { world } = cluster;
        const writing = put(cluster, writer, 100);
        for (let count = 0; !kindsOf(writer).includes('logTrimmed'); count++) {
          expect(count).toBeLessThan(30);
          const report = { address: `${count}.example:1`, position: 0, snapshotPosition: 0 };
          expect(() => nodeOf(writer).takeReport(report, '0'.repeat(32))).toThrow(
            expect.objectContaining({ code: 'invalidArgument' }),
          );
          await world.pass(limits.reportMs);
        }
        await writing;
        expect(
          nodeOf(writer)
            .status()
            .nodes.map(({ address }) => address),
        ).toEqual(expect.arrayContaining([writer, ...others].map(({ address }) => address)));
        expect(nodeOf(writer).status().nodes).toHaveLength(cluster.nodes.length);
      },
      { limits: limitsOfStore },
    ));

  it('is not trimmed while a writer hears of no other node', () =>
    started(
      async (cluster, writer, others) => {
        for (const other of others) other.crash('endProcess');
        await put(cluster, writer, 100);
        await cluster.world.pass(10_000);
        expect(kindsOf(writer)).not.toContain('logTrimmed');
        expect(cluster.world.system.records.has(1)).toBe(true);
      },
      { limits: limitsOfStore },
    ));

  it('takes no more writes when it is too long, says which node is missing, and does when that is back', () =>
    started(
      async (cluster, writer, others) => {
        const { world } = cluster;
        await world.pass(2 * limits.reportMs);
        for (const other of others) other.crash('endProcess');
        await world.pass(limits.reportSilenceMs);
        await expect(put(cluster, writer, 1000)).rejects.toMatchObject({
          code: 'limitReached',
          message: expect.stringContaining(first(others).address) as string,
        });
        expect(kindsOf(writer)).toEqual(expect.arrayContaining(['logNearlyFull', 'logFull']));
        await world.pass(10_000);
        expect(cluster.writer).toBe(writer);
        for (const other of others) other.start();
        await world.until(() => kindsOf(writer).includes('logTrimmed'), 20_000);
        await world.pass(limits.trimMs);
        await put(cluster, writer, 1);
      },
      { limits: limitsOfStore, node: { sharedLogBytesMax: 30_000 } },
    ));

  it('is known in its length at once by the next writer, and by one that was restarted', () =>
    started(
      async (cluster, writer) => {
        const { world } = cluster;
        const taken = (): number => {
          const records = [...world.system.records.values()];
          return records.reduce((sum, { length }) => sum + length + logLimits.recordOverheadBytes, 0);
        };
        const tells = (node: SimulatedNode): Promise<void> =>
          world.until(() => node.isWriter && nodeOf(node).status().logBytes === taken(), limits.trimMs / 2);
        await put(cluster, writer, 100);
        await tells(writer);
        writer.crash('endProcess');
        const next = await nextWriter(cluster, writer);
        await tells(next);
        for (const node of cluster.nodes) node.crash('endProcess');
        for (const node of cluster.nodes) node.start();
        await world.until(() => cluster.writer !== undefined);
        await tells(cluster.writer ?? next);
      },
      { limits: { snapshotLogBytes: 4096 } },
    ));

  it('is full for the next writer, too', () =>
    started(
      async (cluster, writer) => {
        await expect(put(cluster, writer, 1000)).rejects.toMatchObject({ code: 'limitReached' });
        writer.crash('endProcess');
        const next = await nextWriter(cluster, writer);
        await cluster.world.until(() => kindsOf(next).includes('logFull'), limits.trimMs / 2);
        await expect(put(cluster, next, 1)).rejects.toMatchObject({ code: 'limitReached' });
      },
      { node: { sharedLogBytesMax: 60_000 } },
    ));

  it('has no more what a node missed that was away: it gets a snapshot from the writer', () =>
    started(
      async (cluster, writer, others) => {
        const { world } = cluster;
        const late = first(others);
        await world.pass(2 * limits.reportMs);
        late.crash('losePower');
        await put(cluster, writer, 100);
        await world.pass(limits.reportSilenceMs + limits.trimMs);
        expect(kindsOf(writer)).toContain('logTrimmed');
        late.start();
        await cluster.settle();
        expect(kindsOf(late)).toEqual(expect.arrayContaining(['missedTrim', 'snapshotFetched']));
        await put(cluster, writer, 3);
        await cluster.settle();
        late.crash('losePower');
        late.start();
        await cluster.settle();
        expect(kindsOf(late).filter((kind) => kind === 'snapshotFetched')).toHaveLength(1);
      },
      { limits: limitsOfStore },
    ));

  it('tells a node with an empty disk where to get a snapshot', () =>
    started(
      async (cluster, writer, others) => {
        const { world } = cluster;
        const late = first(others);
        await put(cluster, writer, 100);
        await world.until(() => kindsOf(writer).includes('logTrimmed'), 20_000);
        late.crash('losePower');
        late.loseDisk();
        late.start();
        await cluster.settle();
        expect(kindsOf(late)).toContain('snapshotFetched');
      },
      { limits: limitsOfStore },
    ));
});
