/**
 * A client of etcd's API as histories call a store. Its revisions are etcd's less 1, so that an empty store is at 0.
 *
 * What can be asked in more than one way is asked in each: what holds is written as a comparison of versions or of revisions, and
 * what a transaction does stands in its own list or in a transaction within it. No call is ever repeated.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import {
  Compare_CompareResult as Result,
  Compare_CompareTarget as Target,
  type CompareSchema,
  type RequestOpSchema,
  type ResponseOp,
} from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import type { KeyValue } from '../../../gen/etcd/api/mvccpb/kv_pb.ts';
import type { Compare, Condition, Operation, Value } from '../../../src/api.ts';
import { StoreError } from '../../../src/errors.ts';
import type { EtcdClient } from '../../server/etcd/support/etcd-client.ts';
import type { SeededRandom } from '../../support/random.ts';
import type { CalledStore, SeenEntry, TxnPart } from '../called-store.ts';

type Op = MessageInitShape<typeof RequestOpSchema>;
type EtcdCompare = MessageInitShape<typeof CompareSchema>;

interface Headed {
  readonly header?: { readonly revision: bigint } | undefined;
}

/** Of a range that is read page by page. */
const PAGE_SIZE = 2n;
const ALL_END = Uint8Array.of(0);

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** @param timeoutMs how long it waits for an answer. */
export function calledThroughEtcd(
  { kv }: EtcdClient,
  random: SeededRandom,
  options: { readonly timeoutMs?: number },
): CalledStore {
  async function range(request: Parameters<typeof kv.range>[0]): ReturnType<typeof kv.range> {
    const serializable = random.chance(0.3);
    return await told(kv.range({ ...request, serializable }, options));
  }

  async function readAll(wanted: number): ReturnType<CalledStore['readAll']> {
    const entries: SeenEntry[] = [];
    let revision = wanted;
    for (let key: Uint8Array = Uint8Array.of(0); ;) {
      const page = await range({
        key,
        rangeEnd: ALL_END,
        limit: PAGE_SIZE,
        revision: revision === 0 ? 0n : theirs(revision),
      });
      entries.push(...page.kvs.map(entryOf));
      if (revision === 0) revision = ours(page);
      const last = page.kvs.at(-1);
      if (!page.more || last === undefined) return { entries, revision };
      key = Buffer.concat([last.key, ALL_END]);
    }
  }

  /** The newest state in a stream of replies, of which the last tells all that is left. */
  async function streamAll(): ReturnType<CalledStore['readAll']> {
    const entries: SeenEntry[] = [];
    let revision: number | undefined;
    try {
      for await (const { rangeResponse } of kv.rangeStream({ key: ALL_END, rangeEnd: ALL_END }, options)) {
        entries.push(...(rangeResponse?.kvs ?? []).map(entryOf));
        if (rangeResponse?.header !== undefined) revision = ours(rangeResponse);
      }
    } catch (error) {
      throw meant(error);
    }
    if (revision === undefined) throw new Error('a stream of a range told no revision');
    return { entries, revision };
  }

  return {
    async get(key, { revision }) {
      const asked = { key: bytes(key), revision: revision === undefined ? 0n : theirs(revision) };
      const reply = await range(asked);
      const [found] = reply.kvs;
      return { entry: found && entryOf(found), revision: revision ?? ours(reply) };
    },

    readAll: (wanted) => (wanted === 0 && random.chance(0.4) ? streamAll() : readAll(wanted)),

    async put(key, value, { condition }) {
      const put = { key: bytes(key), value: bytes(value) };
      if (condition === undefined) return { revision: ours(await told(kv.put(put, options))) };
      const reply = await told(
        kv.txn(
          {
            compare: [compareOfCondition(key, condition, random)],
            success: [{ request: { case: 'requestPut', value: put } }],
            failure: [{ request: { case: 'requestRange', value: { key: bytes(key) } } }],
          },
          options,
        ),
      );
      if (reply.succeeded) return { revision: ours(reply) };
      const found = entryIn(reply.responses[0]);
      const currentModRevision = found?.modRevision ?? 0;
      throw new StoreError('conditionFailed', 'it does not hold', { currentModRevision });
    },

    async delete(key) {
      const reply = await told(kv.deleteRange({ key: bytes(key), prevKv: true }, options));
      const [before] = reply.prevKvs;
      return { revision: ours(reply), previous: before && entryOf(before) };
    },

    increment() {
      throw new Error('etcd has no increments');
    },

    async txn({ compares = [], success = [], failure = [] }) {
      const isNested = random.chance(0.5);
      const listed = (operations: readonly Operation[]): Op[] => {
        const ops = operations.map(opOf);
        return isNested ? [{ request: { case: 'requestTxn', value: { success: ops } } }] : ops;
      };
      const reply = await told(
        kv.txn(
          {
            compare: compares.map((each) => compareOf(each, random)),
            success: listed(success),
            failure: listed(failure),
          },
          options,
        ),
      );
      const [only] = reply.responses;
      const responses =
        isNested && only?.response.case === 'responseTxn' ? only.response.value.responses : reply.responses;
      const asked = reply.succeeded ? success : failure;
      return {
        succeeded: reply.succeeded,
        revision: ours(reply),
        results: asked.map((operation, index): TxnPart => {
          const { kind } = operation;
          if (kind === 'get') return { kind, entry: entryIn(responses[index]) };
          if (kind === 'put' || kind === 'delete') return { kind };
          throw new Error(`no history has ${kind}`);
        }),
      };
    },
  };
}

