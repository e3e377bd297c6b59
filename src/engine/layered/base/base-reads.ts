/**
 * The reads of a base that calls wait for: the one place where a read that the disk has failed becomes an error of the store. What
 * flushes, merges, views and a start read is told by a `DiskError` as it is, to those who began them.
 */
import { DiskError } from '../../../disk/disk.ts';
import { readFailedError } from '../../../errors.ts';
import type { EngineRange } from '../../engine.ts';
import type { PlacedChange } from '../../version.ts';
import type { Base, BaseCursor, BaseFigures, DeadlineCursor, DeadlinePlace } from './base.ts';

/** As those of `Base`. All throw a `StoreError` of code `damaged` or `readFailed`. */
export class BaseReads {
  readonly #base: Base;

  constructor(base: Base) {
    this.#base = base;
  }

  mayHave(key: Uint8Array): boolean {
    return this.#base.mayHave(key);
  }

  find(key: Uint8Array, placed: PlacedChange, withValue: boolean): boolean {
    try {
      return this.#base.find(key, placed, withValue);
    } catch (error) {
      throw told(error);
    }
  }

  cursor(range: EngineRange, reverse: boolean, withValues: boolean): BaseCursor {
    try {
      return new ReadCursor(this.#base.cursor(range, reverse, withValues));
    } catch (error) {
      throw told(error);
    }
  }

  deadlines(after: DeadlinePlace | undefined): DeadlineCursor {
    try {
      return new ReadDeadlines(this.#base.deadlines(after));
    } catch (error) {
      throw told(error);
    }
  }

  figures(keyCount: number): BaseFigures {
    try {
      return this.#base.figures(keyCount);
    } catch (error) {
      throw told(error);
    }
  }
}

class ReadCursor implements BaseCursor {
  readonly #cursor: BaseCursor;

  constructor(cursor: BaseCursor) {
    this.#cursor = cursor;
  }

  next(placed: PlacedChange): boolean {
    try {
      return this.#cursor.next(placed);
    } catch (error) {
      throw told(error);
    }
  }

  close(): void {
    this.#cursor.close();
  }
}

class ReadDeadlines implements DeadlineCursor {
  readonly #cursor: DeadlineCursor;

  constructor(cursor: DeadlineCursor) {
    this.#cursor = cursor;
  }

  next(): DeadlinePlace | undefined {
    try {
      return this.#cursor.next();
    } catch (error) {
      throw told(error);
    }
  }

  close(): void {
    this.#cursor.close();
  }
}

function told(error: unknown): unknown {
  return error instanceof DiskError ? readFailedError(error) : error;
}
