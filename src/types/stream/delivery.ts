/** What a group hands to its consumers: entries that are new to it, and once more those that are pending. */
import { fixed } from '../../limits.ts';
import type { View } from '../../store/views/view.ts';
import type { WorkBudget } from '../../work-budget.ts';
import { type Entry, EntrySpan, gatherEntries, readEntry } from './entries.ts';
import {
  type Consumer,
  createConsumer,
  type Group,
  readConsumer,
  touchConsumer,
  writeGroup,
} from './groups.ts';
import { countRead } from './lag.ts';
import { type Pending, PendingWalk, putPending, readPending } from './pending.ts';
import type { Stream } from './stream.ts';
import { ID_MAX, idAfter } from './stream-id.ts';

/** An entry that is told; without fields: it is gone. */
export interface Delivered {
  readonly id: Uint8Array;
  readonly fields: Uint8Array | undefined;
}

/** The consumer of a name, who is there now: it is made if there is none. */
export function seenConsumer(
  view: View,
  stream: Stream,
  group: Group,
  name: Uint8Array,
): { readonly consumer: Consumer; readonly isNew: boolean } {
  const consumer = readConsumer(view, stream, group, name);
  if (consumer === undefined) return { consumer: createConsumer(view, stream, group, name), isNew: true };
  touchConsumer(view, stream, group, consumer);
  return { consumer, isNew: false };
}

/** The entries that are new to a group, so many at most. */
export function newEntries(view: View, stream: Stream, group: Group, countMax = Infinity): EntrySpan {
  const from = idAfter(group.lastId);
  // Behind the last id that there can be nothing comes.
  const count = from === undefined ? 0 : Math.min(countMax, fixed.streamDeliveredMax);
  return new EntrySpan(view, stream, from ?? ID_MAX, ID_MAX, false, count);
}

/**
 * Delivers new entries to a consumer: they are pending, and the group has read them. The group is written, the stream is left to be.
 * @param isKept whether they become pending; else they count as acknowledged.
 * @returns them, or as many as one call may do.
 */
export function deliver(
  view: View,
  stream: Stream,
  group: Group,
  consumer: Consumer,
  span: EntrySpan,
  isKept: boolean,
): readonly Entry[] {
  const delivered: Entry[] = [];
  while (delivered.length < span.count) {
    for (const entry of gatherEntries(view, span)) {
      const { id } = entry;
      countRead(stream, group, id);
      if (isKept) {
        // It may be another's: where the group was set back.
        const before = readPending(view, stream, group, id);
        putPending(view, stream, group, consumer, { id, deliveredMs: view.instantMs, deliveries: 1 }, before);
      }
      delivered.push(entry);
    }
    if (isHalfSpent(view.budget)) break;
  }
  writeGroup(view, stream, group);
  return delivered;
}

/**
 * Delivers once more what is pending with a consumer, behind an id. Throws `limitReached` where not even a first one can be told:
 * a consumer takes nothing for the end.
 * @returns so much at most, or as much as one call may do.
 */
export function deliverAgain(
  view: View,
  stream: Stream,
  group: Group,
  consumer: Consumer,
  behind: Uint8Array,
  countMax = Infinity,
): readonly Delivered[] {
  const delivered: Delivered[] = [];
  const from = idAfter(behind);
  if (from === undefined) return delivered;
  const walk = new PendingWalk(stream, group, from, ID_MAX, consumer);
  let left = Math.min(countMax, fixed.streamDeliveredMax);
  while (left > 0 && walk.hasMore) {
    const isEnough = isHalfSpent(view.budget);
    if (isEnough && delivered.length > 0) break;
    for (const pending of walk.next(view, isEnough ? 1 : left)) {
      left--;
      const { id, deliveries } = pending;
      const fields = readEntry(view, stream, id);
      delivered.push({ id, fields });
      if (fields === undefined) continue;
      const now = { id, deliveredMs: view.instantMs, deliveries: deliveries + 1 };
      putPending(view, stream, group, consumer, now, pending);
    }
  }
  return delivered;
}

/** Whether what a call has done is enough for one: the rest of what it may do is for bringing that to its end. */
export function isHalfSpent({ visitsLeft, bytesLeft }: WorkBudget): boolean {
  return visitsLeft < fixed.requestVisitsMax / 2 || bytesLeft < fixed.requestBytesMax / 2;
}

/** How long ago something pending was delivered, in milliseconds. */
export function idleMs(view: View, { deliveredMs }: Pending): number {
  return view.instantMs - deliveredMs;
}
