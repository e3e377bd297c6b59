/** A stream that Redis has dumped, of 7.0 or before: what it is made of, read as a whole and checked, and then written. */
import { budgetSpent } from '../../store/views/draft.ts';
import type { View } from '../../store/views/view.ts';
import type { WorkBudget } from '../../work-budget.ts';
import { type Entry, entryKey, packFields } from '../stream/entries.ts';
import { createConsumer, createGroup, UNKNOWN } from '../stream/groups.ts';
import { entriesUpTo } from '../stream/lag.ts';
import { type Pending, putPending } from '../stream/pending.ts';
import { Stream } from '../stream/stream.ts';
import { compareIds, halvesOf, ID_BYTES, ID_ZERO, idOfHalves } from '../stream/stream-id.ts';
import { entryFlags } from './format.ts';
import { ListpackReader } from './packed.ts';
import { PayloadError } from './payload-error.ts';
import type { ValueReader } from './value-reader.ts';

type RestoredPending = Pick<Pending, 'id' | 'deliveredMs' | 'deliveries'>;

interface RestoredConsumer {
  readonly name: Uint8Array;
  readonly seenMs: number;
  readonly pending: readonly RestoredPending[];
}

interface RestoredGroup {
  readonly name: Uint8Array;
  readonly lastId: Uint8Array;
  /** Or `UNKNOWN`. */
  readonly entriesRead: number;
  readonly consumers: readonly RestoredConsumer[];
}

type StreamFacts = Pick<Stream, 'count' | 'lastId' | 'firstId' | 'maxDeletedId' | 'added'>;

export interface RestoredStream {
  readonly facts: StreamFacts;
  readonly entries: readonly Entry[];
  readonly groups: readonly RestoredGroup[];
}

/**
 * @param isCounted whether it says what has been counted and deleted, as since Redis 7.0.
 * @param budget pays a visit for each entry, group, consumer, and each that is pending.
 */
export function readStream(reader: ValueReader, isCounted: boolean, budget: WorkBudget): RestoredStream {
  const entries = readEntries(reader, budget);
  const count = reader.length();
  const lastId = readId(reader);
  const firstId = entries[0]?.id ?? ID_ZERO;
  // The one that is said is passed over: it is the first that there is.
  if (isCounted) readId(reader);
  const maxDeletedId = isCounted ? readId(reader) : ID_ZERO;
  const added = isCounted ? readCount(reader) : count;
  const newestId = entries.at(-1)?.id ?? ID_ZERO;
  if (count !== entries.length || added < count || compareIds(newestId, lastId) > 0) throw new PayloadError();
  const facts = { count, lastId, firstId, maxDeletedId, added };
  const groups: RestoredGroup[] = [];
  const names = new Names(budget);
  for (let left = reader.length(); left > 0; left--) {
    const name = names.read(reader);
    groups.push(readGroup(reader, name, facts, isCounted, budget));
  }
  return { facts, entries, groups };
}

function readEntries(reader: ValueReader, budget: WorkBudget): readonly Entry[] {
  const entries: Entry[] = [];
  let lastId = ID_ZERO;
  const add = (entry: Entry): void => {
    if (compareIds(entry.id, lastId) <= 0) throw new PayloadError();
    lastId = entry.id;
    entries.push(entry);
  };
  for (let left = reader.length(); left > 0; left--) {
    const nodeId = reader.string();
    if (nodeId.length !== ID_BYTES) throw new PayloadError();
    pay(budget);
    readNode(nodeId, new ListpackReader(reader.string()), budget, add);
  }
  return entries;
}

function readNode(
  nodeId: Uint8Array,
  node: ListpackReader,
  budget: WorkBudget,
  add: (entry: Entry) => void,
): void {
  const count = node.count();
  const deletedCount = node.count();
  const fields: Uint8Array[] = [];
  const fieldCount = node.count();
  payForItems(budget, fieldCount);
  for (let left = fieldCount; left > 0; left--) fields.push(node.element());
  if (node.integer() !== 0) throw new PayloadError();
  const [nodeMs, nodeSequence] = halvesOf(nodeId);
  let addedCount = 0;
  for (let left = count + deletedCount; left > 0; left--) {
    pay(budget);
    const flags = node.count();
    const ms = nodeMs + BigInt(node.integer());
    const id = idOfHalves(ms, nodeSequence + BigInt(node.integer()));
    const items = readItems(node, (flags & entryFlags.hasFieldsOfNode) === 0 ? undefined : fields, budget);
    if ((flags & entryFlags.deleted) !== 0) continue;
    // Names of fields that stand once for many entries become many: they are paid for before there is memory for them.
    for (const item of items) budget.spendBytes(item.length);
    if (budget.isSpent) throw budgetSpent(budget);
    add({ id, fields: packFields(items) });
    addedCount++;
  }
  if (addedCount !== count) throw new PayloadError();
  node.finish();
}

