/**
 * Takes away the elements of collections that no key has any more, some at a time between other work.
 *
 * The transaction that leaves a collection without a key puts a mark at the same revision M (`orphans.ts`): that is all that a
 * delete of a million elements costs. Once the history has passed M the elements are forgotten (`Engine.forget`), without a
 * tombstone or a record for any, then the mark, and a note says so (`SweptEffect`).
 *
 * Why that is safe. An element is read through a key that has its collection, and no key has at M or above: ids are given out
 * once, and come to another key only from one that lets go of them in the same transaction. Below M no read comes any more, once
 * `History.oldestRevision` is M or above: pins hold that back, so a state that is kept still has its elements. What is visible
 * is not below M then, so M is durable. And no walk may be open, since it would meet some elements and not others: the sweep waits for
 * a snapshot or a backup that is being made.
 *
 * What a crash leaves, at each line:
 *
 * - The mark is not durable: then the delete is not, either.
 * - Some elements are forgotten, in memory alone; the log and older snapshots bring all back, a snapshot that was made
 *   meanwhile those that were left, and all of them the mark: the sweep begins again.
 * - The note is in the log: elements that come back with a snapshot or with the log before it are forgotten by it
 *   (`recovery.ts`). History that begins below M again with such a snapshot would read a collection without its elements, so it begins
 *   at M: it had passed it before.
 * - The note is not durable: as if there was none. A snapshot flushes the log before it counts, so none lacks a mark without it.
 */
import type { Engine } from '../../engine/engine.ts';
import { isStoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { NEWEST } from '../views/draft.ts';
import { WorkBudget } from '../../work-budget.ts';
import { Fifo } from '../fifo.ts';
import type { History } from '../history/history.ts';
import { collectionIdOf, elementsOf, SWEPT_KEYS, sweptKeyRange } from './collection-keys.ts';

/** A collection that is to be swept. */
export interface SweepMark {
  readonly collectionId: number;
  /** From here on no key has it. */
  readonly revision: number;
}

export interface SweeperContext {
  readonly engine: Engine;
  readonly history: History;
  /** The marks up to this revision are known to the engine alone. */
  readonly recoveredRevision: number;
  /** Writes the note that says that collections have been swept. */
  noteSwept(marks: readonly SweepMark[]): void;
}

export class Sweeper {
  readonly #context: SweeperContext;
  /** Those that were recovered, the last revision first, ... */
  readonly #recovered: SweepMark[] = [];
  /** ... and where to look for more of them; `undefined`: all are found. */
  #unread: Uint8Array | undefined = SWEPT_KEYS.start;
  /** Those since, in the order of their revisions: id and revision in turn, since there may be many. */
  readonly #marked = new Fifo<number>();
  #isStopped = false;

  constructor(context: SweeperContext) {
    this.#context = context;
  }

  /** A transaction has been committed that leaves a collection without a key. */
  add({ collectionId, revision }: SweepMark): void {
    this.#marked.push(collectionId);
    this.#marked.push(revision);
  }

  /** Whether there is something that can be done now. */
  get canSweep(): boolean {
    if (this.#isStopped) return false;
    const { engine, history } = this.#context;
    const mark = this.#next();
    return this.#unread !== undefined || (isPassed(mark, history) && !engine.isWalked);
  }

  /**
   * Does a bounded piece of what can be done now, between transactions: what one has counted must stay as it is.
   * @returns whether there is more of that.
   */
  sweep(): boolean {
    if (this.#isStopped) return false;
    if (this.#unread !== undefined) {
      this.#readOn(this.#unread);
      return true;
    }
    const { engine, history } = this.#context;
    let mark = this.#next();
    if (engine.isWalked) return false;
    const swept: SweepMark[] = [];
    for (let left: number = fixed.sweptAtOnceMax; isPassed(mark, history); mark = this.#next()) {
      // An empty one counts, too.
      left -= 1 + engine.forget(elementsOf(mark.collectionId), left);
      if (left <= 0) break;
      swept.push(mark);
      this.#shift();
    }
    if (swept.length > 0 && !this.#note(swept)) return false;
    return isPassed(mark, history);
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** @returns whether it is in the log. */
  #note(swept: readonly SweepMark[]): boolean {
    const { engine } = this.#context;
    try {
      this.#context.noteSwept(swept);
    } catch (error) {
      // A full log buffer: later. Any other failure of the log: never, but by the next start.
      if (!isStoreError(error, 'limitReached')) this.#isStopped = true;
      this.#recovered.push(...swept.toReversed());
      return false;
    }
    for (const { collectionId } of swept) engine.forget(sweptKeyRange(collectionId), 1);
    return true;
  }

  #next(): SweepMark | undefined {
    const recovered = this.#recovered.at(-1);
    if (recovered !== undefined) return recovered;
    const [collectionId, revision] = [this.#marked.peek(), this.#marked.at(1)];
    return collectionId === undefined || revision === undefined ? undefined : { collectionId, revision };
  }

  #shift(): void {
    if (this.#recovered.pop() !== undefined) return;
    this.#marked.shift();
    this.#marked.shift();
  }

  /** Looks for marks that were recovered. */
  #readOn(start: Uint8Array): void {
    const { engine, recoveredRevision } = this.#context;
    const options = { reverse: false, budget: new WorkBudget(fixed.sweptAtOnceMax) };
    this.#unread = engine.scan({ ...SWEPT_KEYS, start }, NEWEST, options, ({ key, revision }) => {
      if (revision <= recoveredRevision)
        this.#recovered.push({ collectionId: collectionIdOf(key), revision });
      return true;
    });
    if (this.#unread === undefined) this.#recovered.sort((a, b) => b.revision - a.revision);
  }
}

/** Whether no read comes any more to what was there before a mark. */
function isPassed(mark: SweepMark | undefined, { oldestRevision }: History): mark is SweepMark {
  return mark !== undefined && mark.revision <= oldestRevision;
}
