/** Streams: what is pending in groups: acknowledged, told, and claimed by other consumers. */
import { fixed, serverFixed } from '../../../../../limits.ts';
import type { ReadView, View } from '../../../../../store/views/view.ts';
import { idleMs, isHalfSpent, seenConsumer } from '../../../../../types/stream/delivery.ts';
import { type Entry, readEntry } from '../../../../../types/stream/entries.ts';
import {
  allConsumers,
  type Consumer,
  type Group,
  readConsumer,
  readGroup,
  writeGroup,
} from '../../../../../types/stream/groups.ts';
import {
  countOwned,
  countPending,
  edgeOfPending,
  type Pending,
  PendingWalk,
  putPending,
  readPending,
  removePending,
} from '../../../../../types/stream/pending.ts';
import { Stream } from '../../../../../types/stream/stream.ts';
import { compareIds, formatId, ID_MAX, ID_ZERO, parseId } from '../../../../../types/stream/stream-id.ts';
import {
  noSuchGroup,
  ReplyError,
  streamTexts,
  syntaxError,
  unknownClaimOption,
} from '../../../replies/errors.ts';
import type { Arguments, Command, CommandCall, Reply, Slice } from '../../command.ts';
import { idAt, idsFrom, intervalEndAt, intervalStartAt, writeEntry } from './words.ts';

function xack(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const key = args.key(1);
  const stream = Stream.read(view, key);
  const group = stream && readGroup(view, stream, args.bytes(2));
  let count = 0;
  if (stream !== undefined && group !== undefined) {
    for (const id of idsFrom(args, 3)) {
      const pending = readPending(view, stream, group, id);
      if (pending === undefined) continue;
      removePending(view, stream, group, pending);
      count++;
    }
    if (count > 0) stream.write(view, key);
  }
  reply.integer(count);
}

/** The stream and the group of a call, in its first two words. */
function groupAt(view: ReadView, args: Arguments): { readonly stream: Stream; readonly group: Group } {
  const stream = Stream.read(view, args.key(1));
  const group = stream && readGroup(view, stream, args.bytes(2));
  if (stream === undefined || group === undefined) throw noSuchGroup(args.text(1), args.text(2));
  return { stream, group };
}

function xpending(view: View, call: CommandCall): Slice | undefined {
  const { args, reply } = call;
  if (args.count === 3) {
    const { stream, group } = groupAt(view, args);
    replySummary(view, reply, stream, group);
    return undefined;
  }
  if (args.count < 6 || args.count > 9) throw syntaxError();
  let first = 3;
  let minIdleMs = 0;
  if (args.is(3, 'IDLE')) {
    minIdleMs = args.integer(4);
    if (args.count < 8) throw syntaxError();
    first = 5;
  }
  const count = args.integer(first + 2);
  const from = intervalStartAt(args, first);
  const to = intervalEndAt(args, first + 1);
  const nameAt = first + 3;
  const { stream, group } = groupAt(view, args);
  const consumer = nameAt < args.count ? readConsumer(view, stream, group, args.bytes(nameAt)) : undefined;
  if ((nameAt < args.count && consumer === undefined) || count <= 0) {
    reply.array(0);
    return undefined;
  }
  const walk = new PendingWalk(stream, group, from, to, consumer);
  const begun = reply.beginArray();
  return replyPending(walk, count, minIdleMs, view.instantMs, begun)(view, reply);
}

function replyPending(
  walk: PendingWalk,
  countMax: number,
  minIdleMs: number,
  nowMs: number,
  begun: number,
): Slice {
  let toldCount = 0;
  const goOn: Slice = (view, reply) => {
    let left: number = serverFixed.elementsPerSlice;
    while (walk.hasMore && toldCount < countMax) {
      if (left <= 0 || view.budget.isSpent) return goOn;
      for (const pending of walk.next(view, Math.min(left, countMax - toldCount))) {
        left--;
        const idle = nowMs - pending.deliveredMs;
        if (minIdleMs !== 0 && idle < minIdleMs) continue;
        toldCount++;
        reply.array(4);
        reply.text(formatId(pending.id));
        reply.bulk(pending.name);
        reply.integer(Math.max(0, idle));
        reply.integer(pending.deliveries);
      }
    }
    reply.endArray(begun, toldCount);
    return undefined;
  };
  return goOn;
}

function replySummary(view: View, reply: Reply, stream: Stream, group: Group): void {
  const count = countPending(view, stream, group);
  reply.array(4);
  reply.integer(count);
  if (count === 0) {
    reply.nil();
    reply.nil();
    reply.nilArray();
    return;
  }
  for (const isLast of [false, true])
    reply.text(formatId(edgeOfPending(view, stream, group, isLast) ?? ID_ZERO));
  const begun = reply.beginArray();
  let toldCount = 0;
  for (const consumer of allConsumers(view, stream, group)) {
    const owned = countOwned(view, stream, group, consumer);
    if (owned === 0) continue;
    toldCount++;
    reply.array(2);
    reply.bulk(consumer.name);
    reply.text(String(owned));
  }
  reply.endArray(begun, toldCount);
}

