/**
 * A row of changes of which everybody can say, from a revision alone, what each key must hold then: so that readers in
 * other threads can check every single read.
 *
 * Revision r writes key number r % KEYS. Each key lives through a generation of five rounds, in the last of which it is
 * deleted; after that a key of another name takes its place. So values are replaced, and keys come and go.
 */
import type { Change } from '../../src/engine/engine.ts';
import { deletion, put } from './changes.ts';

export const KEYS = 997;
const ROUNDS = 5;

/** The words of the buffer that writer and readers share. */
export const VISIBLE_REVISION = 0;
export const IS_STOPPED = 1;

export function changeOf(revision: number): Change {
  const round = Math.floor(revision / KEYS);
  const key = keyOf(revision % KEYS, Math.floor(round / ROUNDS));
  if (round % ROUNDS === ROUNDS - 1) return deletion(key, revision);
  return put(key, revision, valueOf(key, revision), {
    expireTimeMs: revision % 3 === 0 ? 1e12 + revision : 0,
  });
}

export function keyOf(number: number, generation: number): string {
  return `key-${number}-of-generation-${generation}`;
}

/** The revision of the version that a read sees; 0: it sees none. */
export function expectedRevision(number: number, generation: number, revision: number): number {
  const roundNow = Math.floor((revision - number) / KEYS);
  const round = Math.min(roundNow, generation * ROUNDS + ROUNDS - 1);
  if (round < generation * ROUNDS || round % ROUNDS === ROUNDS - 1) return 0;
  return round * KEYS + number;
}

/** What a reader should find; the lengths go from nothing to a page of its own. */
export function valueOf(key: string, revision: number): string {
  const length = revision % 4999 === 0 ? 150_000 : (revision * 31) % 400;
  return `${key}@${revision};`.repeat(Math.ceil(length / 20));
}

export function generationAt(revision: number): number {
  return Math.floor(revision / KEYS / ROUNDS);
}
