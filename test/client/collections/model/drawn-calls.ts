/**
 * Calls on the services of collections at random, each with what the plain model makes of it. Keys are shared by all types, so that
 * many a call meets another type; elements come in a few, or in so many that no packed form holds them.
 */
import type { SeededRandom } from '../../../support/random.ts';
import { reads } from './drawn-reads.ts';
import { writes } from './drawn-writes.ts';
import { KEYS, type Making } from './making.ts';
import type { PlainState } from './plain-collections.ts';

export interface DrawnCall extends Pick<Making, 'run' | 'expect'> {
  readonly text: string;
  /** Read at an old revision; 0: the newest. */
  readonly revision: number;
}

/** How the calls on a type begin; a plain value is deleted. */
const serviceOf = {
  hash: 'hash.',
  list: 'list.',
  set: 'set.',
  sortedSet: 'sortedSet.',
  bloomFilter: 'sketch.',
  hyperLogLog: 'sketch.hll',
  string: 'delete',
} as const;

/** @param states all so far, by revision. */
export function drawCall(random: SeededRandom, states: readonly PlainState[]): DrawnCall {
  const newest = states.length - 1;
  const revision = newest > 0 && random.chance(0.5) ? random.between(1, newest) : 0;
  const key = random.pick<string>(KEYS);
  const type = states.at(-1)?.typeOf(key);
  const service = type !== undefined && random.chance(0.7) ? serviceOf[type] : '';
  const calls = Object.entries(random.chance(0.35) ? reads : writes);
  const fitting = calls.filter(([name]) => name.startsWith(service));
  const [name, make] = random.pick(fitting.length === 0 ? calls : fitting);
  const { args, run, expect } = make(random, key, revision);
  const isOld = name in reads && revision > 0;
  const text = `${name} ${key} ${JSON.stringify(args)}${isOld ? ` at ${revision}` : ''}`;
  return { text, revision: isOld ? revision : 0, run, expect };
}
