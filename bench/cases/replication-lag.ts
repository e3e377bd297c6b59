/**
 * Measures how far followers are behind the writer while puts come to it: from the acknowledgement of a put until a follower shows it,
 * in milliseconds, with the time of a local read at the follower beside it, of which the figure holds one; and the revisions that
 * are visible at the writer and not yet at the follower, which are asked at the same time.
 */
import { type BenchCase, type CaseContext, operationCount } from '../bench-case.ts';
import { keyOf, Values } from '../load/data.ts';
import { sendByH2load } from '../load/h2load.ts';
import { KelpCluster, type KelpNode } from '../load/kelp-cluster.ts';
import { PUT_PATH, putRequest } from '../load/kelp-requests.ts';
import { SHAPES_BY_CALLS } from '../load/server-turns.ts';
import { quantile } from '../load/statistics.ts';
import { EtcdMembers } from '../peers/etcd-members.ts';

const LOADS = [0, 1, 256, 2048];
const PROBES = 200;
const PROBE_EVERY_MS = 20;
const DEADLINE_MS = 30_000;
/** Puts of one run of `h2load`: some tenths of a second. */
const PUTS_BY_LOAD = new Map([
  [1, 100],
  [256, 5000],
  [2048, 20_000],
]);

const key = keyOf(0);
const probeKey = keyOf(1);
const value = new Values().of(0);
const put = { name: 'put', path: PUT_PATH, message: putRequest(key, value) };

export const replicationLag: BenchCase = {
  async run(context) {
    const etcd = await EtcdMembers.start(context, `${context.directory}/etcd`);
    if (etcd === undefined) return context.reportMissing('etcd is not installed');
    try {
      const cluster = await KelpCluster.start(context, `${context.directory}/nodes`, etcd.logOf('main'), 3);
      try {
        await measure(context, cluster);
      } finally {
        await cluster.stop();
      }
    } finally {
      await etcd.stop();
    }
  },
};

async function measure(context: CaseContext, cluster: KelpCluster): Promise<void> {
  const writer = await cluster.writer();
  const followers = cluster.followersOf(writer);
  for (const callsUnderWay of LOADS) {
    const over = new AbortController();
    const rates: number[] = [];
    const loaded = load(context, writer, callsUnderWay, rates, over.signal);
    const probed = await probe(context, writer, followers);
    over.abort();
    if (!(await loaded)) return context.reportMissing('h2load is not installed');
    const name = callsUnderWay === 0 ? 'no other puts' : `${callsUnderWay} puts under way`;
    if (rates.length > 0) context.report({ name: `${name}: puts`, unit: 'operations/s', samples: rates });
    for (const [what, unit, samples] of [
      ['from acknowledged to shown by a follower', 'ms', probed.shownMs],
      ['a local read at a follower', 'ms', probed.localMs],
      ['revisions behind', 'count', probed.revisions],
    ] as const) {
      context.report({ name: `${name}: ${what}, median`, unit, samples: [quantile(samples, 0.5)] });
      context.report({ name: `${name}: ${what}, p99`, unit, samples: [quantile(samples, 0.99)] });
      context.report({ name: `${name}: ${what}, most`, unit, samples: [Math.max(...samples)] });
    }
  }
}

/** Puts until the signal says so. @returns whether `h2load` is installed. */
async function load(
  context: CaseContext,
  { address }: KelpNode,
  callsUnderWay: number,
  rates: number[],
  signal: AbortSignal,
): Promise<boolean> {
  const shape = SHAPES_BY_CALLS.get(callsUnderWay);
  if (shape === undefined) return true;
  const count = operationCount(context, PUTS_BY_LOAD.get(callsUnderWay) ?? 0);
  for (let turn = 0; !signal.aborted; turn++) {
    const rate = await sendByH2load(context, `http://${address}`, put, count, shape);
    if (rate === undefined) return false;
    if (turn > 0) rates.push(rate);
  }
  return true;
}

interface Probed {
  readonly shownMs: readonly number[];
  readonly localMs: readonly number[];
  readonly revisions: readonly number[];
}

async function probe(
  context: CaseContext,
  writer: KelpNode,
  followers: readonly KelpNode[],
): Promise<Probed> {
  const shownMs: number[] = [];
  const localMs: number[] = [];
  const revisions: number[] = [];
  for (let index = 0; index < operationCount(context, PROBES); index++) {
    const follower = followers[index % followers.length]?.client;
    if (follower === undefined) throw new Error('there are followers');
    const { revision } = await writer.client.put(probeKey, value, { deadlineMs: DEADLINE_MS });
    const read = { consistency: 'local', deadlineMs: DEADLINE_MS } as const;
    shownMs.push(await timeOf(() => follower.get(probeKey, { ...read, minRevision: revision })));
    localMs.push(await timeOf(() => follower.get(probeKey, read)));
    const [newest, shown] = await Promise.all(
      [writer.client, follower].map((client) => client.admin.status({ deadlineMs: DEADLINE_MS })),
    );
    revisions.push(Math.max(0, (newest?.revision ?? NaN) - (shown?.revision ?? NaN)));
    await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
  }
  return { shownMs, localMs, revisions };
}

async function timeOf(run: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await run();
  return performance.now() - startMs;
}
