/** Replies with many elements of a hash or a set (`types/collections/element-table.ts`), in pieces where they are long. */
import type { Version } from '../../../../engine/version.ts';
import { serverFixed } from '../../../../limits.ts';
import { budgetSpent } from '../../../../store/views/draft.ts';
import type { ReadView, View } from '../../../../store/views/view.ts';
import { countElements, type TableType, visitElements } from '../../../../types/collections/element-table.ts';
import { isPacked } from '../../../../types/collections/metadata.ts';
import { isTimed } from '../../../../types/collections/timed-table.ts';
import { RandomSample } from '../../../../types/collections/random-elements.ts';
import { NOT_POSITIVE, OUT_OF_RANGE, OUT_OF_RANGE_INT64, ReplyError } from '../../replies/errors.ts';
import type { Arguments, CommandCall, Reply, Slice } from '../command.ts';
import { readCursor, readScanOptions } from './scan-words.ts';

/** Writes what is shown of an element. */
export type WriteElement = (reply: Reply, name: Uint8Array, value: Uint8Array) => void;

export const writeName: WriteElement = (reply, name) => reply.bulk(name);
export const writeValue: WriteElement = (reply, _, value) => reply.bulk(value);
export const writeBoth: WriteElement = (reply, name, value) => {
  reply.bulk(name);
  reply.bulk(value);
};
/** As RESP3 has a field with its value within an array. */
export const writePair: WriteElement = (reply, name, value) => {
  reply.array(2);
  writeBoth(reply, name, value);
};

/** Each piece begins with this: within a transaction all of them draw on one budget. */
export function refuseSpent({ budget }: ReadView): void {
  if (budget.isSpent) throw budgetSpent(budget);
}

/** All elements from a name on; what stands before them is written already. */
export function elementsSlice(
  version: Version,
  type: TableType,
  write: WriteElement,
  start?: Uint8Array,
): Slice {
  return (view, reply) => {
    refuseSpent(view);
    let left = serverFixed.elementsPerSlice;
    const writeNext = (name: Uint8Array, value: Uint8Array): boolean => {
      write(reply, name, value);
      return --left > 0;
    };
    const withValues = type.hasValues && write !== writeName;
    const next = visitElements(view, version, type, start, writeNext, withValues);
    return next === undefined ? undefined : elementsSlice(version, type, write, next);
  };
}

/** Writes what stands behind the number of a table's elements, and before them. */
type Tell = (view: ReadView, reply: Reply, count: number) => Slice | undefined;

/**
 * Tells how many elements of a table there are to be shown, and goes on with that. Of a timed table (`types/collections/timed-table.ts`) they are
 * looked at for it, in pieces, since those past their deadline are left out.
 */
export function countShown(
  view: ReadView,
  reply: Reply,
  version: Version,
  type: TableType,
  tell: Tell,
): Slice | undefined {
  if (!isTimed(version)) return tell(view, reply, countElements(version, type));
  return shownSlice(version, type, tell, 0)(view, reply);
}

function shownSlice(
  version: Version,
  type: TableType,
  tell: Tell,
  countBefore: number,
  start?: Uint8Array,
): Slice {
  return (view, reply) => {
    refuseSpent(view);
    let count = countBefore;
    let left = serverFixed.elementsPerSlice;
    const countNext = (): boolean => {
      count++;
      return --left > 0;
    };
    const next = visitElements(view, version, type, start, countNext, false);
    return next === undefined ? tell(view, reply, count) : shownSlice(version, type, tell, count, next);
  };
}

/** All elements, behind their number. */
export function writeAll(
  view: ReadView,
  reply: Reply,
  version: Version,
  type: TableType,
  write: WriteElement,
  begin: (reply: Reply, count: number) => void,
): Slice | undefined {
  return countShown(view, reply, version, type, (shown, to, count) => {
    begin(to, count);
    // The count may have taken what this piece may do.
    const slice = elementsSlice(version, type, write);
    return shown.budget.isSpent ? slice : slice(shown, to);
  });
}

/** As `writeChosen`, of any state: elements of a timed table have no places of their own. @param tableCount of them. */
export function writeChosenOf(
  view: ReadView,
  reply: Reply,
  version: Version,
  type: TableType,
  count: number,
  write: WriteElement,
  tableCount: number,
): Slice | undefined {
  const slice =
    count >= tableCount
      ? elementsSlice(version, type, write)
      : sampleSlice(new RandomSample(version, type, count, Math.random, tableCount), write);
  return view.budget.isSpent ? slice : slice(view, reply);
}

/** Different elements by chance, as many as are asked for or all that there are; what stands before them is written already. */
export function writeChosen(
  view: View,
  reply: Reply,
  version: Version,
  type: TableType,
  count: number,
  write: WriteElement,
): Slice | undefined {
  if (count >= countElements(version, type)) return elementsSlice(version, type, write)(view, reply);
  const sample = new RandomSample(version, type, count, Math.random);
  if (!sample.isSparse(view)) return sampleSlice(sample, write)(view, reply);
  sample.visitSparse(view, (name, value) => write(reply, name, value));
  return undefined;
}

function sampleSlice(sample: RandomSample, write: WriteElement): Slice {
  return (view, reply) => {
    refuseSpent(view);
    const hasMore = sample.visitNext(view, serverFixed.elementsPerSlice, (name, value) =>
      write(reply, name, value),
    );
    return hasMore ? sampleSlice(sample, write) : undefined;
  };
}

const INT64_MIN = -(2n ** 63n);

/** How many elements are asked for by chance: negative, one may come several times. */
export function readPickCount(args: Arguments, index: number): bigint {
  const count = args.int64(index);
  if (count === INT64_MIN) throw new ReplyError(OUT_OF_RANGE_INT64);
  return count;
}

const INT64_HALF = (2n ** 63n - 1n) / 2n;

/** The same where each is shown with its value. */
export function refuseTooManyPairs(count: bigint): void {
  if (count > INT64_HALF || count < -INT64_HALF) throw new ReplyError(OUT_OF_RANGE);
}

/** How many elements are to be taken out. */
export function readPopCount(args: Arguments, index: number): number {
  let count = -1;
  try {
    count = args.integer(index);
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error;
  }
  if (count < 0) throw new ReplyError(NOT_POSITIVE);
  return count;
}

/** HSCAN and SSCAN. A packed table is told whole. */
export function scanTable(
  view: ReadView,
  { args, reply, cursors }: CommandCall,
  read: (view: ReadView, key: Uint8Array) => Version | undefined,
  type: TableType,
): void {
  const cursor = readCursor(args, 2);
  const key = args.key(1);
  const version = read(view, key);
  if (version === undefined) {
    reply.array(2);
    reply.text('0');
    reply.array(0);
    return;
  }
  const { count, glob } = readScanOptions(args, 3);
  const isWhole = isPacked(version);
  const start = isWhole || cursor <= 0 ? undefined : cursors.find(key, cursor);
  const found: Uint8Array[] = [];
  let left = isWhole ? Infinity : count;
  const next = visitElements(view, version, type, start, (name, value) => {
    if (glob === undefined || glob.matches(name, 0, name.length)) {
      found.push(new Uint8Array(name));
      if (type.hasValues) found.push(new Uint8Array(value));
    }
    return --left > 0;
  });
  reply.array(2);
  reply.text(next === undefined ? '0' : String(cursors.keep(key, next)));
  reply.array(found.length);
  for (const bytes of found) reply.bulk(bytes);
}