/** @param fields of the node, which the entry has; `undefined`: it has its own. @returns fields and values in turn. */
function readItems(
  node: ListpackReader,
  fields: readonly Uint8Array[] | undefined,
  budget: WorkBudget,
): readonly Uint8Array[] {
  const count = fields?.length ?? node.count();
  if (count === 0) throw new PayloadError();
  payForItems(budget, 2 * count);
  const items: Uint8Array[] = [];
  for (let index = 0; index < count; index++) items.push(fields?.[index] ?? node.element(), node.element());
  const elementCount = fields === undefined ? 2 * count + 4 : count + 3;
  if (node.integer() !== elementCount) throw new PayloadError();
  return items;
}

function readGroup(
  reader: ValueReader,
  name: Uint8Array,
  facts: StreamFacts,
  isCounted: boolean,
  budget: WorkBudget,
): RestoredGroup {
  const lastId = readId(reader);
  const entriesRead = isCounted ? readEntriesRead(reader) : entriesUpTo(facts, lastId);
  /** Those that have no consumer yet. */
  const pendingById = new Map<string, RestoredPending>();
  const pendingCount = reader.length();
  for (let left = pendingCount; left > 0; left--) {
    pay(budget);
    const id = reader.take(ID_BYTES);
    pendingById.set(textOf(id), { id, deliveredMs: readTime(reader), deliveries: readCount(reader) });
  }
  if (pendingById.size !== pendingCount) throw new PayloadError();
  const consumers: RestoredConsumer[] = [];
  const names = new Names(budget);
  for (let left = reader.length(); left > 0; left--) {
    const consumer = names.read(reader);
    const seenMs = readTime(reader);
    const pending: RestoredPending[] = [];
    for (let owned = reader.length(); owned > 0; owned--)
      pending.push(take(pendingById, reader.take(ID_BYTES)));
    consumers.push({ name: consumer, seenMs, pending });
  }
  if (pendingById.size > 0) throw new PayloadError();
  return { name, lastId, entriesRead, consumers };
}

/** What is pending belongs to one consumer. */
function take(pendingById: Map<string, RestoredPending>, id: Uint8Array): RestoredPending {
  const text = textOf(id);
  const pending = pendingById.get(text);
  if (pending === undefined) throw new PayloadError();
  pendingById.delete(text);
  return pending;
}

/** Names, of which none comes twice. */
class Names {
  readonly #budget: WorkBudget;
  readonly #seen = new Set<string>();

  constructor(budget: WorkBudget) {
    this.#budget = budget;
  }

  read(reader: ValueReader): Uint8Array {
    pay(this.#budget);
    const name = reader.string();
    const text = textOf(name);
    if (this.#seen.has(text)) throw new PayloadError();
    this.#seen.add(text);
    return name;
  }
}

function pay(budget: WorkBudget, visits = 1): void {
  budget.spendVisits(visits);
  if (budget.isSpent) throw budgetSpent(budget);
}

/** Of an entry or a node, which is paid for, before they are read: a payload of a few bytes may have millions. */
function payForItems(budget: WorkBudget, count: number): void {
  pay(budget, Math.floor(count / ITEMS_OF_VISIT));
}

const ITEMS_OF_VISIT = 4;

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function readId(reader: ValueReader): Uint8Array {
  const ms = BigInt(reader.longLength());
  return idOfHalves(ms, BigInt(reader.longLength()));
}

function readEntriesRead(reader: ValueReader): number {
  const count = BigInt.asIntN(64, BigInt(reader.longLength()));
  return count < 0 ? UNKNOWN : toSafe(count);
}

function readCount(reader: ValueReader): number {
  return toSafe(reader.longLength());
}

/** Milliseconds since 1970-01-01 UTC. */
function readTime(reader: ValueReader): number {
  return toSafe(reader.uint64());
}

/** Of a signed number of 64 bits: beyond 2^53 the nearest safe integer, as commands take it. */
function toSafe(value: number | bigint): number {
  if (typeof value === 'bigint' && value >= 2n ** 63n) throw new PayloadError();
  return Math.min(Number(value), Number.MAX_SAFE_INTEGER);
}

/** Puts a stream at a key that has none. Throws `limitReached`, and `invalidArgument` for what is too long. */
export function putStream(view: View, key: Uint8Array, { facts, entries, groups }: RestoredStream): void {
  const stream = Object.assign(Stream.create(view), facts);
  for (const { id, fields } of entries) view.put(entryKey(stream.id, id), fields);
  for (const { name, lastId, entriesRead, consumers } of groups) {
    const group = createGroup(view, stream, name, lastId, entriesRead);
    for (const { name: consumerName, seenMs, pending } of consumers) {
      const consumer = createConsumer(view, stream, group, consumerName, seenMs);
      for (const each of pending) putPending(view, stream, group, consumer, each, undefined);
    }
  }
  stream.write(view, key);
}
