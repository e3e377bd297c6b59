/** Asks an engine with a model beside it for all that there is, so that each answer is held against the model's. */
import { bytes } from '../changes.ts';
import { ALL_KEYS, NEWEST, scanKeys } from '../forms.ts';
import type { MirrorEngine } from '../mirror-engine.ts';
import { wholeWalk } from '../whole-walk.ts';

/** Of so many keys each is read by itself, and of so many places. */
const READS = 100;
const PLACES = 20;

/** @param revision the newest, or one above it. */
export function readWholeState(mirror: MirrorEngine, revision: number): void {
  const keys = scanKeys(mirror, { revision, visitsMax: 100 }).map(([key]) => bytes(key));
  scanKeys(mirror, { reverse: true });
  for (const key of keys.slice(0, READS)) mirror.read(key, NEWEST);
  for (let index = 0; index <= keys.length; index += 1 + Math.floor(keys.length / PLACES)) {
    const key = mirror.select(ALL_KEYS, index);
    if (key !== undefined) mirror.rank(ALL_KEYS, key);
  }
  mirror.count(ALL_KEYS);
  mirror.due(NEWEST, NEWEST);
  mirror.nextDeadlineMs();
  mirror.deadlineSums(0);
  mirror.stats();
  wholeWalk(mirror, revision, revision, 100);
  mirror.verifyIntegrity();
}
