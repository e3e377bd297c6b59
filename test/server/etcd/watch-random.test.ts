/** Random writes under watches, to KelpDB and to a real etcd: every watch must tell both alike, from history as from now on. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type WatchCreateRequestSchema,
  WatchCreateRequest_FilterType as FilterType,
} from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { SeededRandom } from '../../support/random.ts';
import type { EtcdClient } from './support/etcd-client.ts';
import { hasRealEtcd } from './support/real-etcd.ts';
import { KEPT_HISTORY_FLAGS } from '../../support/test-engine.ts';
import { SideBySide } from './support/side-by-side.ts';
import { Watched } from './support/watched.ts';

const { ETCD_WATCH_SEED = '20261127' } = process.env;
const ROUNDS = 8;
const STEPS_OF_A_ROUND = 40;

type Step = (client: EtcdClient) => Promise<{ readonly header?: { readonly revision: bigint } | undefined }>;

type Create = MessageInitShape<typeof WatchCreateRequestSchema>;

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** One random call. It may fail, on both sides alike. */
function stepOf(random: SeededRandom): Step {
  const key = bytes(`${random.pick(['a', 'b', 'c'])}/${random.below(4)}`);
  const value = bytes(String(random.below(1000)));
  const range = random.pick([
    { key },
    { key: bytes('b/'), rangeEnd: bytes('b0') },
    { key, rangeEnd: bytes('c/2') },
  ]);
  const ID = BigInt(1 + random.below(3));
  return random.pick<Step>([
    ({ kv }) => kv.put({ key, value }),
    ({ kv }) => kv.put({ key, value, prevKv: true }),
    ({ kv }) => kv.put({ key, value, lease: ID }),
    ({ kv }) => kv.deleteRange(range),
    ({ kv }) =>
      kv.txn({
        success: [
          { request: { case: 'requestPut', value: { key: bytes('d/1'), value } } },
          { request: { case: 'requestDeleteRange', value: { key: bytes('a/'), rangeEnd: bytes('a/2') } } },
          { request: { case: 'requestPut', value: { key: bytes('b/9'), value } } },
        ],
      }),
    ({ lease }) => lease.leaseGrant({ ID, TTL: 10_000n }),
    ({ lease }) => lease.leaseRevoke({ ID }),
  ]);
}

/** Each watch with the key of the last event that it is told of a round. */
const watches: readonly { readonly last: string; readonly request: Create }[] = [
  { last: 'c/z', request: { key: bytes('\0'), rangeEnd: bytes('\0') } },
  { last: 'a/end', request: { key: bytes('a/'), rangeEnd: bytes('a0'), prevKv: true } },
  { last: 'b/1', request: { key: bytes('b/1'), prevKv: true } },
  {
    last: 'c/z',
    request: {
      key: bytes('b/'),
      rangeEnd: bytes('\0'),
      filters: [FilterType.NOPUT],
      prevKv: true,
      fragment: true,
    },
  },
  { last: 'b/1', request: { key: bytes('a/3'), rangeEnd: bytes('c/1'), filters: [FilterType.NODELETE] } },
];

const endOfRound: readonly Step[] = [
  ({ kv }) => kv.put({ key: bytes('a/end'), value: bytes('end') }),
  ({ kv }) => kv.put({ key: bytes('b/1'), value: bytes('end') }),
  ({ kv }) => kv.put({ key: bytes('c/z'), value: bytes('not the end') }),
  ({ kv }) => kv.deleteRange({ key: bytes('c/z') }),
];

/** The revision behind it, or what it failed with. */
async function done(step: Step, client: EtcdClient): Promise<string> {
  try {
    return `at ${(await step(client)).header?.revision}`;
  } catch (error) {
    return ConnectError.from(error).message;
  }
}

/** What each watch is told up to its last event, in its order. */
async function told(watched: Watched): Promise<unknown[][]> {
  const eventsOf: unknown[][] = watches.map(() => []);
  const isDone = watches.map(() => false);
  while (isDone.includes(false)) {
    const { watchId, events, created, canceled } = await watched.next();
    if (canceled) throw new Error(`watch ${watchId} is over`);
    if (created) continue;
    const index = Number(watchId) - 1;
    for (const { type, kv, prevKv } of events) {
      const [key, value] = [Buffer.from(kv?.key ?? []).toString(), Buffer.from(kv?.value ?? []).toString()];
      eventsOf[index]?.push({ type, key, kv: { ...kv }, prevKv: { ...prevKv } });
      if (key === watches[index]?.last && (value === 'end' || (key === 'c/z' && type === 1)))
        isDone[index] = true;
    }
  }
  return eventsOf;
}

describe.skipIf(!hasRealEtcd)('as etcd does', () => {
  test(`watches tell random writes, by seed ${ETCD_WATCH_SEED}`, { timeout: 120_000 }, async () => {
    const random = new SeededRandom(Number(ETCD_WATCH_SEED));
    const { etcd, kelp } = await SideBySide.start(KEPT_HISTORY_FLAGS);
    let revision = 1;
    const both = async (step: Step): Promise<void> => {
      const wanted = await done(step, etcd);
      expect(await done(step, kelp)).toBe(wanted);
      revision = Number(/^at (\d+)$/.exec(wanted)?.[1] ?? revision);
    };
    for (let round = 0; round < ROUNDS; round++) {
      const streams = [etcd, kelp].map((client) => new Watched(client));
      onTestFinished(() => {
        for (const stream of streams) stream.stop();
      });
      // Behind the end of the round before, so that the events at which it ends are not met again.
      const firstRevision = BigInt(revision + 1);
      const atStep = random.below(STEPS_OF_A_ROUND);
      for (let step = 0; step < STEPS_OF_A_ROUND; step++) {
        if (step === atStep) {
          for (const [index, { request }] of watches.entries()) {
            const startRevision = random.chance(0.5)
              ? firstRevision
              : BigInt(random.between(Number(firstRevision), revision + 3));
            for (const stream of streams)
              stream.create({ ...request, watchId: BigInt(index + 1), startRevision });
          }
        }
        await both(stepOf(random));
      }
      for (const step of endOfRound) await both(step);
      const [wanted, given] = await Promise.all(streams.map(told));
      expect(given, `round ${round}`).toEqual(wanted);
      for (const stream of streams) stream.stop();
    }
  });
});
