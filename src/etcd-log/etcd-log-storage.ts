/**
 * The storage of a shared log in etcd (see `shared-log/log-storage.ts`), which should have a cluster of its own: each trim compacts
 * the history that etcd keeps, or it would only grow. Of the members any one may be missing; a call goes to the next when one does
 * not answer.
 */
import {
  CompactionResponseSchema,
  type ResponseOp,
  type TxnResponse,
  TxnResponseSchema,
} from '../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { type KeyValue } from '../../gen/etcd/api/mvccpb/kv_pb.ts';
import {
  emptyCompactionRequest,
  sizeOfCompactionRequest,
  writeCompactionRequest,
} from '../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import { EtcdCalls, type EtcdOptions, etcdMethod } from '../client/etcd/etcd-calls.ts';
import { EtcdReader } from '../client/etcd/etcd-reader.ts';
import { sharedLog as limits } from '../limits.ts';
import type { Advance, Found, Listed, LogStorage, Oldest, StoredRecord } from '../shared-log/log-storage.ts';
import { storageErrorOf } from './failure.ts';
import { LogKeys } from './keys.ts';
import {
  advanceRequest,
  createRequest,
  headRequest,
  listRequest,
  oldestRequest,
  trimRequest,
} from './requests.ts';

export interface EtcdLogOptions extends Omit<EtcdOptions, 'timeoutMs' | 'flags'> {
  /** Of all its keys, without a slash at the end. */
  readonly prefix: string;
  /** Whether a trim compacts etcd, all of it. Default true; false for an etcd that others use as well, and somebody else compacts. */
  readonly compacts?: boolean | undefined;
}

const txn = etcdMethod('KV/Txn', TxnResponseSchema);
const compact = etcdMethod('KV/Compact', CompactionResponseSchema);

export class EtcdLogStorage implements LogStorage {
  readonly #keys: LogKeys;
  readonly #calls: EtcdCalls;
  /**
   * Reading has connections of its own, so that a long page does not hold up an append. A member that is cut off from the others
   * shows that by its lists, and then changes come from another one, too.
   */
  readonly #readCalls: EtcdCalls;
  readonly #reader: EtcdReader;
  readonly #compacts: boolean;

  constructor({ prefix, compacts = true, ...given }: EtcdLogOptions) {
    const options: EtcdOptions = { ...given, timeoutMs: limits.tryMs, flags: '--log' };
    this.#keys = new LogKeys(prefix);
    this.#calls = new EtcdCalls(options);
    this.#readCalls = new EtcdCalls(options);
    this.#reader = new EtcdReader(this.#readCalls, this.#keys.records);
    this.#compacts = compacts;
  }

  close(): void {
    this.#calls.close();
    this.#readCalls.close();
  }

  async create(head: Uint8Array, signal: AbortSignal): Promise<Found | 'done'> {
    return doneOrFound(await this.#write(createRequest(this.#keys, head), signal));
  }

  async advance(advance: Advance, signal: AbortSignal): Promise<Found | 'done'> {
    return doneOrFound(await this.#write(advanceRequest(this.#keys, advance), signal));
  }

  async trim(before: number, signal: AbortSignal): Promise<Found | 'done'> {
    const reply = await this.#write(trimRequest(this.#keys, before), signal);
    // Readers that are behind list again.
    if (reply.succeeded && this.#compacts) await this.#compact(revisionOf(reply), signal);
    return doneOrFound(reply);
  }

  async head(signal: AbortSignal): Promise<Uint8Array | undefined> {
    return foundIn(await this.#read(this.#calls, headRequest(this.#keys), signal)).head;
  }

  async oldest(signal: AbortSignal): Promise<Oldest> {
    const reply = await this.#read(this.#readCalls, oldestRequest(this.#keys), signal);
    const [entry] = entriesOf(reply.responses[1]);
    return { head: foundIn(reply).head, position: entry && this.#keys.positionOf(entry.key) };
  }

  async list(from: number, count: number, signal: AbortSignal): Promise<Listed> {
    const reply = await this.#read(this.#readCalls, listRequest(this.#keys, from, count), signal);
    const records = entriesOf(reply.responses[1]).flatMap((entry) => this.#recordOf(entry));
    return { head: foundIn(reply).head, records, revision: revisionOf(reply) };
  }

  async *changes(revision: number, signal: AbortSignal): AsyncGenerator<readonly StoredRecord[], void> {
    try {
      for await (const { events } of this.#reader.watch(revision + 1, signal)) {
        const records = events.flatMap(({ put }) => (put === undefined ? [] : this.#recordOf(put)));
        if (records.length > 0) yield records;
      }
    } catch (failure) {
      throw storageErrorOf(failure, 'read', signal);
    }
  }

  #recordOf({ key, value }: Pick<KeyValue, 'key' | 'value'>): StoredRecord[] {
    const position = this.#keys.positionOf(key);
    return position === undefined ? [] : [{ position, bytes: value }];
  }

  async #write(request: Uint8Array, signal: AbortSignal): Promise<TxnResponse> {
    try {
      return await this.#calls.unary(txn, request, signal);
    } catch (failure) {
      throw storageErrorOf(failure, 'write', signal);
    }
  }

  async #read(calls: EtcdCalls, request: Uint8Array, signal: AbortSignal): Promise<TxnResponse> {
    try {
      return await calls.unary(txn, request, signal);
    } catch (failure) {
      throw storageErrorOf(failure, 'read', signal);
    }
  }

  /** As far as it goes: another trim does what this one has not done. */
  async #compact(revision: number, signal: AbortSignal): Promise<void> {
    const request = { ...emptyCompactionRequest(), revision };
    const bytes = Buffer.allocUnsafe(sizeOfCompactionRequest(request));
    writeCompactionRequest(request, bytes, 0);
    await this.#calls.unary(compact, bytes, signal).catch(() => undefined);
  }
}

function doneOrFound(reply: TxnResponse): Found | 'done' {
  return reply.succeeded ? 'done' : foundIn(reply);
}

/** Each request that finds something asks for the head first, and then for a record. */
function foundIn({ responses: [head, record] }: TxnResponse): Found {
  return { head: valueOf(head), record: valueOf(record) };
}

function revisionOf({ header }: TxnResponse): number {
  return Number(header?.revision ?? 0n);
}

function valueOf(response: ResponseOp | undefined): Uint8Array | undefined {
  return entriesOf(response)[0]?.value;
}

function entriesOf(response: ResponseOp | undefined): readonly KeyValue[] {
  return response?.response.case === 'responseRange' ? response.response.value.kvs : [];
}
