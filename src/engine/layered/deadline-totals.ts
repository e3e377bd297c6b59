/**
 * The number and the sum of the deadlines of the newest state, by group of keys. A sum is kept in two parts, of which each stays a whole
 * number for 2^26 keys.
 */
import type { BaseDeadlinesShape } from '../../../gen/kelp/storage/v1/base_codec.ts';
import { type DeadlineSums, type GroupOfKey, KEY_GROUPS_MAX } from '../engine.ts';

const LOW_PART = 2 ** 26;

export class DeadlineTotals {
  readonly #groupOf: GroupOfKey;
  readonly #counts = new Float64Array(KEY_GROUPS_MAX);
  readonly #lowSums = new Float64Array(KEY_GROUPS_MAX);
  readonly #highSums = new Float64Array(KEY_GROUPS_MAX);

  constructor(groupOf: GroupOfKey) {
    this.#groupOf = groupOf;
  }

  /** A deadline has come (1), or goes (-1); 0 is none. */
  add(key: Uint8Array, deadlineMs: number, sign: 1 | -1): void {
    if (deadlineMs === 0) return;
    const group = this.#groupOf(key[0] ?? 0, key[1] ?? 0);
    if (group === -1) return;
    const lowMs = deadlineMs % LOW_PART;
    this.#counts[group]! += sign;
    this.#lowSums[group]! += sign * lowMs;
    this.#highSums[group]! += (sign * (deadlineMs - lowMs)) / LOW_PART;
  }

  copy(): DeadlineTotals {
    const copy = new DeadlineTotals(this.#groupOf);
    copy.#counts.set(this.#counts);
    copy.#lowSums.set(this.#lowSums);
    copy.#highSums.set(this.#highSums);
    return copy;
  }

  sums(group: number): DeadlineSums {
    const sumMs = BigInt(this.#highSums[group]!) * BigInt(LOW_PART) + BigInt(this.#lowSums[group]!);
    return { count: this.#counts[group]!, sumMs };
  }

  /** Those of groups that have any, for the notes of a base. */
  toNotes(): BaseDeadlinesShape[] {
    const notes: BaseDeadlinesShape[] = [];
    for (const [group, count] of this.#counts.entries()) {
      if (count === 0) continue;
      notes.push({ group, count, lowSumMs: this.#lowSums[group]!, highSum: this.#highSums[group]! });
    }
    return notes;
  }

  /** Takes over what `toNotes` gave. */
  take(notes: readonly BaseDeadlinesShape[]): void {
    for (const { group, count, lowSumMs, highSum } of notes) {
      if (group >= KEY_GROUPS_MAX) continue;
      this.#counts[group] = count;
      this.#lowSums[group] = lowSumMs;
      this.#highSums[group] = highSum;
    }
  }
}
