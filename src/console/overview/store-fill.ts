/**
 * What fills the store: the prefixes with the most keys, and about how many bytes they take. The work is bounded, however many keys there
 * are: folders are found by steps (`keys/key-tree.ts`), keys are counted by the server, and bytes are estimated from a few entries at both
 * ends of a prefix. So a prefix that is not among the first folders, or values of very different lengths, make it wrong.
 */
import { type Range, bytesOf, prefixRange } from '../bytes/key-name.ts';
import { asText } from '../bytes/text.ts';
import { type Folder, KeyTree, type TreeReads, rangeOf } from '../keys/key-tree.ts';
import { limits } from '../page/limits.ts';

export interface FillReads extends TreeReads {
  /** The bytes of keys and values of the first entries of a range, or of the last, each. */
  sizes(range: Range, isReverse: boolean, limit: number, signal: AbortSignal): Promise<readonly number[]>;
}

export interface FillRow {
  readonly prefix: Uint8Array;
  /** `undefined`: it is not UTF-8. */
  readonly text: string | undefined;
  readonly separator: string;
  readonly keyCount: number;
  /** Estimated. */
  readonly bytes: number;
}

export interface Fill {
  readonly keyCount: number;
  /** The largest first, by bytes. */
  readonly rows: readonly FillRow[];
  /** The keys that are in none of the rows. */
  readonly otherCount: number;
}

interface Counted {
  readonly folder: Folder;
  readonly tree: KeyTree;
  readonly separator: string;
  readonly keyCount: number;
}

/** Tried in this order; the first by which most keys lie in folders is taken. */
const SEPARATORS = ['/', ':'];

/** A prefix with a larger part of all keys than this is looked into, ... */
const LARGE_SHARE = 0.4;
/** ... and given up for its folders when so many of its keys lie in them. */
const COVERED_SHARE = 0.9;

export async function readFill(reads: FillReads, signal: AbortSignal): Promise<Fill> {
  const keyCount = Number(await reads.count(prefixRange(''), signal));
  let best: Counted[] = [];
  for (const separator of SEPARATORS) {
    if (2 * totalOf(best) > keyCount) break;
    const found = await foldersBy(separator, reads, signal);
    if (totalOf(found) > totalOf(best)) best = found;
  }
  const split = await splitLarge(best, keyCount, reads, signal);
  const largest = largestOf(split).slice(0, limits.fillRows);
  const rows: FillRow[] = [];
  for (const counted of largest) rows.push(await rowOf(counted, reads, signal));
  rows.sort((one, other) => other.bytes - one.bytes);
  return { keyCount, rows, otherCount: Math.max(0, keyCount - totalOf(largest)) };
}

async function foldersBy(separator: string, reads: TreeReads, signal: AbortSignal): Promise<Counted[]> {
  const tree = new KeyTree('', separator, reads);
  return foldersIn(tree, tree.root, separator, reads, signal);
}

async function foldersIn(
  tree: KeyTree,
  folder: Folder,
  separator: string,
  reads: TreeReads,
  signal: AbortSignal,
): Promise<Counted[]> {
  const stop = (): void => tree.stop();
  signal.addEventListener('abort', stop);
  await tree.open(folder);
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (folder.failure !== undefined) throw new Error(folder.failure.message);
  const folders = (folder.children ?? []).filter((child) => child.kind === 'folder');
  const counted: Counted[] = [];
  for (let from = 0; from < folders.length; from += limits.countCalls) {
    const some = folders.slice(from, from + limits.countCalls);
    const counts = await Promise.all(some.map((child) => reads.count(rangeOf(child), signal)));
    counted.push(
      ...some.map((child, index) => ({ folder: child, tree, separator, keyCount: Number(counts[index]) })),
    );
  }
  return counted;
}

/** In place of a prefix that holds most keys, those in it are shown. */
async function splitLarge(
  all: readonly Counted[],
  keyCount: number,
  reads: TreeReads,
  signal: AbortSignal,
): Promise<readonly Counted[]> {
  let rows = [...all];
  const whole = new Set<Counted>();
  for (let splits = 0; splits < limits.fillSplits; splits++) {
    const large = rows.find((row) => row.keyCount > LARGE_SHARE * keyCount && !whole.has(row));
    if (large === undefined) break;
    const { tree, folder, separator } = large;
    const inside = await foldersIn(tree, folder, separator, reads, signal);
    if (totalOf(inside) < COVERED_SHARE * large.keyCount) whole.add(large);
    else rows = [...rows.filter((row) => row !== large), ...inside];
  }
  return rows;
}

async function rowOf(
  { folder, separator, keyCount }: Counted,
  reads: FillReads,
  signal: AbortSignal,
): Promise<FillRow> {
  const range = rangeOf(folder);
  const ends = await Promise.all(
    [false, true].map((isReverse) => reads.sizes(range, isReverse, limits.fillSample, signal)),
  );
  const sizes = ends.flat();
  const mean = sizes.length === 0 ? 0 : sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  const { prefix } = folder;
  return { prefix, text: asText(prefix), separator, keyCount, bytes: Math.round(mean * keyCount) };
}

function largestOf(rows: readonly Counted[]): Counted[] {
  return rows.toSorted((one, other) => other.keyCount - one.keyCount);
}

function totalOf(rows: readonly Counted[]): number {
  return rows.reduce((sum, { keyCount }) => sum + keyCount, 0);
}

/** What an entry takes by its key and value; the elements of a collection are not in it. */
export function sizeOfEntry(entry: {
  readonly key: string;
  readonly keyBytes: Uint8Array;
  readonly value: Uint8Array;
}): number {
  const key = entry.keyBytes.length === 0 ? bytesOf(entry.key) : entry.keyBytes;
  return key.length + entry.value.length;
}
