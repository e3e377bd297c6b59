/**
 * Measures for how long no put is acknowledged when something of a cluster of three nodes over three members of etcd is killed, halted,
 * stopped or handed over, with nothing set but the addresses. Clients have all of them, and one begins with each node; puts come at a
 * steady pace. A put that was sent to what is gone may wait for longer than the gap is. Each fault is made good again before the next.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { type Gaps, GapMeter } from '../load/gap-meter.ts';
import { KelpCluster, type KelpNode } from '../load/kelp-cluster.ts';
import { type EtcdMember, EtcdMembers } from '../peers/etcd-members.ts';

const QUIET_MS = 2000;
/** The consequences of a fault begin within this. */
const FAULT_MS = 4000;
const OUTAGE_MS = 3000;

interface Site {
  readonly etcd: EtcdMembers;
  readonly cluster: KelpCluster;
  readonly writer: KelpNode;
  readonly leader: EtcdMember;
  readonly meter: GapMeter;
}

/** Does the harm. @returns what makes it good again. */
type Fault = (site: Site) => Promise<() => Promise<unknown>>;

const faults: Readonly<Record<string, Fault>> = {
  'the writer is killed': async ({ writer }) => {
    await writer.end('SIGKILL');
    return () => writer.start();
  },
  'the writer is halted (SIGSTOP)': async ({ writer }) => {
    writer.child.signal('SIGSTOP');
    return async () => writer.child.signal('SIGCONT');
  },
  'the writer is stopped (SIGTERM)': async ({ writer }) => {
    await writer.end('SIGTERM');
    return () => writer.start();
  },
  'kelp cluster handover': async ({ writer }) => {
    await writer.client.cluster.handover({ deadlineMs: 10_000 });
    return async () => undefined;
  },
  'a follower is killed': async ({ cluster, writer }) => {
    const [follower] = cluster.followersOf(writer);
    await follower?.end('SIGKILL');
    return async () => follower?.start();
  },
  "etcd's leader is killed": async ({ leader }) => {
    await leader.end('SIGKILL');
    return () => leader.start();
  },
  "etcd's leader is halted (SIGSTOP)": async ({ leader }) => {
    leader.child.signal('SIGSTOP');
    return async () => leader.child.signal('SIGCONT');
  },
  "the writer and etcd's leader are killed": async ({ writer, leader }) => {
    await Promise.all([writer.end('SIGKILL'), leader.end('SIGKILL')]);
    return () => Promise.all([leader.start(), writer.start()]);
  },
  // The outage itself is none of the figure: it is counted from when the two are there again.
  'two members of etcd are back after 3 s': async ({ etcd, meter }) => {
    const two = etcd.all.slice(0, 2);
    await Promise.all(two.map((member) => member.end('SIGKILL')));
    await delay(OUTAGE_MS);
    await Promise.all(two.map((member) => member.start()));
    meter.begin();
    return async () => undefined;
  },
};

export const replicationFailover: BenchCase = {
  async run(context) {
    const etcd = await EtcdMembers.start(context, `${context.directory}/etcd`);
    if (etcd === undefined) return context.reportMissing('etcd is not installed');
    try {
      const cluster = await KelpCluster.start(context, `${context.directory}/nodes`, etcd.logOf('main'), 3);
      const meter = new GapMeter(cluster.addresses);
      try {
        for (const [name, fault] of Object.entries(faults))
          await measure(context, name, fault, { etcd, cluster, meter });
      } finally {
        meter.stop();
        await cluster.stop();
      }
    } finally {
      await etcd.stop();
    }
  },
};

async function measure(
  context: CaseContext,
  name: string,
  fault: Fault,
  site: Omit<Site, 'writer' | 'leader'>,
): Promise<void> {
  const all: number[] = [];
  const slowest: number[] = [];
  const longest: number[] = [];
  const failures: number[] = [];
  for (let repetition = 0; repetition < context.repetitions; repetition++) {
    const gaps = await once(fault, site);
    all.push(gaps.allMs);
    slowest.push(gaps.slowestMs);
    longest.push(gaps.longestMs);
    failures.push(gaps.failureCount);
  }
  context.report({ name: `${name}: no put of any client`, unit: 'ms', samples: all });
  context.report({ name: `${name}: no put of the slowest client`, unit: 'ms', samples: slowest });
  context.report({ name: `${name}: the longest that a put took`, unit: 'ms', samples: longest });
  context.report({ name: `${name}: puts that failed`, unit: 'count', samples: failures });
}

async function once(fault: Fault, given: Omit<Site, 'writer' | 'leader'>): Promise<Gaps> {
  const { cluster, etcd, meter } = given;
  const writer = await cluster.writer();
  const leader = await etcd.leader();
  await meter.allServed();
  await delay(QUIET_MS);
  meter.begin();
  const repair = await fault({ ...given, writer, leader });
  await delay(FAULT_MS);
  await meter.allServed();
  const gaps = meter.gaps();
  await repair();
  return gaps;
}
