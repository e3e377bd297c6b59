/**
 * Measures what a call costs its caller: the calls that the processor time of the client's process, all its threads
 * included, would be enough for in a second. Messages are made and read within it, as programs do. And what it costs
 * the server.
 *
 * Puts are durable. Calls of one turn travel together, unless a row says that they do not. Read each row beside that of
 * `@grpc/grpc-js`.
 */
import { readGetResponse, readPutResponse } from '../../gen/kelp/v1/kv_codec.ts';
import { createClient } from '../../src/client/client.ts';
import type { KelpClient } from '../../src/client/client.ts';
import { type BenchCase, type CaseContext, operationCount } from '../bench-case.ts';
import { cpuNanos } from '../load/cpu.ts';
import { randomKeys, VALUE_BYTES, Values } from '../load/data.ts';
import { GrpcCaller } from '../load/grpc-caller.ts';
import { GET_PATH, getRequest, PUT_PATH, putRequest } from '../load/kelp-requests.ts';
import { fillServed, servedDirectory } from '../load/served-data.ts';
import { startKelp } from '../load/kelp-server.ts';
import { cpuSecondsOf } from '../load/process-figures.ts';
import { underWay } from '../load/under-way.ts';

/** One way to call the server. */
interface Caller {
  readonly name: string;
  /** What it does of the calls of a load: a slow one takes fewer for the same time, and compiles as much of its code. */
  readonly share: number;
  /** @returns how long the value is. */
  get(key: string): Promise<number>;
  put(key: string, value: Uint8Array): Promise<unknown>;
  close(): void;
}

const LOADS = [
  { kind: 'get', concurrency: 1, count: 5000 },
  { kind: 'get', concurrency: 256, count: 100_000 },
  { kind: 'put', concurrency: 256, count: 50_000 },
] as const;

const NANOS_PER_SECOND = 1e9;

export const servedClient: BenchCase = {
  prepare: fillServed,

  async run(context) {
    const server = await startKelp(context, servedDirectory(context), 'always');
    try {
      const { ready, processId } = server;
      const callers = [kelpCaller(ready, true), kelpCaller(ready, false), await grpcJsCaller(ready)];
      for (const caller of callers) {
        for (const load of LOADS) await measure(context, processId, caller, load);
        caller.close();
      }
    } finally {
      await server.stop();
    }
  },
};

async function measure(
  context: CaseContext,
  serverId: number,
  caller: Caller,
  { kind, concurrency, count }: (typeof LOADS)[number],
): Promise<void> {
  const calls = operationCount(context, count * caller.share);
  const values = new Values();
  const rates: number[] = [];
  const serverRates: number[] = [];
  for (let repetition = 0; repetition <= context.repetitions; repetition++) {
    const keys = randomKeys(calls, context.keyCount, repetition);
    globalThis.gc?.();
    const serverBefore = await cpuSecondsOf(serverId);
    const before = cpuNanos();
    await underWay(concurrency, calls, async (index) => {
      const key = keys[index] as string;
      if (kind === 'put') await caller.put(key, values.of(index));
      else if ((await caller.get(key)) !== VALUE_BYTES) throw new Error(`${key} has another value`);
    });
    const nanos = cpuNanos() - before;
    // The first compiles the code.
    if (repetition === 0) continue;
    rates.push((calls * NANOS_PER_SECOND) / nanos);
    serverRates.push(calls / Math.max(0.01, (await cpuSecondsOf(serverId)) - serverBefore));
  }
  const name = `${caller.name}: ${kind}, ${concurrency} under way`;
  context.report({ name, unit: 'operations/s', samples: rates });
  context.report({
    name: `${name}, by the server's processor time`,
    unit: 'operations/s',
    samples: serverRates,
  });
}

function kelpCaller(address: string, pipeline: boolean): Caller {
  const client: KelpClient = createClient({ address, pipeline });
  return {
    name: pipeline ? 'the client' : 'the client, pipeline: false',
    share: 1,
    get: async (key) => (await client.get(key)).entry?.value.length ?? 0,
    put: (key, value) => client.put(key, value),
    close: () => client.close(),
  };
}

async function grpcJsCaller(address: string): Promise<Caller> {
  const caller = new GrpcCaller(address);
  await caller.connect();
  return {
    name: '@grpc/grpc-js',
    share: 1 / 10,
    async get(key) {
      const reply = await caller.call(GET_PATH, getRequest(key));
      return readGetResponse(reply, 0, reply.length).entry?.value.length ?? 0;
    },
    async put(key, value) {
      const reply = await caller.call(PUT_PATH, putRequest(key, value));
      return readPutResponse(reply, 0, reply.length).revision;
    },
    close: () => caller.close(),
  };
}
