/** A stream as Redis 7.0 dumps it, with its groups, their consumers, and what is pending. */
import type { Version } from '../../engine/version.ts';
import { ELEMENT_HEAD_BYTES } from '../../store/collections/collection-keys.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import type { ReadView } from '../../store/views/view.ts';
import { entryRange } from '../stream/entries.ts';
import { allConsumers, allGroups, type Group, UNKNOWN } from '../stream/groups.ts';
import { type Pending, PendingWalk } from '../stream/pending.ts';
import { Stream } from '../stream/stream.ts';
import { halvesOf, ID_MAX, ID_ZERO } from '../stream/stream-id.ts';
import { UNKNOWN_READ, valueTypes } from './format.ts';
import { StreamNodes } from './stream-nodes.ts';
import type { ValueWriter } from './value-writer.ts';

/** Throws `limitReached`. */
export function writeStream(view: ReadView, version: Version, writer: ValueWriter): void {
  const stream = Stream.of(version);
  const nodes = new StreamNodes();
  if (stream.count > 0) visitEntries(view, stream, nodes);
  writer.byte(valueTypes.countedStream);
  nodes.writeTo(writer);
  writer.length(stream.count);
  writeId(writer, stream.lastId);
  writeId(writer, stream.firstId);
  writeId(writer, stream.maxDeletedId);
  writer.length(BigInt(stream.added));
  const groups = allGroups(view, stream);
  writer.length(groups.length);
  for (const group of groups) writeGroup(view, stream, group, writer);
}

/** The metadata says how many there are, so nothing has to be counted, which an old state does not allow. */
function visitEntries(view: ReadView, stream: Stream, nodes: StreamNodes): void {
  const next = view.scan(entryRange(stream.id, stream.firstId, stream.lastId), false, (shown) => {
    const { value } = shown;
    view.budget.spendBytes(value.length);
    nodes.add(shown.keyFrom(ELEMENT_HEAD_BYTES), value);
    return !view.budget.isSpent;
  });
  if (next !== undefined) throw budgetSpent(view.budget);
}

function writeGroup(view: ReadView, stream: Stream, group: Group, writer: ValueWriter): void {
  const all: Pick<Pending, 'id' | 'deliveredMs' | 'deliveries'>[] = [];
  const idsByConsumer = new Map<number, Uint8Array[]>();
  for (const walk = new PendingWalk(stream, group, ID_ZERO, ID_MAX); walk.hasMore;) {
    for (const { id, number, deliveredMs, deliveries } of walk.next(view, Infinity)) {
      all.push({ id, deliveredMs, deliveries });
      const ids = idsByConsumer.get(number);
      if (ids === undefined) idsByConsumer.set(number, [id]);
      else ids.push(id);
    }
  }
  writer.string(group.name);
  writeId(writer, group.lastId);
  writer.length(group.entriesRead === UNKNOWN ? UNKNOWN_READ : BigInt(group.entriesRead));
  writer.length(all.length);
  for (const { id, deliveredMs, deliveries } of all) {
    writer.bytes(id);
    writer.uint64(BigInt(deliveredMs));
    writer.length(BigInt(deliveries));
  }
  const consumers = allConsumers(view, stream, group);
  writer.length(consumers.length);
  for (const { name, number, seenMs } of consumers) {
    writer.string(name);
    writer.uint64(BigInt(seenMs));
    const ids = idsByConsumer.get(number) ?? [];
    writer.length(ids.length);
    for (const id of ids) writer.bytes(id);
  }
}

function writeId(writer: ValueWriter, id: Uint8Array): void {
  for (const half of halvesOf(id)) writer.length(half);
}
