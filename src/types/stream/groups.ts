/**
 * Groups of consumers: each has read a stream up to an id, and hands what comes behind it to its consumers, an entry to one of them.
 *
 *     FA id g name → number:u32 nextConsumer:u32 lastId:16 entriesRead:u64            a group; all ones: how many is not known
 *     FA id n group:u32 name → number:u32 seen:u64                                    a consumer, and when it was seen last (ms)
 *
 * Numbers stand for the names in the keys of what is pending (`pending.ts`). A stream never gives one to two groups, nor a group one
 * to two consumers.
 */
import type { EngineRange } from '../../engine/engine.ts';
import { assert, StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import {
  beginElementKey,
  ELEMENT_HEAD_BYTES,
  elementKey,
  elementsWithTag,
  tags,
} from '../../store/collections/collection-keys.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import { prefixEnd } from '../../store/views/range.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { readUint32, readUint53, TWO_32, writeUint32, writeUint53 } from './numbers.ts';
import type { Stream } from './stream.ts';
import { ID_BYTES } from './stream-id.ts';

/** How many entries a group has read, where that is not known. */
export const UNKNOWN = -1;

export const NUMBER_BYTES = 4;
const LAST_ID_AT = 2 * NUMBER_BYTES;
const READ_AT = LAST_ID_AT + ID_BYTES;
const GROUP_BYTES = READ_AT + 8;
const SEEN_AT = NUMBER_BYTES;
const CONSUMER_BYTES = SEEN_AT + 8;
const ALL_ONES = 0xff;

export interface Group {
  readonly name: Uint8Array;
  readonly number: number;
  /** The number of its next consumer. */
  nextConsumer: number;
  /** The highest id that it has delivered. */
  lastId: Uint8Array;
  /** Of the entries that there ever were, how many are up to `lastId`; or `UNKNOWN`. */
  entriesRead: number;
}

export interface Consumer {
  readonly name: Uint8Array;
  readonly number: number;
  seenMs: number;
}

export function readGroup(view: ReadView, stream: Stream, name: Uint8Array): Group | undefined {
  // No group has a name that is too long.
  if (name.length > fixed.memberBytesMax) return undefined;
  const value = view.read(elementKey(stream.id, tags.group, name))?.value;
  return value && groupOf(name, value);
}

function groupOf(name: Uint8Array, value: Uint8Array): Group {
  return {
    name,
    number: readUint32(value, 0),
    nextConsumer: readUint32(value, NUMBER_BYTES),
    lastId: value.slice(LAST_ID_AT, READ_AT),
    entriesRead: value[READ_AT] === ALL_ONES ? UNKNOWN : readUint53(value, READ_AT),
  };
}

/** Makes a group, and writes it; the stream is left to be written. There must be none of the name. */
export function createGroup(
  view: View,
  stream: Stream,
  name: Uint8Array,
  lastId: Uint8Array,
  entriesRead: number,
): Group {
  checkName(name);
  const number = stream.nextGroup++;
  assert(number < TWO_32, 'a stream has a number for each group that it ever had');
  const group = { name, number, nextConsumer: 0, lastId, entriesRead };
  writeGroup(view, stream, group);
  return group;
}

export function writeGroup(view: View, stream: Stream, group: Group): void {
  const value = new Uint8Array(GROUP_BYTES);
  writeUint32(value, 0, group.number);
  writeUint32(value, NUMBER_BYTES, group.nextConsumer);
  value.set(group.lastId, LAST_ID_AT);
  if (group.entriesRead === UNKNOWN) value.fill(ALL_ONES, READ_AT);
  else writeUint53(value, READ_AT, group.entriesRead);
  view.put(elementKey(stream.id, tags.group, group.name), value);
}

export function countGroups(view: View, stream: Stream): number {
  return view.count(elementsWithTag(stream.id, tags.group));
}

/** All groups, by name. Throws `limitReached`. */
export function allGroups(view: ReadView, stream: Stream): readonly Group[] {
  const groups: Group[] = [];
  const next = view.scan(elementsWithTag(stream.id, tags.group), false, (shown) => {
    groups.push(groupOf(shown.copyKey().subarray(ELEMENT_HEAD_BYTES), shown.value));
    return true;
  });
  if (next !== undefined) throw budgetSpent(view.budget);
  return groups;
}

export function readConsumer(
  view: ReadView,
  stream: Stream,
  group: Group,
  name: Uint8Array,
): Consumer | undefined {
  if (name.length > fixed.memberBytesMax) return undefined;
  const value = view.read(consumerKey(stream, group, name))?.value;
  return value && consumerOf(name, value);
}

function consumerOf(name: Uint8Array, value: Uint8Array): Consumer {
  return { name, number: readUint32(value, 0), seenMs: readUint53(value, SEEN_AT) };
}

/** Makes a consumer, and writes it and the group. There must be none of the name. */
export function createConsumer(
  view: View,
  stream: Stream,
  group: Group,
  name: Uint8Array,
  seenMs = view.instantMs,
): Consumer {
  checkName(name);
  const number = group.nextConsumer++;
  assert(number < TWO_32, 'a group has a number for each consumer that it ever had');
  const consumer = { name, number, seenMs };
  writeGroup(view, stream, group);
  writeConsumer(view, stream, group, consumer);
  return consumer;
}

/** The consumer of a name was seen. */
export function touchConsumer(view: View, stream: Stream, group: Group, consumer: Consumer): void {
  consumer.seenMs = view.instantMs;
  writeConsumer(view, stream, group, consumer);
}

function writeConsumer(view: View, stream: Stream, group: Group, { name, number, seenMs }: Consumer): void {
  const value = new Uint8Array(CONSUMER_BYTES);
  writeUint32(value, 0, number);
  writeUint53(value, SEEN_AT, seenMs);
  view.put(consumerKey(stream, group, name), value);
}

export function deleteConsumer(view: View, stream: Stream, group: Group, { name }: Consumer): void {
  view.delete(consumerKey(stream, group, name));
}

export function countConsumers(view: View, stream: Stream, group: Group): number {
  return view.count(ofGroup(stream, group, tags.consumer));
}

/** All consumers of a group, by name. Throws `limitReached`. */
export function allConsumers(view: ReadView, stream: Stream, group: Group): readonly Consumer[] {
  const consumers: Consumer[] = [];
  const next = view.scan(ofGroup(stream, group, tags.consumer), false, (shown) => {
    const name = shown.copyKey().subarray(ELEMENT_HEAD_BYTES + NUMBER_BYTES);
    consumers.push(consumerOf(name, shown.value));
    return true;
  });
  if (next !== undefined) throw budgetSpent(view.budget);
  return consumers;
}

/** Deletes a group of which nothing is pending, with its consumers. Throws `limitReached`. */
export function deleteGroup(view: View, stream: Stream, group: Group): void {
  const { nextKey } = view.deleteRange(ofGroup(stream, group, tags.consumer));
  if (nextKey !== undefined) throw budgetSpent(view.budget);
  view.delete(elementKey(stream.id, tags.group, group.name));
}

/** The keys of a tag that begin with a group's number. */
export function ofGroup(
  stream: Stream,
  { number }: Group,
  tag: (typeof tags)['consumer' | 'pending' | 'owned'],
): EngineRange {
  const start = beginElementKey(stream.id, tag, NUMBER_BYTES);
  writeUint32(start, ELEMENT_HEAD_BYTES, number);
  return { start, end: prefixEnd(start) };
}

function consumerKey(stream: Stream, { number }: Group, name: Uint8Array): Uint8Array {
  const key = beginElementKey(stream.id, tags.consumer, NUMBER_BYTES + name.length);
  writeUint32(key, ELEMENT_HEAD_BYTES, number);
  key.set(name, ELEMENT_HEAD_BYTES + NUMBER_BYTES);
  return key;
}

function checkName(name: Uint8Array): void {
  if (name.length <= fixed.memberBytesMax) return;
  throw new StoreError(
    'invalidArgument',
    `the name is ${name.length} bytes long; at most ${fixed.memberBytesMax} are allowed`,
  );
}
