/** Random calls of etcd's API, drawn so that whatever etcd leaves open, or ends itself by, does not come among them. */
import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import {
  Compare_CompareResult as Result,
  Compare_CompareTarget as Target,
  type CompareSchema,
  CompactionResponseSchema,
  DeleteRangeResponseSchema,
  LeaseGrantResponseSchema,
  LeaseLeasesResponseSchema,
  LeaseRevokeResponseSchema,
  LeaseTimeToLiveResponseSchema,
  PutResponseSchema,
  RangeRequest_SortOrder as SortOrder,
  RangeRequest_SortTarget as SortTarget,
  type RangeRequestSchema,
  RangeResponseSchema,
  type RequestOpSchema,
  type TxnRequestSchema,
  TxnResponseSchema,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import type { SeededRandom } from '../../../support/random.ts';
import { type EtcdClient, type EtcdOutcome, outcomeOf } from '../support/etcd-client.ts';

export interface DrawnCall {
  readonly method: string;
  readonly request: unknown;
  /** Calls that only read may be under way together. */
  readonly isRead: boolean;
  readonly run: (client: EtcdClient) => Promise<EtcdOutcome>;
}

type Range = MessageInitShape<typeof RangeRequestSchema>;
type Txn = MessageInitShape<typeof TxnRequestSchema>;
type Op = MessageInitShape<typeof RequestOpSchema>;
type Compare = MessageInitShape<typeof CompareSchema>;
type Span = { readonly key: Uint8Array; readonly rangeEnd?: Uint8Array };

const KEYS = 24;
const LEASES = 5;
const LEASE_SECONDS = 100_000n;
const sortTargets = [SortTarget.KEY, SortTarget.VERSION, SortTarget.CREATE, SortTarget.MOD, SortTarget.VALUE];

const bytes = (text: string): Uint8Array => Buffer.from(text);
const nameOf = (index: number): string => `k${String(index).padStart(2, '0')}`;

/** @param revision the newest one, as far as the replies have told. */
export function drawCall(random: SeededRandom, revision: number): DrawnCall {
  const draw = new Draw(random, revision);
  const chance = random.below(100);
  if (chance < 32) {
    const request = draw.range();
    return made('Range', request, true, RangeResponseSchema, ({ kv }) => kv.range(request));
  }
  if (chance < 56) {
    const request = draw.put(0, KEYS, true);
    return made('Put', request, false, PutResponseSchema, ({ kv }) => kv.put(request));
  }
  if (chance < 64) {
    const request = { ...draw.span(0, KEYS, true), prevKv: random.chance(0.5) };
    return made('DeleteRange', request, false, DeleteRangeResponseSchema, ({ kv }) =>
      kv.deleteRange(request),
    );
  }
  if (chance < 88) {
    const request = random.chance(0.5) ? draw.flatTxn() : draw.nestedTxn(3);
    return made('Txn', request, false, TxnResponseSchema, ({ kv }) => kv.txn(request));
  }
  const ID = draw.lease();
  switch (random.below(6)) {
    case 0: {
      const drawn = revision + 2 - random.below(40);
      // Compactions to 0 and 1 drop nothing: etcd takes each once, KelpDB as often as they come.
      const request = {
        revision: BigInt(drawn === 0 || drawn === 1 ? 2 : drawn),
        physical: random.chance(0.2),
      };
      return made('Compact', request, false, CompactionResponseSchema, ({ kv }) => kv.compact(request));
    }
    case 1:
    case 2: {
      const request = { ID, TTL: LEASE_SECONDS };
      return made('LeaseGrant', request, false, LeaseGrantResponseSchema, ({ lease }) =>
        lease.leaseGrant(request),
      );
    }
    case 3:
      return made('LeaseRevoke', { ID }, false, LeaseRevokeResponseSchema, ({ lease }) =>
        lease.leaseRevoke({ ID }),
      );
    case 4: {
      const request = { ID, keys: random.chance(0.7) };
      return made('LeaseTimeToLive', request, true, LeaseTimeToLiveResponseSchema, ({ lease }) =>
        lease.leaseTimeToLive(request),
      );
    }
    default:
      return made('LeaseLeases', {}, true, LeaseLeasesResponseSchema, ({ lease }) => lease.leaseLeases({}));
  }
}

class Draw {
  readonly #random: SeededRandom;
  readonly #revision: number;

  constructor(random: SeededRandom, revision: number) {
    this.#random = random;
    this.#revision = revision;
  }

  range(inTxn = false): Range {
    const random = this.#random;
    const target = inTxn ? SortTarget.KEY : random.pick(sortTargets);
    const order = random.pick([SortOrder.NONE, SortOrder.ASCEND, SortOrder.DESCEND]);
    const filter = (): bigint =>
      random.chance(0.12) ? BigInt(Math.max(0, this.#revision - random.below(60))) : 0n;
    return {
      ...this.span(0, KEYS, true),
      // Which of several that are alike come within a limit is left open by etcd.
      limit: target === SortTarget.KEY && random.chance(0.4) ? BigInt(random.below(6)) : 0n,
      revision: random.chance(0.3) ? BigInt(Math.max(0, this.#revision + 2 - random.below(40))) : 0n,
      sortOrder: order,
      sortTarget: target,
      serializable: random.chance(0.2),
      keysOnly: random.chance(0.15),
      countOnly: random.chance(0.1),
      minModRevision: filter(),
      maxModRevision: filter(),
      minCreateRevision: filter(),
      maxCreateRevision: filter(),
    };
  }

  put(from: number, to: number, mayIgnore: boolean) {
    const random = this.#random;
    const ignoreValue = mayIgnore && random.chance(0.1);
    const ignoreLease = mayIgnore && random.chance(0.1);
    const hasAll = random.chance(0.1);
    return {
      key: random.chance(0.01) ? bytes('') : this.#key(from, to),
      value: ignoreValue && !hasAll ? bytes('') : bytes(`v${random.below(30)}`),
      lease: random.chance(0.2) && (!ignoreLease || hasAll) ? this.lease() : 0n,
      prevKv: random.chance(0.4),
      ignoreValue,
      ignoreLease,
    };
  }

  /** Within the keys of these numbers, unless it may be open. */
  span(from: number, to: number, mayBeOpen: boolean): Span {
    const random = this.#random;
    const key = this.#key(from, to);
    const chance = random.below(20);
    if (chance < 9) return { key };
    if (mayBeOpen && chance === 9) return { key, rangeEnd: bytes('\0') };
    if (mayBeOpen && chance === 10) return { key: bytes('\0'), rangeEnd: bytes('\0') };
    if (mayBeOpen && chance === 11) return { key: bytes(''), rangeEnd: bytes('k9') };
    // Its end is before its begin now and then.
    return { key, rangeEnd: this.#key(from, to) };
  }

  lease(): bigint {
    return BigInt(1 + this.#random.below(LEASES));
  }

  /** Of one list for each case; deletions and puts may meet, which is refused. */
  flatTxn(): Txn {
    const ops = (): Op[] => this.#list(4, () => this.#op(0, KEYS, 0, KEYS, true));
    return { compare: this.#list(3, () => this.#compare()), success: ops(), failure: ops() };
  }

  /** Puts and deletions each have keys of their own: etcd does not find them all out where they meet, and can end itself by them. */
  nestedTxn(depth: number): Txn {
    const half = KEYS / 2;
    const ops = (): Op[] =>
      this.#list(3, () =>
        depth > 0 && this.#random.chance(0.4)
          ? { request: { case: 'requestTxn', value: this.nestedTxn(depth - 1) } }
          : this.#op(0, half, half, KEYS, false),
      );
    return { compare: this.#list(2, () => this.#compare()), success: ops(), failure: ops() };
  }

  #op(putFrom: number, putTo: number, deleteFrom: number, deleteTo: number, mayIgnore: boolean): Op {
    const random = this.#random;
    const chance = random.below(10);
    if (chance < 5) {
      return { request: { case: 'requestPut', value: this.put(putFrom, putTo, mayIgnore) } };
    }
    if (chance < 7) {
      const value = { ...this.span(deleteFrom, deleteTo, false), prevKv: random.chance(0.5) };
      return { request: { case: 'requestDeleteRange', value } };
    }
    return { request: { case: 'requestRange', value: this.range(true) } };
  }

  #compare(): Compare {
    const random = this.#random;
    const span = random.chance(0.3) ? this.span(0, KEYS, true) : { key: this.#key(0, KEYS) };
    const number = BigInt(random.below(4));
    const revision = BigInt(Math.max(0, this.#revision - random.below(50)));
    const result = random.pick([Result.EQUAL, Result.GREATER, Result.LESS, Result.NOT_EQUAL]);
    const [target, targetUnion] = random.pick<[Target, NonNullable<Compare['targetUnion']>]>([
      [Target.VERSION, { case: 'version', value: number }],
      [Target.CREATE, { case: 'createRevision', value: random.chance(0.4) ? 0n : revision }],
      [Target.MOD, { case: 'modRevision', value: revision }],
      [Target.VALUE, { case: 'value', value: bytes(`v${random.below(30)}`) }],
      [Target.LEASE, { case: 'lease', value: random.chance(0.5) ? 0n : this.lease() }],
    ]);
    return { ...span, target, result, targetUnion };
  }

  #key(from: number, to: number): Uint8Array {
    return bytes(nameOf(this.#random.between(from, to - 1)));
  }

  #list<Element>(max: number, draw: () => Element): Element[] {
    return Array.from({ length: this.#random.below(max + 1) }, draw);
  }
}

function made<Output extends DescMessage>(
  method: string,
  request: unknown,
  isRead: boolean,
  schema: Output,
  call: (client: EtcdClient) => Parameters<typeof outcomeOf<Output>>[1],
): DrawnCall {
  return { method, request, isRead, run: (client) => outcomeOf(schema, call(client)) };
}
