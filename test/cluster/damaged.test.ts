/** What a node does that finds its disk damaged as it starts: what the others have takes the place of what is there, and not in silence. */
import { expect, it, describe } from 'vitest';
import { cluster as limits } from '../../src/limits.ts';
import type { ClusterEvent } from '../../src/cluster/cluster-event.ts';
import { inCluster, type ClusterOptions, type SimulatedCluster } from './simulation/simulated-cluster.ts';
import type { SimulatedNode } from './simulation/simulated-node.ts';

/** Segments are short, so that the log of a node begins behind its snapshots. */
const options: Partial<ClusterOptions> = {
  limits: { snapshotLogBytes: 1024, segmentBytes: 4096, logRetentionBytes: 0 },
  node: { mayRefuse: true },
};

/** A cluster with a writer, of whose log something was written. */
function written<Result>(
  run: (cluster: SimulatedCluster, writer: SimulatedNode, other: SimulatedNode) => Promise<Result>,
  changes: Partial<ClusterOptions> = {},
): Promise<Result> {
  return inCluster({ seed: 1, ...options, ...changes }, async (cluster) => {
    await cluster.start();
    const { writer, nodes } = cluster;
    const other = nodes.find((node) => node !== writer);
    if (writer === undefined || other === undefined) throw new Error('there are no two nodes');
    await cluster.settle();
    return run(cluster, writer, other);
  });
}

async function put(cluster: SimulatedCluster, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const store = cluster.writer?.store;
    if (store === undefined) throw new Error('there is no writer');
    await cluster.world.answer(store.put(`key ${index % 5}`, 'x'.repeat(100)));
  }
}

/** Until the log does not reach back to its beginning any more, and each node has snapshots. */
async function putUntilTrimmed(cluster: SimulatedCluster, writer: SimulatedNode): Promise<void> {
  await put(cluster, 100);
  await cluster.world.until(() => kindsOf(writer).includes('logTrimmed'), 20_000);
  await cluster.settle();
}

function kindsOf({ events }: SimulatedNode): string[] {
  return events.map(({ kind }) => kind);
}

function damagesOf({ events }: SimulatedNode): string[] {
  return events
    .filter((event): event is ClusterEvent & { kind: 'stateDamaged' } => event.kind === 'stateDamaged')
    .map(({ error }) => error.message);
}

function last(paths: readonly string[]): string {
  const path = paths.at(-1);
  if (path === undefined) throw new Error('there is no file');
  return path;
}

/** It has what the others have, and goes on with them, also after another start. */
async function expectWell(cluster: SimulatedCluster, node: SimulatedNode): Promise<void> {
  await cluster.settle();
  cluster.checkStates();
  await put(cluster, 3);
  await cluster.settle();
  const count = damagesOf(node).length;
  node.crash('losePower');
  node.start();
  await cluster.settle();
  cluster.checkStates();
  expect(damagesOf(node)).toHaveLength(count);
}