/** An integer of a claim, with its text for what is none. */
function numberAt(args: Arguments, index: number, text: string): number {
  try {
    return args.integer(index);
  } catch (error) {
    if (error instanceof ReplyError) throw new ReplyError(text);
    throw error;
  }
}

interface ClaimWords {
  readonly ids: readonly Uint8Array[];
  /** When the entries count as delivered. */
  readonly deliveredMs: number;
  /** How often they count as delivered; `undefined`: once more than before. */
  readonly deliveries: number | undefined;
  readonly isForced: boolean;
  readonly areIdsAlone: boolean;
  readonly lastId: Uint8Array;
}

/** The words of XCLAIM behind the idle time: ids as far as there are any, then options. */
function claimWords(args: Arguments, nowMs: number): ClaimWords {
  const ids: Uint8Array[] = [];
  let index = 5;
  for (; index < args.count; index++) {
    const id = parseId(args.text(index));
    if (id === undefined) break;
    ids.push(id);
  }
  let deliveredMs = nowMs;
  let deliveries: number | undefined;
  let isForced = false;
  let areIdsAlone = false;
  let lastId = ID_ZERO;
  for (; index < args.count; index++) {
    const hasValue = index + 1 < args.count;
    if (args.is(index, 'FORCE')) isForced = true;
    else if (args.is(index, 'JUSTID')) areIdsAlone = true;
    else if (hasValue && args.is(index, 'IDLE'))
      deliveredMs = nowMs - numberAt(args, ++index, streamTexts.idleOfClaim);
    else if (hasValue && args.is(index, 'TIME'))
      deliveredMs = numberAt(args, ++index, streamTexts.timeOfClaim);
    else if (hasValue && args.is(index, 'RETRYCOUNT')) {
      const count = numberAt(args, ++index, streamTexts.retriesOfClaim);
      deliveries = count < 0 ? undefined : count;
    } else if (hasValue && args.is(index, 'LASTID')) lastId = idAt(args, ++index);
    else throw unknownClaimOption(args.text(index));
  }
  // A time that can't be is taken for now: clients count from clocks of their own.
  if (deliveredMs < 0 || deliveredMs > nowMs) deliveredMs = nowMs;
  return { ids, deliveredMs, deliveries, isForced, areIdsAlone, lastId };
}

/** Who claims, and what. */
class Claim {
  readonly key: Uint8Array;
  readonly stream: Stream;
  readonly group: Group;
  hasChanged = false;
  readonly #view: View;
  readonly #call: CommandCall;
  readonly #minIdleMs: number;
  #consumer: Consumer | undefined;

  constructor(view: View, call: CommandCall, stream: Stream, group: Group, minIdleMs: number) {
    this.#view = view;
    this.#call = call;
    this.key = call.args.key(1);
    this.stream = stream;
    this.group = group;
    this.#minIdleMs = minIdleMs;
  }

