/**
 * Keys below a prefix with values of one type: what the client does with keys, without the prefix, and with values as a codec reads
 * and writes them.
 *
 * ```ts
 * const users = client.namespace('users/', { codec: json<User>() });
 * await users.put('ada', { name: 'Ada', age: 36 });
 * const { entry } = await users.get('ada');
 * console.log(entry?.value.name);
 * for await (const { key, value } of users.scan()) console.log(key, value.age);
 * ```
 *
 * A value that its codec can't read throws when that value is read, not when others are: what it is, `entry.raw` shows.
 */
import type {
  Compare,
  CountResult,
  DeletedRange,
  DeleteResult,
  ExistsResult,
  GetResult,
  IncrementResult,
  Key,
  KeyOperation,
  KeyRange,
  KeyResult,
  PutResult,
  TouchResult,
  Value,
} from '../../api.ts';
import { named } from '../../arguments/check.ts';
import { isKey } from '../../arguments/key.ts';
import { deletedRange, readRange } from '../../arguments/requests.ts';
import { noOptions, optionsOf } from '../../arguments/shape.ts';
import type { PagedList } from '../../paged-list.ts';
import { invalidArgument, refuse } from '../errors/refuse.ts';
import type { Entry } from '../messages/entry.ts';
import type * as calls from '../messages/types.ts';
import type { Mirror } from '../mirror/mirror.ts';
import type { MirrorOptions, MirrorView } from '../mirror/types.ts';
import { type Codec, bytes } from './codec.ts';
import { encodeBy, isCodec } from './given-codec.ts';
import { Prefix } from './prefix.ts';
import { TypedEntry } from './typed-entry.ts';

/** Opens a mirror that shows its entries in a way of its own. */
export type OpenMirror = <AnEntry>(
  range: KeyRange,
  options: MirrorOptions,
  view: MirrorView<AnEntry>,
) => Promise<Mirror<AnEntry>>;

/** What a namespace needs of its client. */
export interface NamespaceHost {
  readonly keys: KeyCalls;
  readonly mirror: OpenMirror;
}

interface KeyCalls {
  get(key: Key, options: calls.GetOptions): Promise<calls.GetResult>;
  put(key: Key, value: Value, options: calls.PutOptions): Promise<calls.PutResult>;
  delete(key: Key, options: calls.DeleteOptions): Promise<calls.DeleteResult>;
  deleteRange(range: DeletedRange, options: calls.DeleteRangeOptions): Promise<calls.DeleteRangeResult>;
  exists(keys: readonly Key[], options: calls.ReadCallOptions): Promise<ExistsResult>;
  count(range: KeyRange, options: calls.CountOptions): Promise<CountResult>;
  scan(range: KeyRange, options: calls.ScanOptions): PagedList<Entry>;
  keys(pattern: string, options: calls.KeysOptions): PagedList<Key>;
  increment(key: Key, delta: bigint | number, options: calls.IncrementOptions): Promise<IncrementResult>;
  touch(key: Key, options: calls.TouchOptions): Promise<calls.TouchResult>;
  txn(request: calls.TxnRequest, options: calls.CallOptions): Promise<calls.TxnResult>;
  watch(request: calls.WatchRequest): calls.Watch;
}

export interface NamespaceOptions<Read, Given = Read> {
  /** Default: `bytes`. */
  readonly codec?: Codec<Read, Given>;
}

type PutOperation = Extract<KeyOperation, { readonly kind: 'put' }>;

/** An operation of a transaction, on keys of the namespace. */
export type NamespaceOperation<Given> =
  Exclude<KeyOperation, PutOperation> | (Omit<PutOperation, 'value'> & { readonly value: Given });

export interface NamespaceTxn<Given> {
  /** About keys of the namespace; a value is compared as bytes or text. */
  readonly compares?: readonly Compare[];
  readonly success?: readonly NamespaceOperation<Given>[];
  readonly failure?: readonly NamespaceOperation<Given>[];
}

export interface NamespaceTxnResult<Read> {
  readonly succeeded: boolean;
  readonly results: KeyResult<TypedEntry<Read>>[];
  readonly revision: number;
}

export class Namespace<Read = Uint8Array, Given = Read> {
  readonly #host: NamespaceHost;
  readonly #calls: KeyCalls;
  readonly #prefix: Prefix;
  readonly #codec: Codec<Read, Given>;
  readonly #view: MirrorView<TypedEntry<Read>>;