describe('a node', () => {
  it('whose snapshots are all damaged gets one from the writer, tells it, and sets one aside', () =>
    written(async (cluster, writer, other) => {
      await putUntilTrimmed(cluster, writer);
      other.crash('endProcess');
      const { snapshots } = other.files;
      for (const path of snapshots) other.damage(path, 0.5);
      other.start();
      await expectWell(cluster, other);
      expect(damagesOf(other)).toEqual([expect.stringContaining(last(snapshots)) as string]);
      expect(kindsOf(other)).toContain('snapshotFetched');
      expect(other.disk.namesIn('/data/snapshots').join()).toContain('.snapshot.damaged');
    }));

  it('keeps what was set aside when it is damaged again, or gets a snapshot since it was away', () =>
    written(async (cluster, writer, other) => {
      await putUntilTrimmed(cluster, writer);
      const asideIn = (): string[] =>
        ['/data/snapshots', '/data/log'].flatMap((folder) =>
          other.disk.namesIn(folder).filter((name) => name.endsWith('.damaged')),
        );
      const found: string[] = [];
      for (let count = 1; count <= 3; count++) {
        other.crash('endProcess');
        for (const path of other.files.snapshots) other.damage(path, 0.5);
        other.start();
        await expectWell(cluster, other);
        expect(asideIn()).toHaveLength(count);
        expect(asideIn()).toEqual(expect.arrayContaining(found));
        found.splice(0, Infinity, ...asideIn());
      }
      other.crash('endProcess');
      await put(cluster, 100);
      await cluster.world.pass(limits.reportSilenceMs + limits.trimMs);
      const fetchedCount = kindsOf(other).filter((kind) => kind === 'snapshotFetched').length;
      other.start();
      await expectWell(cluster, other);
      expect(kindsOf(other).filter((kind) => kind === 'snapshotFetched')).toHaveLength(fetchedCount + 1);
      expect(asideIn()).toEqual(found);
    }));

  it('whose log is damaged gets a snapshot from the writer where the shared log is trimmed', () =>
    written(async (cluster, writer, other) => {
      await putUntilTrimmed(cluster, writer);
      await put(cluster, 3);
      await cluster.settle();
      other.crash('endProcess');
      const path = last(other.files.log);
      other.damage(path, 0);
      other.start();
      await expectWell(cluster, other);
      expect(damagesOf(other)).toEqual([expect.stringContaining(path) as string]);
      expect(kindsOf(other)).toContain('snapshotFetched');
      expect(other.disk.namesIn('/data/log').join()).toContain('.log.damaged');
    }));

  it('whose log is damaged reads the shared log from its beginning where that has it, without any other node', () =>
    written(
      async (cluster, _, other) => {
        await put(cluster, 20);
        // What follows a flush proves that all before it was there.
        await cluster.world.pass(2000);
        await put(cluster, 5);
        await cluster.settle();
        other.crash('losePower');
        const path = last(other.files.log);
        other.damage(path, 0.5);
        for (const node of cluster.nodes) if (node !== other) node.crash('endProcess');
        other.start();
        await cluster.world.until(() => other.isWriter, 30_000);
        await expectWell(cluster, other);
        expect(damagesOf(other)).toEqual([expect.stringContaining(path) as string]);
        expect(kindsOf(other)).not.toContain('snapshotFetched');
      },
      { limits: {} },
    ));

  it('that was the writer gets its state from the next one', () =>
    written(async (cluster, writer) => {
      await putUntilTrimmed(cluster, writer);
      writer.crash('losePower');
      for (const path of writer.files.snapshots) writer.damage(path, 0.5);
      writer.start();
      await cluster.world.until(() => cluster.writer !== undefined, 30_000);
      await expectWell(cluster, writer);
      expect(kindsOf(writer)).toEqual(expect.arrayContaining(['stateDamaged', 'snapshotFetched']));
    }));

  it('does not start when no other one has a snapshot for it, and says what to do; it does when one is back', () =>
    written(async (cluster, writer, other) => {
      await putUntilTrimmed(cluster, writer);
      for (const node of cluster.nodes) node.crash('endProcess');
      const { snapshots } = other.files;
      for (const path of snapshots) other.damage(path, 0.5);
      other.start();
      await cluster.world.until(() => other.refusals.length > 0, 2 * limits.healMsMax);
      expect(other.refusals[0]).toMatchObject({
        code: 'damaged',
        message: expect.stringMatching(/snapshot .* is damaged .*Start another node/) as string,
      });
      expect(other.files.snapshots).toEqual(snapshots);
      writer.start();
      await cluster.world.until(() => other.opened !== undefined && cluster.writer !== undefined, 90_000);
      await expectWell(cluster, other);
    }));

  it('leaves a directory as it is of which no file tells that it is of this cluster', () =>
    written(async (cluster, writer, other) => {
      await putUntilTrimmed(cluster, writer);
      other.crash('endProcess');
      const { log, snapshots } = other.files;
      for (const path of [...log, ...snapshots]) other.damage(path, 0);
      other.start();
      await cluster.world.until(() => other.refusals.length > 0);
      expect(other.refusals[0]).toMatchObject({ code: 'damaged' });
      expect(other.files).toEqual({ log, snapshots });
      expect(kindsOf(other)).not.toContain('stateDamaged');
    }));
});
