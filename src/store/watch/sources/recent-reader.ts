/** Makes the messages of a watch that is close behind from the recent changes, which all watches share. */
import type { RecentChange, RecentTransaction } from '../matching/recent-changes.ts';
import { isElementKey } from '../../collections/collection-keys.ts';
import { fromKeyText } from '../../views/keys.ts';
import type { ElementRows } from '../messages/element-rows.ts';
import type { WatchSource } from './watch-source.ts';
import { isWanted, mayWant } from '../matching/watch-filter.ts';
import type { WatchRegistry } from '../matching/watch-registry.ts';
import type { WatchWork } from './watch-work.ts';

/**
 * Goes on until a message is ready or needs more room, the turn is over, or the visible revision is reached.
 * @returns false when the recent changes don't reach back to where the watch is, or don't hold what comes there, or when
 *   memory doesn't hold the entries any more: then the log has to be read.
 */
export function readRecent(
  work: WatchWork,
  registry: Pick<WatchRegistry, 'recent'>,
  visibleRevision: number,
): boolean {
  const { place, turn, ready, filter, source } = work;
  while (place.cursor < visibleRevision && !ready.isHeldUp && !turn.isOver) {
    const revision = place.cursor + 1;
    const staged = registry.recent(revision);
    if (staged === undefined || revision < source.history.oldestRevision) return false;
    turn.spend(1);
    if (staged.changes === undefined) {
      if (mayWant(filter, staged.borders)) return false;
      place.pass(revision);
    } else if (readChanges(work, staged, staged.changes)) {
      place.pass(revision);
    }
  }
  return true;
}

/** @returns whether all of them are dealt with; else a message is full, or the turn is over. */
function readChanges(
  { place, turn, ready, filter, events, elements, source }: WatchWork,
  { revision, timeMs }: RecentTransaction,
  changes: readonly RecentChange[],
): boolean {
  if (elements !== undefined && elements.revision !== revision)
    turn.spend(gatherElements(elements, source, revision, changes));
  for (; ; place.changesDone++) {
    const change = changes[place.changesDone];
    if (change === undefined) break;
    if (turn.isOver) return false;
    turn.spend(1);
    if (!isWanted(filter, change.key, change.type)) continue;
    const made = events.ofRecent(change, revision, ready, elements);
    if (made === undefined) {
      if (ready.close(true)) place.passFragment(place.changesDone);
      return false;
    }
    ready.add(revision, timeMs, made.event, made.bytes);
    turn.spendEvent(made.bytes);
  }
  ready.close(false);
  return true;
}

/**
 * Gathers the changes of elements, which stand first. A watch that begins in the middle of a revision, behind a message that another one
 * has made, needs them, too.
 * @returns how many there are.
 */
function gatherElements(
  elements: ElementRows,
  { engine }: WatchSource,
  revision: number,
  changes: readonly RecentChange[],
): number {
  elements.begin(revision);
  let count = 0;
  for (const { key: text, type } of changes) {
    const key = fromKeyText(text);
    if (!isElementKey(key)) break;
    count++;
    // Another time to live, and nothing else.
    if (elements.isOver || type === 'touch') continue;
    elements.add(key, type === 'delete' ? undefined : engine.read(key, revision)?.value);
  }
  return count;
}