  /** The entry of something pending is gone: so is that. */
  drop(pending: Pending): void {
    removePending(this.#view, this.stream, this.group, pending);
    this.hasChanged = true;
  }

  /**
   * An entry becomes the claimant's. @param before `undefined`: it was not pending.
   * @returns whether it does: it has to have been pending for long enough.
   */
  take(
    id: Uint8Array,
    before: Pending | undefined,
    { deliveredMs, deliveries, areIdsAlone }: Pick<ClaimWords, 'deliveredMs' | 'deliveries' | 'areIdsAlone'>,
  ): boolean {
    if (before !== undefined && this.#minIdleMs > 0 && idleMs(this.#view, before) < this.#minIdleMs)
      return false;
    const consumer = this.#claimant();
    const counted = (before?.deliveries ?? 1) + (areIdsAlone ? 0 : 1);
    const now = { id, deliveredMs, deliveries: deliveries ?? counted };
    putPending(this.#view, this.stream, this.group, consumer, now, before);
    this.hasChanged = true;
    return true;
  }

  /** Writes what has changed. */
  finish(): void {
    if (this.hasChanged) this.stream.write(this.#view, this.key);
  }

  #claimant(): Consumer {
    if (this.#consumer !== undefined) return this.#consumer;
    const { consumer, isNew } = seenConsumer(this.#view, this.stream, this.group, this.#call.args.bytes(3));
    if (isNew) this.#call.notify('t', 'xgroup-createconsumer', this.key);
    return (this.#consumer = consumer);
  }
}

function xclaim(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const { stream, group } = groupAt(view, args);
  const minIdleMs = numberAt(args, 4, streamTexts.minIdleOfClaim);
  const words = claimWords(args, view.instantMs);
  const claim = new Claim(view, call, stream, group, minIdleMs);
  if (compareIds(words.lastId, group.lastId) > 0) {
    group.lastId = words.lastId;
    writeGroup(view, stream, group);
    claim.hasChanged = true;
  }
  const begun = reply.beginArray();
  let count = 0;
  for (const id of words.ids) {
    const pending = readPending(view, stream, group, id);
    const fields = readEntry(view, stream, id);
    if (fields === undefined) {
      if (pending !== undefined) claim.drop(pending);
      continue;
    }
    if ((pending === undefined && !words.isForced) || !claim.take(id, pending, words)) continue;
    count++;
    replyClaimed(reply, id, fields, words.areIdsAlone);
  }
  reply.endArray(begun, count);
  claim.finish();
}

function replyClaimed(reply: Reply, id: Uint8Array, fields: Uint8Array, areIdsAlone: boolean): void {
  if (areIdsAlone) reply.text(formatId(id));
  else writeEntry(reply, id, fields);
}

/** So many times as many entries as it may claim XAUTOCLAIM looks at. */
const LOOKED_AT_FACTOR = 10;
const DEFAULT_COUNT = 100;
/** That of Redis, whose ids have 16 bytes. */
const COUNT_MAX = 2 ** 63 / 16;

function xautoclaim(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const minIdleMs = numberAt(args, 4, streamTexts.minIdleOfAutoClaim);
  const from = intervalStartAt(args, 5);
  let count = DEFAULT_COUNT;
  let areIdsAlone = false;
  for (let index = 6; index < args.count; index++) {
    if (args.is(index, 'COUNT') && index + 1 < args.count) {
      count = numberAt(args, ++index, streamTexts.noCount);
      if (count < 1 || count >= COUNT_MAX) throw new ReplyError(streamTexts.noCount);
    } else if (args.is(index, 'JUSTID')) areIdsAlone = true;
    else throw syntaxError();
  }
  const { stream, group } = groupAt(view, args);
  const claim = new Claim(view, call, stream, group, minIdleMs);
  const words = { deliveredMs: view.instantMs, deliveries: undefined, areIdsAlone };
  const claimed: Entry[] = [];
  const gone: Uint8Array[] = [];
  const left = (): number => Math.min(count, fixed.streamDeliveredMax) - claimed.length - gone.length;
  let attempts = left() * LOOKED_AT_FACTOR;
  const walk = new PendingWalk(stream, group, from, ID_MAX);
  while (left() > 0 && attempts > 0 && walk.hasMore && !isHalfSpent(view.budget)) {
    for (const pending of walk.next(view, Math.min(left(), attempts))) {
      attempts--;
      const { id } = pending;
      const fields = readEntry(view, stream, id);
      if (fields === undefined) {
        claim.drop(pending);
        gone.push(id);
      } else if (claim.take(id, pending, words)) claimed.push({ id, fields });
    }
  }
  const [next] = walk.next(view, 1);
  reply.array(3);
  reply.text(formatId(next?.id ?? ID_ZERO));
  reply.array(claimed.length);
  for (const { id, fields } of claimed) replyClaimed(reply, id, fields, areIdsAlone);
  reply.array(gone.length);
  for (const id of gone) reply.text(formatId(id));
  claim.finish();
}

const group = 'stream';
const keys = [{ first: 1, last: 1, step: 1, use: 'both' }] as const;

export const streamPendingCommands: readonly Command[] = [
  {
    name: 'xack',
    arity: -4,
    flags: ['write', 'fast'],
    categories: ['write', 'stream', 'fast'],
    group,
    summary: 'Acknowledges entries, which are not pending in a group any more',
    since: '5.0.0',
    complexity: 'O(log n) per entry',
    syntax: 'key group id [id ...]',
    keys,
    write: xack,
  },
  {
    name: 'xpending',
    arity: -3,
    flags: ['readonly'],
    categories: ['read', 'stream', 'slow'],
    group,
    summary: 'Tells what is pending in a group: how much in all, or entry by entry',
    since: '5.0.0',
    complexity: 'O(log n) per consumer, or O(log n + m) for m entries looked at',
    syntax: 'key group [[IDLE min-idle-time] start end count [consumer]]',
    keys: [{ first: 1, last: 1, step: 1, use: 'read' }],
    newest: xpending,
  },
  {
    name: 'xclaim',
    arity: -6,
    flags: ['write', 'fast'],
    categories: ['write', 'stream', 'fast'],
    group,
    summary: 'Makes entries that are pending those of another consumer',
    since: '5.0.0',
    complexity: 'O(log n) per entry',
    syntax:
      'key group consumer min-idle-time id [id ...] [IDLE milliseconds] [TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID last-id]',
    keys,
    write: xclaim,
  },
  {
    name: 'xautoclaim',
    arity: -6,
    flags: ['write', 'fast'],
    categories: ['write', 'stream', 'fast'],
    group,
    summary: 'Makes entries that are pending for long those of another consumer, in the order of their ids',
    since: '6.2.0',
    complexity: 'O(log n) per entry looked at',
    syntax: 'key group consumer min-idle-time start [COUNT count] [JUSTID]',
    keys,
    write: xautoclaim,
  },
];
