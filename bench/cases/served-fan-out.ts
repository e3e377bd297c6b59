/**
 * Measures events of one key to many watchers, by the processor time that the server takes for them and for their puts;
 * etcd's beside them. A rate counts each event once for every watcher that got it.
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { type BenchCase, type CaseContext, operationCount } from '../bench-case.ts';
import { keyOf, Values } from '../load/data.ts';
import { GrpcCaller } from '../load/grpc-caller.ts';
import { PUT_PATH, putRequest, WATCH_PATH, watchRequest } from '../load/kelp-requests.ts';
import { startKelp } from '../load/kelp-server.ts';
import { cpuSecondsOf } from '../load/process-figures.ts';
import { RawStream, framed, openConnection } from '../load/raw-stream.ts';
import { underWay } from '../load/under-way.ts';
import {
  ETCD_PUT_PATH,
  ETCD_WATCH_PATH,
  etcdPutRequest,
  etcdWatchRequest,
  startEtcd,
} from '../peers/etcd.ts';

const LOADS = [
  { watchers: 100, connections: 1, putCount: 15_000 },
  { watchers: 100, connections: 10, putCount: 15_000 },
  { watchers: 1000, connections: 10, putCount: 2000 },
] as const;
type Load = (typeof LOADS)[number];

const PUTS_UNDER_WAY = 64;
/** etcd takes twenty times longer. */
const ETCD_SHARE = 1 / 10;
const CPU_SECONDS_MIN = 0.01;
const OPENED_AT_ONCE = 64;

interface Target {
  readonly name: string;
  readonly address: string;
  readonly processId: number;
  readonly share: number;
  readonly watchPath: string;
  readonly watch: Buffer;
  /** Whether nothing may follow it. */
  readonly isOnlyRequest: boolean;
  readonly putPath: string;
  put(value: Uint8Array): Buffer;
  /** The events of a message. */
  eventsIn(buffer: Buffer, start: number, end: number): number;
}

export const servedFanOut: BenchCase = {
  async run(context) {
    const kelp = await startKelp(context, `${context.directory}/data`, 'never');
    try {
      for (const load of LOADS) await measure(context, kelpTarget(kelp.ready, kelp.processId), load);
    } finally {
      await kelp.stop();
    }
    const etcd = await startEtcd(context, `${context.directory}/etcd`);
    if (etcd === undefined) return context.reportMissing('etcd is not installed');
    try {
      for (const load of LOADS) await measure(context, etcdTarget(etcd.address, etcd.child.processId), load);
    } finally {
      await etcd.child.stop();
    }
  },
};

const key = keyOf(0);

function kelpTarget(address: string, processId: number): Target {
  return {
    name: 'KelpDB',
    address,
    processId,
    share: 1,
    watchPath: WATCH_PATH,
    watch: framed(watchRequest(key)),
    isOnlyRequest: true,
    putPath: PUT_PATH,
    put: (value) => putRequest(key, value),
    // A put is a revision, which has a message of its own.
    eventsIn: () => 1,
  };
}

function etcdTarget(address: string, processId: number): Target {
  return {
    name: 'etcd',
    address,
    processId,
    share: ETCD_SHARE,
    watchPath: ETCD_WATCH_PATH,
    watch: framed(etcdWatchRequest(key)),
    isOnlyRequest: false,
    putPath: ETCD_PUT_PATH,
    put: (value) => etcdPutRequest(key, value),
    eventsIn: etcdEventsIn,
  };
}

/** WatchResponse { repeated Event events = 11 } */
function etcdEventsIn(buffer: Buffer, start: number, end: number): number {
  const reader = new BinaryReader(buffer.subarray(start, end));
  let count = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 11 && wireType === WireType.LengthDelimited) count++;
    reader.skip(wireType, field);
  }
  return count;
}

async function measure(
  context: CaseContext,
  target: Target,
  { watchers, connections, putCount }: Load,
): Promise<void> {
  const count = operationCount(context, putCount * target.share);
  const writer = new GrpcCaller(target.address);
  await writer.connect();
  const watching = await Watching.open(target, watchers, connections);
  const values = new Values();
  const samples: number[] = [];
  for (let repetition = 0; repetition <= context.repetitions; repetition++) {
    const before = await cpuSecondsOf(target.processId);
    const all = watching.expect(count * watchers);
    await underWay(PUTS_UNDER_WAY, count, (index) =>
      writer.call(target.putPath, target.put(values.of(index))),
    );
    await all;
    const seconds = (await cpuSecondsOf(target.processId)) - before;
    // The first compiles the code.
    if (repetition > 0) samples.push((count * watchers) / Math.max(CPU_SECONDS_MIN, seconds));
  }
  watching.close();
  writer.close();
  const on = connections === 1 ? 'one connection' : `${connections} connections`;
  context.report({
    name: `${target.name}: ${watchers} watchers of one key, ${on}, by the server's processor time`,
    unit: 'events/s',
    samples,
  });
}

class Watching {
  #missing = 0;
  #onAll: () => void = () => undefined;
  #onFailed: (error: Error) => void = () => undefined;
  #closes: (() => void)[] = [];

  static async open(target: Target, watchers: number, connectionCount: number): Promise<Watching> {
    const watching = new Watching();
    const connections = await Promise.all(
      Array.from({ length: connectionCount }, () => openConnection(target.address)),
    );
    watching.#closes = connections.map((connection) => () => connection.destroy());
    await underWay(OPENED_AT_ONCE, watchers, async (index) => {
      const connection = connections[index % connectionCount];
      if (connection === undefined) return;
      await new Promise<void>((resolve, reject) => {
        let isLive = false;
        const stream = new RawStream(connection, target.address, target.watchPath, {
          message: (buffer, start, end) => {
            if (isLive) watching.#came(target.eventsIn(buffer, start, end));
            // The first says that every later change will come.
            isLive = true;
            resolve();
          },
          failed: (error) => {
            reject(error);
            watching.#onFailed(error);
          },
        });
        stream.send(target.watch);
        if (target.isOnlyRequest) stream.finish();
      });
    });
    return watching;
  }

  /** Resolves when so many events have come. */
  expect(eventCount: number): Promise<void> {
    this.#missing = eventCount;
    return new Promise((resolve, reject) => {
      this.#onAll = resolve;
      this.#onFailed = reject;
    });
  }

  close(): void {
    for (const close of this.#closes) close();
  }

  #came(count: number): void {
    this.#missing -= count;
    if (this.#missing === 0) this.#onAll();
  }
}
