/**
 * The contents of one file of the simulated disk, with whatever names it has. It knows three things: what a reader sees
 * now, what a loss of power can't take away, and the changes in between, any of which may survive or not.
 */
import type { SeededRandom } from './random.ts';
import type { ChangeFate } from './simulated-fault.ts';

/** A write that has not been made durable. */
export interface Change {
  readonly position: number;
  bytes: Uint8Array;
  hasEnded: boolean;
}

/** A storage device keeps or loses whole sectors, a page cache whole pages. */
const GRANULARITIES_BYTES = [512, 4096] as const;

export class Inode {
  /** What a reader sees: the durable bytes and all changes that have ended. */
  readonly visible: ByteRow;
  /** What is there after any crash, but for what pending changes write over it. */
  readonly durable: ByteRow;
  /** In the order in which the calls were made. */
  pending: Change[];

  constructor(visible = new ByteRow(), durable = new ByteRow(), pending: Change[] = []) {
    this.visible = visible;
    this.durable = durable;
    this.pending = pending;
  }

  begin(change: Change): void {
    this.pending.push(change);
  }

  end(change: Change): void {
    change.hasEnded = true;
    apply(this.visible, change);
  }

  /** The changes that a sync which begins now makes durable. */
  endedChanges(): Change[] {
    return this.pending.filter((change) => change.hasEnded);
  }

  makeDurable(changes: readonly Change[]): void {
    for (const change of changes) apply(this.durable, change);
    this.#settle(changes);
  }

  /** What a failed sync leaves. */
  failToMakeDurable(changes: readonly Change[], fateOf: () => ChangeFate, random: SeededRandom): void {
    const settled = changes.filter((change) => {
      const fate = fateOf();
      if (fate === 'durable') apply(this.durable, change);
      else if (fate === 'torn') applyPart(this.durable, change, random);
      return fate !== 'pending';
    });
    this.#settle(settled);
  }

  /** The file after a loss of power in which each pending change survives with about this probability. */
  afterPowerLoss(keepProbability: number, random: SeededRandom): Inode {
    const content = this.durable.copy();
    for (const change of this.pending) {
      if (random.chance(keepProbability)) apply(content, change);
      else if (random.chance(0.5)) applyPart(content, change, random);
    }
    return new Inode(content, content.copy());
  }

  /** The file after the end of the process: the system still has what was written, durable or not. */
  afterProcessEnd(random: SeededRandom): Inode {
    const visible = this.visible.copy();
    const pending: Change[] = [];
    for (const change of this.pending) {
      if (change.hasEnded) {
        pending.push(change);
      } else if (random.chance(0.5)) {
        const { position, bytes } = change;
        const part = { position, bytes: bytes.subarray(0, random.below(bytes.length + 1)), hasEnded: true };
        apply(visible, part);
        pending.push(part);
      }
    }
    return new Inode(visible, this.durable.copy(), pending);
  }

  #settle(changes: readonly Change[]): void {
    const settled = new Set(changes);
    this.pending = this.pending.filter((change) => !settled.has(change));
  }
}

function apply(content: ByteRow, change: Change): void {
  content.write(change.position, change.bytes);
}

/** Applies some of a write: torn at any byte, or with some of its sectors; the new length with it or not. */
function applyPart(content: ByteRow, change: Change, random: SeededRandom): void {
  const { position, bytes } = change;
  const lengthBefore = content.length;
  switch (random.below(3)) {
    case 0:
      content.write(position, bytes.subarray(0, random.below(bytes.length + 1)));
      break;
    case 1:
      writeSomeSectors(content, position, bytes, random);
      break;
    default:
      // None of the bytes, but perhaps the new length.
      break;
  }
  switch (random.below(3)) {
    case 0:
      // The length was made durable and some bytes were not: they read as zeros.
      content.setLength(Math.max(content.length, position + bytes.length));
      break;
    case 1:
      // The other way round: what lies beyond the old length is gone.
      content.setLength(Math.min(content.length, lengthBefore));
      break;
    default:
      // As long as the bytes that were kept reach.
      break;
  }
}

function writeSomeSectors(content: ByteRow, position: number, bytes: Uint8Array, random: SeededRandom): void {
  const granularityBytes = random.pick(GRANULARITIES_BYTES);
  let start = position;
  while (start < position + bytes.length) {
    const nextBoundary = (Math.floor(start / granularityBytes) + 1) * granularityBytes;
    const end = Math.min(nextBoundary, position + bytes.length);
    if (random.chance(0.5)) content.write(start, bytes.subarray(start - position, end - position));
    start = end;
  }
}

/** Bytes that grow: like a file, with zeros where nothing was written. */
export class ByteRow {
  length = 0;
  /** Longer than `length`; zero behind it. */
  #bytes = new Uint8Array(64);

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  write(position: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (position + bytes.length > this.length) this.setLength(position + bytes.length);
    this.#bytes.set(bytes, position);
  }

  setLength(length: number): void {
    if (length < this.length) {
      this.#bytes.fill(0, length, this.length);
    } else if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      grown.set(this.bytes);
      this.#bytes = grown;
    }
    this.length = length;
  }

  copy(): ByteRow {
    const row = new ByteRow();
    row.write(0, this.bytes);
    return row;
  }
}
