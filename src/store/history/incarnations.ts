/**
 * The lives of a store: which of its processes wrote which revisions.
 *
 * A life lasts from one start of a store to the next, and has an incarnation: a random id, here as 32 hexadecimal digits.
 * It begins with one state and goes on from there in one way, so a revision with the incarnation that wrote it names one
 * history up to there. That is a place. Two histories of a store that share a place are the same up to it, whatever came of
 * the files: a copy that was put back, or a crash of the machine that took away what was not flushed.
 *
 * Invariants: first revisions rise; no two lives have the same id; each has written something, or is about to; of
 * more than `livesMax` the newest are kept. What was written before the oldest of them has the id ''.
 *
 * Example. Life a wrote 1 to 4, life b nothing, life c 5 to 9. Then the machine lost its power and with it 8 and 9, which
 * had not been flushed, and life d wrote 8 to 10:
 *
 *     first revision  1  5  8
 *     id              a  c  d
 *
 * The id of 4 is a, of 7 c, of 10 d. A watch that has seen all up to (7, c) goes on here. One that has seen all up to
 * (9, c) can't: here d wrote 9; both histories share what is up to (7, c). Of a place (9, x) nothing more is known than
 * that it is not here.
 */
import type { SnapshotIncarnationShape } from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import type { Random } from '../../clock.ts';
import { assert, type HistoryDetails } from '../../errors.ts';
import { fixed } from '../../limits.ts';

export const INCARNATION_BYTES = 16;

/** A life that wrote something: all revisions from `firstRevision` up to that of the next life. */
export interface Life {
  readonly firstRevision: number;
  readonly id: string;
}

export class Incarnations {
  readonly #livesMax: number;
  /** In the order of their first revisions. */
  readonly #lives: Life[];
  #newest: Life | undefined;

  constructor(lives: readonly Life[] = [], livesMax: number = fixed.incarnationsKept) {
    this.#livesMax = livesMax;
    this.#lives = lives.slice(-livesMax);
    this.#newest = this.#lives.at(-1);
  }

  /** In the order of their first revisions. */
  get lives(): readonly Life[] {
    return this.#lives;
  }

  /** Those that wrote something up to a revision. */
  livesUpTo(revision: number): Life[] {
    return this.#lives.filter(({ firstRevision }) => firstRevision <= revision);
  }

  /** Why no such life can follow; `undefined` when it can. */
  faultOfNext({ firstRevision, id }: Life): string | undefined {
    const newest = this.#newest?.firstRevision ?? 0;
    if (firstRevision <= newest)
      return `a life begins at revision ${firstRevision}, the one before it at ${newest}`;
    const same = this.#lives.find((life) => life.id === id);
    return same && `the life of revision ${firstRevision} is that of revision ${same.firstRevision}`;
  }

  /** A life writes its first revision, the newest of the store. */
  begin(life: Life): void {
    const fault = this.faultOfNext(life);
    assert(fault === undefined, fault ?? '');
    this.#lives.push(life);
    this.#newest = life;
    if (this.#lives.length > this.#livesMax) this.#lives.shift();
  }

  /** An id that no life has. */
  draw(random: Random): string {
    for (;;) {
      const id = toIncarnation(random.bytes(INCARNATION_BYTES));
      if (!this.#lives.some((life) => life.id === id)) return id;
    }
  }

  /** The incarnation that wrote a revision; '' for revision 0 and where that is not known. */
  idOf(revision: number): string {
    const newest = this.#newest;
    if (newest === undefined || revision >= newest.firstRevision) return newest?.id ?? '';
    return this.#lives[this.#indexOf(revision)]?.id ?? '';
  }

  /**
   * How this history differs from one in which `id` wrote `revision`; `undefined`: up to there they are the same.
   * @param newestRevision that is visible.
   */
  differenceFrom(revision: number, id: string, newestRevision: number): HistoryDetails | undefined {
    const incarnation = revision <= newestRevision ? this.idOf(revision) : '';
    if (incarnation === id) return undefined;
    const sharedRevision = this.#lastRevisionOf(id, newestRevision);
    // A life that began later than that never wrote it: there is no such history.
    const isShared = sharedRevision > 0 && sharedRevision < revision;
    return {
      requestedRevision: revision,
      requestedIncarnation: id,
      incarnation,
      sharedRevision: isShared ? sharedRevision : 0,
      sharedIncarnation: isShared ? id : '',
      newestRevision,
    };
  }

  /** 0: none that is visible, as far as is known. */
  #lastRevisionOf(id: string, newestRevision: number): number {
    const index = this.#lives.findIndex((life) => life.id === id);
    const life = this.#lives[index];
    if (life === undefined || life.firstRevision > newestRevision) return 0;
    const next = this.#lives[index + 1];
    return next === undefined ? newestRevision : Math.min(next.firstRevision - 1, newestRevision);
  }

  /** The index of the life that wrote a revision; -1: it is older than all of them. */
  #indexOf(revision: number): number {
    let low = 0;
    let high = this.#lives.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#lives[middle]?.firstRevision ?? Infinity) <= revision) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

export function toIncarnation(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function fromIncarnation(id: string): Buffer {
  return Buffer.from(id, 'hex');
}

export function toLife({ firstRevision, id }: SnapshotIncarnationShape): Life {
  return { firstRevision, id: toIncarnation(id) };
}

export function fromLife({ firstRevision, id }: Life): SnapshotIncarnationShape {
  return { firstRevision, id: fromIncarnation(id) };
}
