/** Calls that give a member of a sorted set a score, and go through the store together (`collections/spread-calls.ts`). */
import type { PlacedChange } from '../../engine/version.ts';
import { fixed } from '../../limits.ts';
import { ELEMENT_HEAD_BYTES, elementKey, tags } from '../../store/collections/collection-keys.ts';
import type { ElementChanges } from '../../store/collections/element-calls.ts';
import { kinds } from '../../store/collections/kinds.ts';
import type { ReadView } from '../../store/views/view.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { SpreadCalls } from '../collections/spread-calls.ts';
import { scoreValue } from './element-keys.ts';
import { readScore, SCORE_BYTES, writeScore, writeSortable } from './score.ts';

export class ScoreCalls extends SpreadCalls {
  readonly #scores: Float64Array;
  /** Of the call that is being done: the score as the member's value, the key by it, and that by the one before. */
  readonly #value = new Uint8Array(SCORE_BYTES);
  readonly #key = new ScoreKeyPlace();
  readonly #keyBefore = new ScoreKeyPlace();
  #headId = 0;

  /** @param callsMax that go together. */
  constructor(callsMax: number) {
    super(kinds.sortedSet, tags.member, callsMax);
    this.#scores = new Float64Array(callsMax);
  }

  override open(view: ReadView, key: Uint8Array): boolean {
    if (!super.open(view, key)) return false;
    if (this.#headId !== this.collectionId) {
      this.#headId = this.collectionId;
      const head = elementKey(this.collectionId, tags.score, NO_BYTES);
      this.#key.begin(head);
      this.#keyBefore.begin(head);
    }
    return true;
  }

  /** @param element as `nextPlace` has given it. */
  add(element: Uint8Array, score: number): void {
    this.#scores[this.length] = score;
    this.addElement(element, 3 * (element.length + SCORE_BYTES));
  }

  override decide(index: number, found: PlacedChange | undefined, changes: ElementChanges): void {
    const score = this.#scores[index] ?? 0;
    const before = found === undefined ? NaN : readScore(found.valueMemory.bytes, found.valueStart);
    if (score !== before) {
      const element = this.elements[index] ?? NO_BYTES;
      writeScore(this.#value, 0, score);
      changes.put(element, this.#value);
      if (found !== undefined) changes.delete(this.#keyBefore.put(before, element));
      changes.put(this.#key.put(score, element), scoreValue(score));
    }
    this.note(index, found === undefined, changes);
  }
}

const MEMBER_START = ELEMENT_HEAD_BYTES + SCORE_BYTES;

/** A key by score, in memory of its own: a view of each length is made once. */
class ScoreKeyPlace {
  readonly #bytes = new Uint8Array(MEMBER_START + fixed.putRowKeyBytesMax);
  readonly #views: (Uint8Array | undefined)[] = [];

  begin(head: Uint8Array): void {
    this.#bytes.set(head);
  }

  /** @param element the key of the member. */
  put(score: number, element: Uint8Array): Uint8Array {
    const bytes = this.#bytes;
    const { length } = element;
    writeSortable(bytes, ELEMENT_HEAD_BYTES, score);
    for (let at = ELEMENT_HEAD_BYTES; at < length; at++) bytes[at + SCORE_BYTES] = element[at] ?? 0;
    return (this.#views[length + SCORE_BYTES] ??= bytes.subarray(0, length + SCORE_BYTES));
  }
}
