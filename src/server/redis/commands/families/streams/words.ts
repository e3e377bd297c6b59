/** Streams: what their commands read in words, and how entries are told. */
import { serverFixed } from '../../../../../limits.ts';
import type { ReadView } from '../../../../../store/views/view.ts';
import { ItemCursor } from '../../../../../types/collections/packed-items.ts';
import { countFields, type EntrySpan } from '../../../../../types/stream/entries.ts';
import {
  formatId,
  ID_MAX,
  ID_ZERO,
  idAfter,
  idBefore,
  parseId,
} from '../../../../../types/stream/stream-id.ts';
import { ReplyError, streamTexts } from '../../../replies/errors.ts';
import type { Arguments, KeyUse, Reply, Slice } from '../../command.ts';

/** An id, whole or its milliseconds alone. */
export function idAt(args: Arguments, index: number): Uint8Array {
  const id = parseId(args.text(index));
  if (id === undefined) throw new ReplyError(streamTexts.badId);
  return id;
}

/** The ids from a word on, to the last one. */
export function idsFrom(args: Arguments, first: number): Uint8Array[] {
  const ids: Uint8Array[] = [];
  for (let index = first; index < args.count; index++) ids.push(idAt(args, index));
  return ids;
}

/** The lowest id of an interval: `-`, an id, or `(` and an id that is left out. */
export function intervalStartAt(args: Arguments, index: number): Uint8Array {
  const { id, isLeftOut } = boundAt(args, index, 'lowest');
  const start = isLeftOut ? idAfter(id) : id;
  if (start === undefined) throw new ReplyError(streamTexts.badStart);
  return start;
}

/** The highest id of an interval: `+`, an id, or `(` and an id that is left out. */
export function intervalEndAt(args: Arguments, index: number): Uint8Array {
  const { id, isLeftOut } = boundAt(args, index, 'highest');
  const end = isLeftOut ? idBefore(id) : id;
  if (end === undefined) throw new ReplyError(streamTexts.badEnd);
  return end;
}

function boundAt(
  args: Arguments,
  index: number,
  missing: 'lowest' | 'highest',
): { readonly id: Uint8Array; readonly isLeftOut: boolean } {
  const text = args.text(index);
  if (text === '-') return { id: ID_ZERO, isLeftOut: false };
  if (text === '+') return { id: ID_MAX, isLeftOut: false };
  const isLeftOut = text.length > 1 && text.startsWith('(');
  const id = parseId(isLeftOut ? text.slice(1) : text, missing);
  if (id === undefined) throw new ReplyError(streamTexts.badId);
  return { id, isLeftOut };
}

export function writeEntry(reply: Reply, id: Uint8Array, fields: Uint8Array): void {
  reply.array(2);
  reply.text(formatId(id));
  reply.array(countFields(fields));
  for (const cursor = new ItemCursor(fields); cursor.next();) reply.bulk(cursor.item);
}

/** Tells a part of a stream, its length first. */
export function replySpan(view: ReadView, reply: Reply, span: EntrySpan): Slice | undefined {
  reply.array(span.count);
  const goOn: Slice = (state, target) =>
    span.step(state, serverFixed.elementsPerSlice, (id, fields) => writeEntry(target, id, fields))
      ? goOn
      : undefined;
  return goOn(view, reply);
}

/** The keys between STREAMS and their ids. @param use what access asks for. */
export function keysOfStreams(use: KeyUse) {
  return {
    told: [0, 0, 0],
    find: (args: Arguments, tell: (index: number, use: KeyUse) => void): void => {
      let index = 1;
      while (index < args.count && !args.is(index, 'STREAMS')) {
        if (args.is(index, 'GROUP')) index += 3;
        else if (args.is(index, 'BLOCK') || args.is(index, 'COUNT')) index += 2;
        else index++;
      }
      const first = index + 1;
      const keyCount = (args.count - first) / 2;
      if (keyCount < 1 || !Number.isInteger(keyCount)) return;
      for (let key = first; key < first + keyCount; key++) tell(key, use);
    },
  } as const;
}
