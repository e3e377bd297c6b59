/**
 * Measures the etcd door of `kelp serve --fsync always` beside etcd, which flushes before it answers too: the same requests, from
 * the same clients, by turns. What is compared is calls for each second of the server's processor time, since clients and servers
 * share the machine, and the memory of the same watches. That of keys is for `etcd-memory`.
 */
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { keyOf, Values } from '../load/data.ts';
import { type H2Request, type H2Server, h2loadRates, type ServerRates } from '../load/h2load.ts';
import { startKelp } from '../load/kelp-server.ts';
import { residentBytesOf } from '../load/process-figures.ts';
import { framed, openConnection, RawStream } from '../load/raw-stream.ts';
import { underWay } from '../load/under-way.ts';
import {
  ETCD_PUT_PATH,
  ETCD_WATCH_PATH,
  etcdPutRequest,
  etcdWatchRequest,
  RANGE_PATH,
  rangeRequest,
  startEtcd,
} from '../peers/etcd.ts';
import { fillEtcdKeys } from '../peers/etcd-fill.ts';

const REQUEST_COUNT = 30_000;
const WATCHES = 5000;
const REST_MS = 25_000;
const QUICK_REST_MS = 100;
const WATCH_CONNECTIONS = 10;
const OPENED_AT_ONCE = 64;

interface Target {
  readonly name: 'KelpDB' | 'etcd';
  readonly address: string;
  readonly processId: number;
}

export const etcdFront: BenchCase = {
  async run(context) {
    const etcd = await startEtcd(context, `${context.directory}/etcd`);
    if (etcd === undefined) return context.reportMissing('etcd is not installed');
    const kelp = await startKelp(context, `${context.directory}/kelp`, 'always');
    try {
      const targets = [
        { name: 'KelpDB', address: kelp.ready, processId: kelp.processId },
        { name: 'etcd', address: etcd.address, processId: etcd.child.processId },
      ] as const;
      for (const { address } of targets) await fillEtcdKeys(address, context.keyCount);
      const key = keyOf(0);
      const value = new Values().of(0);
      const requests: readonly H2Request[] = [
        { name: 'Range of one key', path: RANGE_PATH, message: rangeRequest(key) },
        { name: 'Put', path: ETCD_PUT_PATH, message: etcdPutRequest(key, value) },
      ];
      for (const request of requests) await measure(context, targets, request);
      await measureWatches(context, targets);
    } finally {
      await Promise.all([kelp.stop(), etcd.child.stop()]);
    }
  },
};

async function measure(
  context: CaseContext,
  targets: readonly [Target, Target],
  request: H2Request,
): Promise<void> {
  const count = operationCount(context, REQUEST_COUNT);
  const rates: [ServerRates[], ServerRates[]] = [[], []];
  for (let repetition = 0; repetition <= context.repetitions; repetition++) {
    for (const index of [0, 1] as const) {
      const { name, address, processId } = targets[index];
      const server: H2Server = { name, url: `http://${address}`, processId };
      const found = await h2loadRates(context, server, request, count);
      if (found === undefined) return context.reportMissing('h2load is not installed');
      // In the first, code is compiled: a server is at work for longer than a benchmark.
      if (repetition > 0) rates[index].push(found);
    }
  }
  const [kelp, etcd] = rates;
  for (const [kind, by] of [
    ['perSecond', 'by the clock'],
    ['perCpuSecond', "by the server's processor time"],
  ] as const) {
    const ratios = kelp.map((found, turn) => found[kind] / (etcd[turn]?.[kind] ?? NaN));
    for (const [index, { name }] of targets.entries())
      context.report({
        name: `${name}: ${request.name}, ${by}`,
        unit: 'operations/s',
        samples: (rates[index] ?? []).map((found) => found[kind]),
      });
    context.report({ name: `KelpDB to etcd: ${request.name}, ${by}`, unit: 'ratio', samples: ratios });
  }
}

/** A watch on a stream of its own, of a key each: at once, and when what was made on the way may have been given back. */
async function measureWatches(context: CaseContext, targets: readonly [Target, Target]): Promise<void> {
  const count = operationCount(context, WATCHES);
  const taken: number[] = [];
  for (const { name, address, processId } of targets) {
    // What a process makes ready for the first is no cost of each.
    const closeFirst = await openWatches(address, Math.ceil(count / 10));
    await rest(context);
    const before = await residentBytesOf(processId);
    const bytesOfOne = async (): Promise<number> => ((await residentBytesOf(processId)) - before) / count;
    const close = await openWatches(address, count);
    const atOnce = await bytesOfOne();
    await rest(context);
    const bytes = await bytesOfOne();
    context.report({ name: `${name}: a watch, resident at once`, unit: 'bytes', samples: [atOnce] });
    context.report({ name: `${name}: a watch, resident after a rest`, unit: 'bytes', samples: [bytes] });
    taken.push(bytes);
    close();
    closeFirst();
  }
  const [kelp = NaN, etcd = NaN] = taken;
  context.report({
    name: 'KelpDB to etcd: a watch, resident after a rest',
    unit: 'ratio',
    samples: [kelp / etcd],
  });
}

function rest({ isQuick }: CaseContext): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, isQuick ? QUICK_REST_MS : REST_MS));
}

async function openWatches(address: string, count: number): Promise<() => void> {
  const connections = await Promise.all(
    Array.from({ length: WATCH_CONNECTIONS }, () => openConnection(address)),
  );
  await underWay(OPENED_AT_ONCE, count, async (index) => {
    const connection = connections[index % WATCH_CONNECTIONS];
    if (connection === undefined) return;
    await new Promise<void>((resolve, reject) => {
      const reader = { message: () => resolve(), failed: reject };
      new RawStream(connection, address, ETCD_WATCH_PATH, reader).send(
        framed(etcdWatchRequest(keyOf(index))),
      );
    });
  });
  return () => {
    for (const connection of connections) connection.destroy();
  };
}
