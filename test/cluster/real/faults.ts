/** The faults of the table in docs/replication.md that befall processes: each does its harm to a cluster under load. */
import { setTimeout as delay } from 'node:timers/promises';
import { kelp } from './kelp-command.ts';
import type { Fault } from './survive.ts';

/** Longer than a failover takes. */
const PAUSE_MS = 6_000;

export const faults: Readonly<Record<string, Fault>> = {
  'the writer is killed': async (cluster) => {
    const writer = await cluster.writer();
    await writer.end('SIGKILL');
    await cluster.writer(writer);
    return () => writer.start();
  },
  'the writer stands still and goes on': async (cluster) => {
    const writer = await cluster.writer();
    writer.pause();
    await cluster.writer(writer);
    return async () => writer.resume();
  },
  'the leader of the log is killed': async (cluster) => {
    const leader = await cluster.etcd.leader();
    await leader.kill();
    await cluster.etcd.leader();
    return async () => leader.start();
  },
  'the writer is stopped cleanly': async (cluster) => {
    const writer = await cluster.writer();
    await writer.end('SIGTERM');
    await cluster.writer(writer);
    return () => writer.start();
  },
  'the writer is told to hand over': async (cluster) => {
    const writer = await cluster.writer();
    await kelp('cluster', 'handover', `--address=${writer.address}`);
    await cluster.writer(writer);
    return () => Promise.resolve();
  },
  'a follower is killed': async (cluster) => {
    const [follower] = cluster.others(await cluster.writer());
    await follower?.end('SIGKILL');
    return async () => follower?.start();
  },
  'the writer and a follower are killed': async (cluster) => {
    const writer = await cluster.writer();
    const [follower] = cluster.others(writer);
    await Promise.all([writer.end('SIGKILL'), follower?.end('SIGKILL')]);
    await cluster.writer(writer);
    return () => Promise.all([writer.start(), follower?.start()]);
  },
  'all nodes are killed': async (cluster) => {
    await Promise.all(cluster.nodes.map((node) => node.end('SIGKILL')));
    return () => Promise.all(cluster.nodes.map((node) => node.start()));
  },
  'a follower stands still and goes on': async (cluster) => {
    const [follower] = cluster.others(await cluster.writer());
    follower?.pause();
    await delay(PAUSE_MS / 2);
    return async () => follower?.resume();
  },
  'the leader of the log stands still and goes on': async (cluster) => {
    const leader = await cluster.etcd.leader();
    leader.pause();
    await delay(PAUSE_MS / 2);
    return async () => leader.resume();
  },
  'the log has no majority for a while': async (cluster) => {
    const [one, two] = cluster.etcd.members;
    await Promise.all([one?.kill(), two?.kill()]);
    await delay(PAUSE_MS);
    return async () => {
      one?.start();
      two?.start();
      await cluster.etcd.leader();
    };
  },
  'the writer and the leader of the log are killed': async (cluster) => {
    const writer = await cluster.writer();
    const leader = await cluster.etcd.leader();
    await Promise.all([writer.end('SIGKILL'), leader.kill()]);
    await cluster.writer(writer);
    return async () => {
      leader.start();
      await writer.start();
    };
  },
  'all of it is killed': async (cluster) => {
    const { members } = cluster.etcd;
    await Promise.all([
      ...cluster.nodes.map((node) => node.end('SIGKILL')),
      ...members.map((member) => member.kill()),
    ]);
    for (const member of members) member.start();
    await cluster.etcd.leader();
    return () => Promise.all(cluster.nodes.map((node) => node.start()));
  },
};