  /** @internal Use `client.namespace`. */
  constructor(host: NamespaceHost, prefix: string, codec: Codec<Read, Given>) {
    this.#host = host;
    this.#calls = host.keys;
    this.#prefix = new Prefix(prefix);
    this.#codec = codec;
    // What is looked at again need not be decoded again.
    const shown = new WeakMap<Entry, TypedEntry<Read>>();
    this.#view = {
      keyOf: (key) => this.#prefix.keyOf(key),
      rangeOf: (range) => this.#prefix.rangeOf(range),
      namedOf: (raw) => this.#prefix.namedOf(raw),
      entryOf: (raw) => {
        const known = shown.get(raw);
        if (known !== undefined) return known;
        const entry = this.#typed(raw);
        shown.set(raw, entry);
        return entry;
      },
    };
  }

  get prefix(): string {
    return this.#prefix.text;
  }

  /** Keys below a prefix of this one's. */
  namespace(prefix: string): Namespace<Uint8Array, Value>;
  namespace<OtherRead, OtherGiven = OtherRead>(
    prefix: string,
    options: { readonly codec: Codec<OtherRead, OtherGiven> },
  ): Namespace<OtherRead, OtherGiven>;
  namespace(prefix: string, options?: NamespaceOptions<unknown, never>): Namespace<unknown, never> {
    return openNamespace(this.#host, prefix, options, this.prefix);
  }

  /** See `KelpClient.get`. */
  async get(key: Key, options: calls.GetOptions = noOptions): Promise<GetResult<TypedEntry<Read>>> {
    const { entry, revision } = await this.#calls.get(this.#keyOf(key), options);
    return { entry: this.#optional(entry), revision };
  }

  /** See `KelpClient.put`. Rejects with `invalidArgument`, too, when the codec can't write the value. */
  async put(
    key: Key,
    value: Given,
    options: calls.PutOptions = noOptions,
  ): Promise<PutResult<TypedEntry<Read>>> {
    const { revision, previous } = await this.#calls.put(this.#keyOf(key), this.#encode(value), options);
    return { revision, previous: this.#optional(previous) };
  }

  /** See `KelpClient.delete`. */
  async delete(key: Key, options: calls.DeleteOptions = noOptions): Promise<DeleteResult<TypedEntry<Read>>> {
    const { previous, ...result } = await this.#calls.delete(this.#keyOf(key), options);
    return { ...result, previous: this.#optional(previous) };
  }

  /** See `KelpClient.deleteRange`; `{ all: true }` is all keys of the namespace. */
  async deleteRange(
    range: DeletedRange,
    options: calls.DeleteRangeOptions = noOptions,
  ): Promise<calls.DeleteRangeResult> {
    refuse(named('range', deletedRange(range)));
    return this.#calls.deleteRange(this.#prefix.deletedRangeOf(range), options);
  }

  /** See `KelpClient.exists`. */
  async exists(keys: readonly Key[], options: calls.ReadCallOptions = noOptions): Promise<ExistsResult> {
    if (!Array.isArray(keys)) return this.#calls.exists(keys, options);
    return this.#calls.exists(
      keys.map((key) => this.#keyOf(key)),
      options,
    );
  }

  /** See `KelpClient.count`. */
  async count(range: KeyRange = noOptions, options: calls.CountOptions = noOptions): Promise<CountResult> {
    return this.#calls.count(this.#rangeOf(range), options);
  }

  /** See `KelpClient.scan`. */
  scan(range: KeyRange = noOptions, options: calls.ScanOptions = noOptions): PagedList<TypedEntry<Read>> {
    return this.#calls.scan(this.#rangeOf(range), options).map((raw) => this.#typed(raw));
  }

  /** See `KelpClient.keys`. */
  keys(pattern = '*', options: calls.KeysOptions = noOptions): PagedList<Key> {
    return this.#calls.keys(this.#prefix.globOf(pattern), options).map((key) => this.#nameOf(key));
  }

  /** See `KelpClient.increment`. */
  async increment(
    key: Key,
    delta: bigint | number = 1n,
    options: calls.IncrementOptions = noOptions,
  ): Promise<IncrementResult> {
    return this.#calls.increment(this.#keyOf(key), delta, options);
  }

  /** See `KelpClient.touch`. */
  async touch(key: Key, options: calls.TouchOptions = noOptions): Promise<TouchResult<TypedEntry<Read>>> {
    const { revision, entry } = await this.#calls.touch(this.#keyOf(key), options);
    return { revision, entry: this.#typed(entry) };
  }

  /** See `KelpClient.txn`; all of it is about keys of the namespace. */
  async txn(
    request: NamespaceTxn<Given>,
    options: calls.CallOptions = noOptions,
  ): Promise<NamespaceTxnResult<Read>> {
    const { compares = [], success = [], failure = [] } = request;
    const { succeeded, results, revision } = await this.#calls.txn(
      {
        compares: compares.map((compare) => this.#compareOf(compare)),
        success: success.map((operation) => this.#operationOf(operation)),
        failure: failure.map((operation) => this.#operationOf(operation)),
      },
      options,
    );
    return { succeeded, results: results.map((result) => this.#resultOf(result)), revision };
  }

  /** See `KelpClient.watch`. The entry of a touch has no value: reading that is in vain. */
  watch(request: calls.WatchRequest = noOptions): calls.Watch<TypedEntry<Read>> {
    const { ranges } = request;
    // What is no list of ranges the check of the client refuses.
    const within = Array.isArray(ranges) && ranges.length > 0 ? ranges : [noOptions];
    const watch = this.#calls.watch(
      ranges === undefined || Array.isArray(ranges)
        ? { ...request, ranges: within.map((range) => this.#prefix.rangeOf(range)) }
        : request,
    );
    const shown = ({ done, value }: IteratorResult<calls.WatchMessage>): Shown<Read> =>
      done === true ? { done, value: undefined } : { done: false, value: this.#messageOf(value) };
    return {
      next: async () => shown(await watch.next()),
      return: async () => shown(await watch.return()),
      [Symbol.asyncIterator]() {
        return this;
      },
      [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose](),
    };
  }

  /** See `KelpClient.mirror`. */
  async mirror(
    range: KeyRange = noOptions,
    options: MirrorOptions = noOptions,
  ): Promise<Mirror<TypedEntry<Read>>> {
    refuse(named('range', readRange(range)));
    return this.#host.mirror(range, options, this.#view);
  }

  #keyOf(key: Key): Key {
    refuse(named('key', isKey(key)));
    return this.#prefix.keyOf(key);
  }

  #rangeOf(range: KeyRange): KeyRange {
    // What is wrong in its kind is refused by the call.
    return readRange(range) === undefined ? this.#prefix.rangeOf(range) : range;
  }

  #nameOf(key: Key): Key {
    const { key: name, keyBytes } = this.#prefix.namedOf(
      typeof key === 'string' ? { key } : { key: '', keyBytes: key },
    );
    return keyBytes ?? name;
  }

  #encode(value: Given): Value {
    return encodeBy(this.#codec, value);
  }

  #typed(raw: Entry): TypedEntry<Read> {
    return new TypedEntry(raw, this.#prefix, this.#codec);
  }

  #optional(raw: Entry | undefined): TypedEntry<Read> | undefined {
    return raw === undefined ? undefined : this.#typed(raw);
  }

  #compareOf(compare: Compare): Compare {
    const { subject } = compare;
    const within =
      'key' in subject ? { key: this.#keyOf(subject.key) } : { range: this.#rangeOf(subject.range) };
    return { ...compare, subject: within };
  }

  #operationOf(operation: NamespaceOperation<Given>): KeyOperation {
    switch (operation.kind) {
      case 'put':
        return { ...operation, key: this.#keyOf(operation.key), value: this.#encode(operation.value) };
      case 'deleteRange':
        refuse(named('range', deletedRange(operation.range)));
        return { ...operation, range: this.#prefix.deletedRangeOf(operation.range) };
      case 'get':
      case 'delete':
      case 'increment':
        return { ...operation, key: this.#keyOf(operation.key) };
      default:
        throw invalidArgument(
          `an operation of a namespace is put, get, delete, deleteRange or increment, not ${String((operation as { kind: unknown }).kind)}`,
        );
    }
  }

  #resultOf(result: calls.OperationResult): KeyResult<TypedEntry<Read>> {
    switch (result.kind) {
      case 'get':
        return { ...result, entry: this.#optional(result.entry) };
      case 'put':
      case 'delete':
        return { ...result, previous: this.#optional(result.previous) };
      case 'deleteRange':
      case 'increment':
        return result;
      default:
        throw invalidArgument(`a namespace has asked for no result ${result.kind}`);
    }
  }

  #messageOf(message: calls.WatchMessage): calls.WatchMessage<TypedEntry<Read>> {
    switch (message.kind) {
      case 'current':
        return { ...message, entries: message.entries.map((raw) => this.#typed(raw)) };
      case 'events':
        return { ...message, events: message.events.map((event) => this.#eventOf(event)) };
      case 'synced':
      case 'progress':
      case 'restarted':
      case 'compacted':
        return message;
    }
  }

  #eventOf(event: calls.WatchEvent): calls.WatchEvent<TypedEntry<Read>> {
    const previous = this.#optional(event.previous);
    if (event.type === 'delete') return { ...event, ...this.#prefix.namedOf(event), previous };
    return { ...event, entry: this.#typed(event.entry), previous };
  }
}

const namespaceOptions = optionsOf<NamespaceOptions<unknown, never>>('namespace', { codec: isCodec() });

type Shown<Read> = IteratorResult<calls.WatchMessage<TypedEntry<Read>>, undefined>;

/** @internal @throws KelpError `invalidArgument`. @param within the prefix of the namespace that it lies in. */
export function openNamespace<Read, Given>(
  host: NamespaceHost,
  prefix: string,
  options: NamespaceOptions<Read, Given> = noOptions,
  within = '',
): Namespace<Read, Given> {
  if (typeof prefix !== 'string' || prefix === '') {
    throw invalidArgument("the prefix of a namespace must be a text that is not empty, such as 'users/'");
  }
  refuse(namespaceOptions(options));
  // Without a codec its types are those of bytes.
  return new Namespace(host, within + prefix, options.codec ?? (bytes as unknown as Codec<Read, Given>));
}
