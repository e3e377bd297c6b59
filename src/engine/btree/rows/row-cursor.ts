/** Goes over the rows of a range, a piece at a time, and passes over hidden ranges. */
import type { EngineRange } from '../../engine.ts';
import type { BaseCursor } from '../../layered/base/base.ts';
import { PlacedChange } from '../../version.ts';
import type { RangeSet } from '../../range-set.ts';
import { nameOfKey } from '../database/key-name.ts';
import { isApart } from '../database/schema.ts';
import { RowReader } from './row-head.ts';
import type { Piece, RowSource } from './row-source.ts';
import { damaged } from '../database/sqlite-error.ts';

/** Of the first piece, for those who look at a few keys; each further one has twice as many. */
const FIRST_PIECE_ROWS = 16;
const PIECE_ROWS_MAX = 256;

export interface RowCursorOptions {
  readonly reverse: boolean;
  readonly withValues: boolean;
  /** Is called before each read of a piece. */
  readonly onPiece: () => void;
}

export class RowCursor implements BaseCursor {
  readonly #source: RowSource;
  readonly #hidden: RangeSet;
  readonly #options: RowCursorOptions;
  readonly #reader = new RowReader();
  /** What lies outside of the pieces that were read. */
  #start: Uint8Array;
  #end: Uint8Array | undefined;
  #isLastPiece = false;
  #piece: Piece | undefined;
  #pieceRowsMax = FIRST_PIECE_ROWS / 2;
  /** The rows of the piece that were read, where the next one begins, and where the key of the last one lies. */
  #rowCount = 0;
  /** Of the database, before the piece was read. */
  #dataVersion = 0;
  #position = 0;
  #keyStart = 0;
  #keyEnd = 0;
  /** For looking at a row that may be hidden. */
  readonly #looked = new PlacedChange();

  constructor(source: RowSource, hidden: RangeSet, { start, end }: EngineRange, options: RowCursorOptions) {
    this.#source = source;
    this.#hidden = hidden;
    this.#options = options;
    this.#start = start.slice();
    this.#end = end?.slice();
  }

  next(placed: PlacedChange): boolean {
    for (;;) {
      const piece = this.#pieceAtHand();
      if (piece === undefined) return false;
      if (!this.#hidden.isEmpty) {
        this.#readHead(piece, this.#looked);
        const range = this.#hidden.holding(this.#looked.key);
        if (range !== undefined) {
          this.#pass(range);
          continue;
        }
      }
      if (this.#readRow(piece, placed)) return true;
    }
  }

  close(): void {
    this.#piece = undefined;
    this.#isLastPiece = true;
  }

  /** A piece in which there is a row to read. */
  #pieceAtHand(): Piece | undefined {
    const piece = this.#piece;
    if (piece !== undefined) {
      if (this.#position < piece.end) return piece;
      const key = this.#lastKey(piece);
      if (this.#rowCount < this.#pieceRowsMax) this.#isLastPiece = true;
      else if (this.#options.reverse) this.#end = key;
      else this.#start = behind(key);
    }
    return this.#isLastPiece ? undefined : this.#nextPiece();
  }

  #nextPiece(): Piece | undefined {
    const { reverse, withValues, onPiece } = this.#options;
    onPiece();
    if (withValues) this.#dataVersion = this.#source.dataVersion;
    this.#pieceRowsMax = Math.min(this.#pieceRowsMax * 2, PIECE_ROWS_MAX);
    const piece = this.#source.piece(this.#start, this.#end, reverse, withValues, this.#pieceRowsMax);
    this.#piece = piece;
    this.#rowCount = 0;
    if (piece === undefined) this.#isLastPiece = true;
    else this.#position = piece.start;
    return piece;
  }

  /** Goes on at the other side of a hidden range. */
  #pass({ start, end }: EngineRange): void {
    this.#piece = undefined;
    if (this.#options.reverse) {
      this.#end = start;
      this.#isLastPiece = Buffer.compare(start, this.#start) <= 0;
    } else if (end === undefined) this.#isLastPiece = true;
    else this.#start = end;
  }

  #readHead(piece: Piece, placed: PlacedChange): void {
    if (!this.#reader.readHead(piece.memory, this.#position, piece.end, placed))
      throw this.#damagedRow(piece);
  }

  /** Of the row behind the last one. */
  #damagedRow(piece: Piece): Error {
    if (this.#rowCount === 0) return this.#source.firstDamaged(this.#start, this.#end, this.#options.reverse);
    const last = this.#lastKey(piece);
    return this.#options.reverse
      ? this.#source.firstDamaged(this.#start, last, true)
      : this.#source.firstDamaged(behind(last), this.#end, false);
  }

  /** @returns false when the row is gone by now. */
  #readRow(piece: Piece, placed: PlacedChange): boolean {
    const reader = this.#reader;
    this.#readHead(piece, placed);
    const { keyStart, keyEnd } = placed;
    if (this.#rowCount > 0 && !this.#isBehindLast(piece.memory.bytes, keyStart, keyEnd)) {
      throw damaged(this.#source.path, `the key ${nameOfKey(placed.key)} is out of order`);
    }
    let isThere = true;
    if (this.#options.withValues) {
      if (isApart(keyEnd - keyStart, reader.valueBytes))
        isThere = this.#source.placeApart(reader, placed, this.#dataVersion);
      else if (!reader.readValue(piece.end, placed)) throw this.#source.damagedRow(placed.key);
    }
    this.#keyStart = keyStart;
    this.#keyEnd = keyEnd;
    this.#position = reader.end;
    this.#rowCount++;
    return isThere;
  }

  /** In the memory of the piece, which belongs to it alone. */
  #lastKey({ memory }: Piece): Uint8Array {
    return new Uint8Array(memory.bytes.buffer, this.#keyStart, this.#keyEnd - this.#keyStart);
  }

  /** Whether a key follows, in the direction of the cursor, on that of the last row. */
  #isBehindLast(bytes: Uint8Array, keyStart: number, keyEnd: number): boolean {
    const lastStart = this.#keyStart;
    const lastBytes = this.#keyEnd - lastStart;
    const keyBytes = keyEnd - keyStart;
    const shared = Math.min(lastBytes, keyBytes);
    let at = 0;
    while (at < shared && bytes[lastStart + at] === bytes[keyStart + at]) at++;
    const order = at < shared ? bytes[keyStart + at]! - bytes[lastStart + at]! : keyBytes - lastBytes;
    return this.#options.reverse ? order < 0 : order > 0;
  }
}

/** The first key behind one. */
function behind(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}
