/**
 * The classes of keyspace events, as `notify-keyspace-events` names them:
 *
 * - `K` messages by key (`__keyspace@0__:key`), `E` by event (`__keyevent@0__:event`); without either there are none.
 * - `g` commands of all types, `$` strings, `l` lists, `s` sets, `h` hashes, `z` sorted sets, `x` expired, `e` evicted, `t` streams,
 *   `d` module types; `A` all of these.
 * - `n` new keys and `m` keys that a read has not found, which `A` does not have.
 *
 * KelpDB tells of no misses: `m` can be asked for, and nothing comes.
 */
const letters = 'g$lshzxetd';
const separateLetters = 'nKEm';

/** A set of classes, a bit for each. */
export type EventClasses = number;

export const NO_CLASSES: EventClasses = 0;

export function classBit(letter: string): EventClasses {
  const index = (letters + separateLetters).indexOf(letter);
  return index === -1 ? 0 : 1 << index;
}

const ALL: EventClasses = (1 << letters.length) - 1;

export const BY_KEY = classBit('K');
export const BY_EVENT = classBit('E');

/** `undefined`: a letter is none. */
export function parseEventClasses(text: string): EventClasses | undefined {
  let classes = NO_CLASSES;
  for (const letter of text) {
    const bits = letter === 'A' ? ALL : classBit(letter);
    if (bits === 0) return undefined;
    classes |= bits;
  }
  return classes;
}

/** In the order in which Redis writes them. */
export function formatEventClasses(classes: EventClasses): string {
  const has = (letter: string): boolean => (classes & classBit(letter)) !== 0;
  const named = (classes & ALL) === ALL ? 'A' : `${letters}n`.split('').filter(has).join('');
  return named + ['K', 'E', 'm'].filter(has).join('');
}
