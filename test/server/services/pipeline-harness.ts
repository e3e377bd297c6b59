/** Pipelines on a store of their own, by the method itself: a test gives the requests, asks for the replies and holds the disk. */
import { allowed } from '../../support/open-access.ts';
import { type MessageInitShape, create, toBinary } from '@bufbuild/protobuf';
import type { PipelineResponseShape } from '../../../gen/kelp/v1/kv_codec.ts';
import {
  type PipelineOperationSchema,
  PipelineRequestSchema,
  type PipelineResult,
} from '../../../gen/kelp/v1/kv_pb.ts';
import { openUncheckedStore } from '../../../src/kv/open-store.ts';
import type { StoreOptions } from '../../../src/store/store-options.ts';
import { CallTable } from '../../../src/server/calls/call-table.ts';
import { kvMethods } from '../../../src/server/services/kv/kv.ts';
import { UnreadRequest } from '../../../src/server/services/method.ts';
import { HeldDisk } from '../../support/held-disk.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { engineOfStore } from '../../store/model/engine-of-harness.ts';
import { DATA_DIR } from '../../store/model/store-harness.ts';

export type Operation = NonNullable<MessageInitShape<typeof PipelineOperationSchema>['operation']>;

export const utf8 = new TextEncoder();
export const KiB = 1024;

export const get = (key: string): Operation => ({ case: 'get', value: { key } });
export const put = (key: string, text = key): Operation => ({
  case: 'put',
  value: { key, value: utf8.encode(text) },
});
export const batch = (...operations: Operation[]): MessageInitShape<typeof PipelineRequestSchema> => ({
  operations: operations.map((operation) => ({ operation })),
});

/** The value of an entry as text, or what there is in its place. */
export function told({ result }: PipelineResult): unknown {
  switch (result.case) {
    case 'get':
      return result.value.entry === undefined ? 'absent' : Buffer.from(result.value.entry.value).toString();
    case 'failure':
      return [result.value.code, result.value.message];
    case 'put':
    case 'touch':
      return `revision ${result.value.revision}`;
    case 'delete':
      return result.value.deleted;
    case 'increment':
      return result.value.value;
    case 'exists':
      return result.value.exists;
    default:
      return undefined;
  }
}

interface PipelineOptions {
  readonly replyBytesMax?: number;
  readonly callBytesMax?: number;
  readonly storeOptions?: Pick<StoreOptions, 'engine' | 'makeEngine' | 'memoryBytesMax'>;
}

export async function startPipeline(options: PipelineOptions = {}) {
  const { replyBytesMax = 1_000_000, callBytesMax = 10_000_000, storeOptions } = options;
  const clock = new ManualClock();
  const simulated = new SimulatedDisk({ seed: 1 });
  const disk = new HeldDisk(simulated);
  const store = await openUncheckedStore({
    dataDir: DATA_DIR,
    disk,
    clock,
    random: new SeededRandom(1),
    ...storeOptions,
    ...engineOfStore(storeOptions),
  });
  const table = new CallTable({ callsMax: 1000, callBytesMax, replyBytesMax });
  const method = kvMethods.pipeline;
  if (method.kind !== 'bidiStream') throw new Error('it is no stream');
  const open = () => {
    const call = allowed(table.open({ cut: () => undefined }, true));
    const requests = new Requests();
    const stream = method.run(store, requests, call, call.signal);
    const replies = stream[Symbol.asyncIterator]() as AsyncIterator<PipelineResponseShape>;
    const sendBytes = (bytes: Buffer): void => requests.give(new UnreadRequest(method, bytes));
    const send = (request: MessageInitShape<typeof PipelineRequestSchema>): void =>
      sendBytes(Buffer.from(toBinary(PipelineRequestSchema, create(PipelineRequestSchema, request))));
    return { call, requests, replies, send, sendBytes };
  };
  return { simulated, disk, clock, store, table, open, ...open() };
}

/** What became of the operations of a batch. */
export const texts = (next: IteratorResult<PipelineResponseShape>): unknown[] =>
  (next.value as PipelineResponseShape).results.map((result) => told(result as unknown as PipelineResult));

/** Requests as a test gives them. */
class Requests implements AsyncIterableIterator<UnreadRequest> {
  takenCount = 0;
  readonly #waiting: UnreadRequest[] = [];
  #hasEnded = false;
  #wake: (() => void) | undefined;

  [Symbol.asyncIterator](): this {
    return this;
  }

  give(request: UnreadRequest): void {
    this.#waiting.push(request);
    this.#wake?.();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<UnreadRequest>> {
    for (;;) {
      const value = this.#waiting.shift();
      if (value !== undefined) {
        this.takenCount++;
        return { done: false, value };
      }
      if (this.#hasEnded) return { done: true, value: undefined };
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** Lets all that can happen by itself happen. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
}
