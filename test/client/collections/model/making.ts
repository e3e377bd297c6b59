/** What a call that is drawn consists of, and the names that calls draw from. */
import type { KelpClient } from '../../../../src/client/index.ts';
import type { SeededRandom } from '../../../support/random.ts';
import type { PlainState } from './plain-collections.ts';

/** Plain values, in an order that means something. */
type Answer = object;

export interface Making {
  /** For messages. */
  readonly args: unknown;
  readonly run: (client: KelpClient) => Promise<Answer & { readonly revision: number }>;
  /** What it answers, and what is there then. Throws `Refused`. */
  readonly expect: (state: PlainState) => readonly [Answer, PlainState];
}

export const KEYS = ['a', 'b', 'c', 'd'] as const;
/** Plain values are HyperLogLogs by what they hold, so those have keys of their own. */
export const HLL_KEYS = ['p', 'q'] as const;
export const NAMES: readonly string[] = Array.from({ length: 100 }, (_, index) => `name-${index}`);

/** A few names, or so many that no packed form holds them; some twice. */
export function some(random: SeededRandom): string[] {
  const count = random.chance(0.12) ? random.between(66, 90) : random.between(1, 4);
  return Array.from({ length: count }, () => random.pick(NAMES));
}
