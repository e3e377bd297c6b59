/**
 * Memory for a reply is taken before the reply is made: many calls of one turn would else hold a page each before the first of
 * them is refused.
 */
import { allowed } from '../../support/open-access.ts';
import { type DescMessage, type MessageInitShape, create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  ExistsRequestSchema,
  KeysRequestSchema,
  ScanRequestSchema,
  TxnRequestSchema,
} from '../../../gen/kelp/v1/kv_pb.ts';
import { LeaseServiceGetRequestSchema, ListRequestSchema } from '../../../gen/kelp/v1/lease_pb.ts';
import { PlacedChange } from '../../../src/engine/version.ts';
import type { KvStore } from '../../../src/kv/kv-store.ts';
import { openUncheckedStore } from '../../../src/kv/open-store.ts';
import type { Call } from '../../../src/server/calls/call.ts';
import { CallTable } from '../../../src/server/calls/call-table.ts';
import { kvMethods } from '../../../src/server/services/kv/kv.ts';
import { leaseMethods } from '../../../src/server/services/lease.ts';
import type { Method } from '../../../src/server/services/method.ts';
import { engineOfStore } from '../../store/model/engine-of-harness.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';

const LEASE_ID = 7;
const ITEMS = 200;

async function filledStore(): Promise<KvStore> {
  const store = await openUncheckedStore({
    dataDir: '/data',
    disk: new SimulatedDisk({ seed: 1 }),
    clock: new ManualClock(),
    random: new SeededRandom(1),
    ...engineOfStore(),
  });
  onTestFinished(() => store.close());
  await store.grantLease(60_000, LEASE_ID);
  const fills = Array.from({ length: ITEMS }, async (_, index) => {
    await store.put(`k${index}`, Buffer.alloc(100), { leaseId: LEASE_ID });
    await store.grantLease(60_000, 1000 + index);
  });
  await Promise.all(fills);
  return store;
}

/** A store that counts the results that it made. */
class CountingStore {
  madeCount = 0;
  readonly store: KvStore;

  constructor(store: KvStore) {
    this.store = new Proxy(store, {
      get: (_, name) => {
        const member: unknown = Reflect.get(store, name);
        if (typeof member !== 'function') return member;
        return (...given: unknown[]): unknown => this.#counted(Reflect.apply(member, store, given));
      },
    });
  }

  #counted(result: unknown): unknown {
    if (!(result instanceof Promise)) {
      this.madeCount++;
      return result;
    }
    return result.then((made: unknown) => {
      this.madeCount++;
      return made;
    });
  }
}

function request<Desc extends DescMessage>(
  method: Method,
  desc: Desc,
  message: MessageInitShape<Desc>,
): (store: KvStore, call: Call) => Promise<unknown> {
  if (method.kind !== 'unary') throw new Error('it has more than one reply');
  const bytes = Buffer.from(toBinary(desc, create(desc, message)));
  return async (store, call) => method.run(store, method.codecs.read(bytes, 0, bytes.length), call);
}

const keys = Array.from({ length: ITEMS }, (_, index) => `k${index}`);
const cases: readonly [string, ReturnType<typeof request>][] = [
  ['a page of leases', request(leaseMethods.list, ListRequestSchema, {})],
  [
    'the keys of a lease',
    request(leaseMethods.get, LeaseServiceGetRequestSchema, { leaseId: BigInt(LEASE_ID), includeKeys: true }),
  ],
  ['a page of entries', request(kvMethods.scan, ScanRequestSchema, {})],
  ['a page of keys', request(kvMethods.keys, KeysRequestSchema, { pattern: '*' })],
  ['which keys there are', request(kvMethods.exists, ExistsRequestSchema, { keys })],
  [
    'the results of a transaction',
    request(kvMethods.txn, TxnRequestSchema, {
      success: keys.map((key) => ({ operation: { case: 'get' as const, value: { key } } })),
    }),
  ],
];

describe.each(cases)('%s', (_, run) => {
  const limits = { callsMax: 100, replyBytesMax: 1 << 20 };

  test('is not made when there is no memory for it', async () => {
    const counting = new CountingStore(await filledStore());
    const table = new CallTable({ ...limits, callBytesMax: 1000 });
    const call = allowed(table.open({ cut: () => undefined }, false));

    await expect(run(counting.store, call)).rejects.toMatchObject({ code: 'limitReached' });

    expect(counting.madeCount).toBe(0);
  });

  test('is made for as many calls at once as there is memory for', async () => {
    const counting = new CountingStore(await filledStore());
    const alone = new CallTable({ ...limits, callBytesMax: 1 << 20 });
    await run(counting.store, allowed(alone.open({ cut: () => undefined }, false)));
    const bytes = alone.heldBytes;
    expect(bytes).toBeGreaterThanOrEqual(8 * ITEMS);

    counting.madeCount = 0;
    const table = new CallTable({ ...limits, callBytesMax: 3 * bytes });
    const calls = Array.from({ length: 20 }, () => allowed(table.open({ cut: () => undefined }, false)));
    const outcomes = await Promise.allSettled(calls.map((call) => run(counting.store, call)));

    // What is refused halfway has charged some of it.
    const madeCount = outcomes.filter(({ status }) => status === 'fulfilled').length;
    expect(madeCount).toBeGreaterThan(0);
    expect(madeCount).toBeLessThanOrEqual(3);
    expect(counting.madeCount).toBe(madeCount);
  });

  test('takes so many times the memory for a door that holds it in several forms', async () => {
    const store = await filledStore();
    const table = new CallTable({ ...limits, callBytesMax: 1 << 22 });
    const [once, often] = [false, false].map(() => allowed(table.open({ cut: () => undefined }, false))) as [
      Call,
      Call,
    ];
    often.replyCopies = 4;

    await run(store, once);
    await run(store, often);

    expect(often.heldBytes).toBe(4 * once.heldBytes);
  });
});

test('of a page that does not fit no value is copied beyond what was charged', async () => {
  const store = await filledStore();
  const copied = vi.spyOn(PlacedChange.prototype, 'copyValue');
  onTestFinished(() => copied.mockRestore());
  let left = 5;
  const charge = (): void => {
    if (left-- === 0) throw new Error('no memory');
  };

  await expect(store.scan({}, { charge })).rejects.toThrow('no memory');

  expect(copied).toHaveBeenCalledTimes(5);
});
