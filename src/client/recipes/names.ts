/**
 * The keys of recipes: `NAME/~KIND/REST`. A name holds no `/~`, so that what belongs to one never looks like that of another, and one name
 * may be used for recipes of several kinds. Who may use a recipe needs the right to read and write the keys that begin with its name.
 */
import { systemRandom } from '../../clock.ts';
import { type Check, text } from '../../arguments/check.ts';
import { client as limits } from '../../limits.ts';

type Kind =
  /** Of locks, and of `once`. */
  | 'lock'
  /** Of semaphores. */
  | 'permit'
  /** Of elections. */
  | 'candidate'
  /** Of counters and queues: what was done, so that it is not done again. */
  | 'seen'
  /** Of queues: see `queue-keys.ts`. */
  | 'job'
  | 'claim'
  | 'attempt'
  | 'dead'
  | 'idle';

const MARK = '/~';

export const recipeName: Check<string> = (given) => {
  const wrong = text(given);
  if (wrong !== undefined) return wrong;
  const name = given as string;
  const { nameBytesMax } = limits.recipes;
  if (name === '') return ' is empty';
  if (name.includes(MARK)) return ` holds "${MARK}", which marks the keys that recipes keep below a name`;
  const byteCount = Buffer.byteLength(name);
  return byteCount <= nameBytesMax ? undefined : ` has ${byteCount} bytes; it may have ${nameBytesMax}`;
};

/** What the keys of a kind begin with. @param name that has passed the check. */
export function prefixOf(name: string, kind: Kind): string {
  return `${name}${MARK}${kind}/`;
}

/** A whole number as text that sorts as the number does, up to 2^53 - 1. */
export function sortable(number: number): string {
  return number.toString(16).padStart(14, '0');
}

/** 128 bits of chance. */
export function randomId(): string {
  return Buffer.from(systemRandom.bytes(16)).toString('hex');
}
