/** The faults of the table in docs/replication.md that befall what lies between the processes of a cluster. */
import { expect } from 'vitest';
import type { NodeCluster, RealNode } from './node-cluster.ts';
import type { Fault } from './survive.ts';

/** How many calls a cluster does in spite of a fault, before that goes. */
const CALLS = 200;
/** A writer that has nothing to write gives one each 500 ms. */
const SIGNS = 8;

export const networkFaults: Readonly<Record<string, Fault>> = {
  'the writer is cut off from etcd and from the other nodes, and clients reach it': async (cluster) => {
    const writer = await cluster.writer();
    cut(cluster, [writer.place], members(cluster));
    cut(cluster, [writer.place], nodes(cluster, writer));
    await cluster.writer(writer);
    return healed(cluster);
  },
  'the writer is cut off from etcd alone': async (cluster) => {
    const writer = await cluster.writer();
    cut(cluster, [writer.place], members(cluster));
    await cluster.writer(writer);
    return healed(cluster);
  },
  'what etcd answers to the writer is lost': async (cluster) => {
    const writer = await cluster.writer();
    lose(cluster, members(cluster), [writer.place]);
    await cluster.writer(writer);
    return healed(cluster);
  },
  'what the writer says to etcd is lost': async (cluster) => {
    const writer = await cluster.writer();
    lose(cluster, [writer.place], members(cluster));
    await cluster.writer(writer);
    return healed(cluster);
  },
  'no other node reaches the writer, which reaches etcd': async (cluster, load) => {
    const writer = await cluster.writer();
    const epoch = await cluster.epoch();
    cut(cluster, [writer.place], nodes(cluster, writer));
    await load.done(load.doneCount + CALLS);
    // Signs of life, for longer than the others wait.
    await cluster.goesOn(writer, SIGNS);
    expect(await cluster.epoch(), 'no node takes over from a writer that writes').toBe(epoch);
    return healed(cluster);
  },
  'a follower is cut off from etcd': async (cluster, load) => {
    const [follower] = cluster.others(await cluster.writer());
    if (follower === undefined) throw new Error('there are followers');
    cut(cluster, [follower.place], members(cluster));
    await load.done(load.doneCount + CALLS);
    await follower.process.logged(
      'the shared log does not answer: writes and reads wait, but for those that are local',
    );
    return healed(cluster);
  },
  'the leader of the log is cut off from all nodes': async (cluster, load) => {
    const leader = cluster.placeOf(await cluster.etcd.leader());
    cut(cluster, [leader], nodes(cluster));
    await load.done(load.doneCount + CALLS);
    return healed(cluster);
  },
  'the writer and the leader of the log are cut off from all nodes': async (cluster) => {
    const writer = await cluster.writer();
    const leader = cluster.placeOf(await cluster.etcd.leader());
    cut(cluster, [leader], nodes(cluster));
    cut(cluster, [writer.place], members(cluster));
    cut(cluster, [writer.place], nodes(cluster, writer));
    await cluster.writer(writer);
    return healed(cluster);
  },
  'all links are slow, and lose some of what they carry': async (cluster, load) => {
    cluster.network.slowDown();
    await load.done(load.doneCount + CALLS);
    return healed(cluster);
  },
};

/** Those that take a network in which each process has a place of its own. */
export const separateNetworkFaults: Readonly<Record<string, Fault>> = {
  'the writer is cut off from all, clients among them': async (cluster) => {
    const writer = await cluster.writer();
    cutOffAll(cluster, [writer.place]);
    await cluster.writer(writer);
    return healed(cluster);
  },
  'the leader of the log is cut off from all': async (cluster) => {
    const leader = await cluster.etcd.leader();
    cutOffAll(cluster, [cluster.placeOf(leader)]);
    await cluster.etcd.leader();
    return healed(cluster);
  },
  'the writer and the leader of the log are cut off from all': async (cluster) => {
    const writer = await cluster.writer();
    cutOffAll(cluster, [writer.place, cluster.placeOf(await cluster.etcd.leader())]);
    await cluster.etcd.leader();
    await cluster.writer(writer);
    return healed(cluster);
  },
  'the writer is in one part with one member of etcd, and all others in the other part': async (cluster) => {
    const writer = await cluster.writer();
    const [member = ''] = members(cluster);
    const part = [writer.place, member];
    cut(
      cluster,
      part,
      [...members(cluster), ...nodes(cluster)].filter((place) => !part.includes(place)),
    );
    await cluster.writer(writer);
    return healed(cluster);
  },
};

function healed(cluster: NodeCluster): () => Promise<void> {
  return () => Promise.resolve(cluster.network.heal());
}

function members(cluster: NodeCluster): readonly string[] {
  return cluster.etcd.members.map((member) => cluster.placeOf(member));
}

function nodes(cluster: NodeCluster, ...without: readonly RealNode[]): readonly string[] {
  return cluster.others(...without).map(({ place }) => place);
}

function lose(cluster: NodeCluster, from: readonly string[], to: readonly string[]): void {
  for (const sender of from) for (const receiver of to) cluster.network.lose(sender, receiver);
}

function cut(cluster: NodeCluster, some: readonly string[], others: readonly string[]): void {
  lose(cluster, some, others);
  lose(cluster, others, some);
}

/** Each of these from all others, and from each other. */
function cutOffAll(cluster: NodeCluster, places: readonly string[]): void {
  const all = ['test', ...members(cluster), ...nodes(cluster)];
  for (const [index, place] of places.entries()) {
    const done = places.slice(0, index);
    cut(
      cluster,
      [place],
      all.filter((other) => other !== place && !done.includes(other)),
    );
  }
}
