/**
 * What a checker of histories keeps while it goes on: the ways in which things may stand, without those that others
 * make superfluous.
 */
import type { State } from './store-model.ts';

/** One way in which things may stand: some of the calls under way have had their effect, the others not yet. */
export interface Configuration {
  readonly state: State;
  /** Numbers of calls under way that have had their effect, in ascending order; those that are never answered apart. */
  readonly done: readonly number[];
  readonly doneUnanswered: readonly number[];
}

/**
 * Configurations that differ in what can follow. In the same state with the same calls left to be explained, whoever has
 * used up fewer of those calls that may never have happened can go on in every way that the other can: only it is kept.
 * That is what keeps the number of configurations small over many crashes.
 */
export class Configurations {
  readonly #bySignature = new Map<string, Configuration[]>();

  /** @returns whether it is one that has something new. */
  add(configuration: Configuration): boolean {
    const signature = `${configuration.state.id} ${configuration.done.join()}`;
    const alike = this.#bySignature.get(signature) ?? [];
    const { doneUnanswered } = configuration;
    if (alike.some((other) => isSubset(other.doneUnanswered, doneUnanswered))) return false;
    const kept = alike.filter((other) => !isSubset(doneUnanswered, other.doneUnanswered));
    this.#bySignature.set(signature, [...kept, configuration]);
    return true;
  }
}

/** Of numbers in ascending order. */
function isSubset(small: readonly number[], large: readonly number[]): boolean {
  if (small.length > large.length) return false;
  let found = 0;
  for (let index = 0; found < small.length && index < large.length; index++) {
    const number = large[index] ?? 0;
    if (number === small[found]) found++;
    else if (number > (small[found] ?? 0)) return false;
  }
  return found === small.length;
}