function ours({ header }: Headed): number {
  if (header === undefined) throw new Error('a reply has no header');
  return Number(header.revision) - 1;
}

function theirs(revision: number): bigint {
  return BigInt(revision + 1);
}

function entryOf({ key, value, modRevision }: KeyValue): SeenEntry {
  return { key: Buffer.from(key).toString(), value, modRevision: Number(modRevision) - 1 };
}

function entryIn(response: ResponseOp | undefined): SeenEntry | undefined {
  if (response?.response.case !== 'responseRange') throw new Error('a range is answered as something else');
  const [found] = response.response.value.kvs;
  return found && entryOf(found);
}

function opOf(operation: Operation): Op {
  switch (operation.kind) {
    case 'get':
      return { request: { case: 'requestRange', value: { key: keyOf(operation) } } };
    case 'put': {
      const value = bytesOf(operation.value);
      return { request: { case: 'requestPut', value: { key: keyOf(operation), value } } };
    }
    case 'delete':
      return { request: { case: 'requestDeleteRange', value: { key: keyOf(operation) } } };
    default:
      throw new Error(`no history has ${operation.kind}`);
  }
}

function bytesOf(value: Value): Uint8Array {
  if (typeof value === 'string') return bytes(value);
  if (value instanceof Uint8Array) return value;
  throw new Error('histories write bytes or text');
}

function keyOf({ key }: { readonly key?: string | Uint8Array }): Uint8Array {
  if (typeof key !== 'string') throw new Error('histories name keys by text');
  return bytes(key);
}

function compareOfCondition(key: string, condition: Condition, random: SeededRandom): EtcdCompare {
  switch (condition.kind) {
    case 'mustNotExist':
      return exists(key, false, random);
    case 'mustExist':
      return exists(key, true, random);
    case 'modRevisionEquals':
      return isOf(key, condition.modRevision);
    default:
      throw new Error('no history has other conditions');
  }
}

function compareOf({ subject, operand }: Compare, random: SeededRandom): EtcdCompare {
  const key = 'key' in subject ? subject.key : undefined;
  if (typeof key !== 'string') throw new Error('histories name keys by text');
  switch (operand.kind) {
    case 'exists':
      return exists(key, operand.value, random);
    case 'modRevision':
      return isOf(key, operand.value);
    case 'value': {
      const value = bytesOf(operand.value);
      return {
        key: bytes(key),
        target: Target.VALUE,
        result: Result.EQUAL,
        targetUnion: { case: 'value', value },
      };
    }
    default:
      throw new Error(`no history compares ${operand.kind}`);
  }
}

function isOf(key: string, modRevision: number): EtcdCompare {
  const targetUnion = { case: 'modRevision', value: theirs(modRevision) } as const;
  return { key: bytes(key), target: Target.MOD, result: Result.EQUAL, targetUnion };
}

/** Of a key that is not there all numbers are 0. */
function exists(key: string, doesExist: boolean, random: SeededRandom): EtcdCompare {
  const result = doesExist ? Result.GREATER : Result.EQUAL;
  return random.pick<EtcdCompare>([
    { key: bytes(key), target: Target.VERSION, result, targetUnion: { case: 'version', value: 0n } },
    { key: bytes(key), target: Target.CREATE, result, targetUnion: { case: 'createRevision', value: 0n } },
    { key: bytes(key), target: Target.MOD, result, targetUnion: { case: 'modRevision', value: 0n } },
  ]);
}

async function told<Reply>(call: Promise<Reply>): Promise<Reply> {
  try {
    return await call;
  } catch (error) {
    throw meant(error);
  }
}

/** What a server says is to the letter; all else is the end of a connection or of patience, and the call may have been done. */
function meant(error: unknown): unknown {
  const { code, rawMessage } = ConnectError.from(error);
  switch (rawMessage) {
    case 'etcdserver: mvcc: required revision is a future revision':
      return new StoreError('revisionFuture', rawMessage, NO_DETAILS);
    case 'etcdserver: mvcc: required revision has been compacted':
      return new StoreError('revisionCompacted', rawMessage, NO_DETAILS);
  }
  const mayBeDone = [Code.Unavailable, Code.Canceled, Code.Aborted, Code.DeadlineExceeded, Code.Internal];
  return mayBeDone.includes(code) ? new StoreError('storageFailed', rawMessage) : error;
}

const NO_DETAILS = { requestedRevision: 0, oldestRevision: 0, newestRevision: 0 };
