/** A walk from its beginning to its end. */
import type { Engine } from '../../../src/engine/engine.ts';
import { placeChange } from '../../../src/engine/version.ts';
import type { Walked } from './naive-model.ts';

/** @param visitsMax at most so many versions at a time; in between `pause` is called. */
export function wholeWalk(
  engine: Engine,
  oldest: number,
  newest: number,
  visitsMax: number,
  pause: () => void = () => {},
): Walked {
  const walked: Walked = { newest: [], older: [] };
  const walk = engine.openWalk(oldest, newest);
  for (let isMore = true; isMore;) {
    let visits = 0;
    isMore = walk.next(visitsMax, (change) => {
      const { replacedBy } = change;
      if (++visits > visitsMax)
        throw new Error(`a walk shows more than the ${visitsMax} versions that it may`);
      if (replacedBy === 0 && walked.older.length > 0)
        throw new Error('a walk shows a newest version behind an older one');
      if (replacedBy === 0) walked.newest.push(placeChange(change));
      // That a key was not there before it was deleted is for loading only.
      else if (change.revision !== 0) walked.older.push({ change: placeChange(change), replacedBy });
    });
    if (isMore) pause();
  }
  walk.close();
  walked.newest.sort((a, b) => Buffer.compare(a.key, b.key));
  return walked;
}
