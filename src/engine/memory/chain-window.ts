/** Which versions of a key are needed to read at any revision of a window. */
import { IS_DELETED, VERSION_FLAGS, VERSION_PREVIOUS, revisionAt } from './layout.ts';
import { CHAIN_HOPS_MAX } from './long-chains.ts';
import type { Shard } from './shard.ts';
import { wordOffsetOf } from './version-arena.ts';

export interface ChainWindow {
  readonly oldest: number;
  readonly newest: number;
}

/**
 * Puts the places of the needed versions into `references`, from the oldest one above `aboveRevision` on, at most
 * `countMax`.
 * @returns whether these are all.
 */
export function collectNeeded(
  shard: Shard,
  localId: number,
  window: ChainWindow,
  aboveRevision: number,
  countMax: number,
  references: number[],
): boolean {
  const { oldest, newest } = window;
  references.length = 0;
  let each = shard.slots.newest(localId);
  for (let hops = 0; each !== 0; hops++) {
    if (hops === CHAIN_HOPS_MAX) {
      return collectFromRow(shard, localId, window, aboveRevision, countMax, references);
    }
    const words = shard.wordsOf(each);
    const offset = wordOffsetOf(each);
    const revision = revisionAt(words, offset);
    if (revision <= aboveRevision) break;
    const isBase = revision <= oldest;
    const isDeletedBase = isBase && (words[offset + VERSION_FLAGS]! & IS_DELETED) !== 0;
    if (revision <= newest && !isDeletedBase) references.push(each);
    if (isBase) break;
    each = words[offset + VERSION_PREVIOUS]!;
  }
  references.reverse();
  const isWhole = references.length <= countMax;
  if (!isWhole) references.length = countMax;
  return isWhole;
}

function collectFromRow(
  shard: Shard,
  localId: number,
  { oldest, newest }: ChainWindow,
  aboveRevision: number,
  countMax: number,
  references: number[],
): boolean {
  references.length = 0;
  const row = shard.rowOf(localId);
  let index = Math.max(0, row.indexAt(oldest), row.indexAt(aboveRevision) + 1);
  if (index < row.count && row.revisionAt(index) <= oldest) {
    const base = row.referenceAt(index);
    if ((shard.wordsOf(base)[wordOffsetOf(base) + VERSION_FLAGS]! & IS_DELETED) !== 0) index++;
  }
  const last = row.indexAt(newest);
  while (index <= last && references.length < countMax) references.push(row.referenceAt(index++));
  return index > last;
}
