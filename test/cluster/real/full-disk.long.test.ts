/**
 * Nodes of a cluster whose disk is full. A node keeps on its disk what lies in the shared log, so a full one takes nothing from what was
 * acknowledged: a writer makes room for another one, a follower is not ready until it has caught up, and both go on by themselves when
 * there is room again. In part of the time without file systems of their own.
 */
import { type TestContext, describe, expect, test } from 'vitest';
import { rounds } from '../../support/share.ts';
import type { NodeCluster, RealNode } from './node-cluster.ts';
import { ForbiddenWrites, SmallFileSystems, type SmallDisks } from './small-disks.ts';
import { TIMEOUT_MS, survive } from './survive.ts';

const CALLS = 200;
const MiB = 1024 * 1024;

const kinds: Readonly<Record<string, (context: TestContext) => SmallDisks>> = {
  'nothing can be written to the files': () => new ForbiddenWrites(),
  'the file system is full': (context) => new SmallFileSystems(context, 16 * MiB),
};

describe.each(Object.entries(kinds).slice(0, rounds(4)))(
  'nothing that was acknowledged is lost when %s',
  (_, open) => {
    test('of the writer: another node takes over', { timeout: TIMEOUT_MS }, async (context) => {
      await withFullDisk(open(context), async (cluster, fill) => {
        const writer = await cluster.writer();
        await fill(writer);
        await cluster.writer(writer);
        return writer;
      });
    });

    test('of a follower: it is not ready, and the others go on', { timeout: TIMEOUT_MS }, async (context) => {
      await withFullDisk(open(context), async (cluster, fill, goOn) => {
        const writer = await cluster.writer();
        const [follower] = cluster.others(writer);
        if (follower === undefined) throw new Error('there are followers');
        await fill(follower);
        await goOn();
        await expect.poll(() => isReady(follower), { timeout: TIMEOUT_MS }).toBe(false);
        expect(await cluster.writer()).toBe(writer);
        return follower;
      });
    });
  },
);

type Filled = (
  cluster: NodeCluster,
  fill: (node: RealNode) => Promise<void>,
  goOn: () => Promise<void>,
) => Promise<RealNode>;

/** @param harm resolves with the node that gets room again. */
async function withFullDisk(disks: SmallDisks, harm: Filled): Promise<void> {
  await survive(
    async (cluster, load) => {
      const indexOf = (node: RealNode): number => cluster.nodes.indexOf(node);
      const node = await harm(
        cluster,
        (each) => disks.fill(each, indexOf(each)),
        () => load.done(load.doneCount + CALLS),
      );
      await node.process.loggedWhere(tellsOfDisk, 'what is wrong with its disk');
      return async () => {
        await disks.makeRoom(node, indexOf(node));
        await expect.poll(() => isReady(node), { timeout: TIMEOUT_MS }).toBe(true);
      };
    },
    1,
    { ofNode: async (index) => ({ dataDir: await disks.dataDir(index) }) },
  );
}

async function isReady(node: RealNode): Promise<boolean> {
  return (await fetch(`http://${node.address}/readyz`)).ok;
}

function tellsOfDisk({ level, err }: Readonly<Record<string, unknown>>): boolean {
  return (level === 'error' || level === 'fatal') && /ENOSPC|EFBIG/.test(JSON.stringify(err));
}
