/** The changes of a storage as they come, for a reader that also wants to know when none do. Nothing is read ahead. */
import type { Clock } from '../clock.ts';
import type { StoredRecord } from './log-storage.ts';

export type News =
  | { readonly kind: 'records'; readonly records: readonly StoredRecord[] }
  /** None came for so long; it may be that none ever will. */
  | { readonly kind: 'silent' }
  /** With its error, if it was one. */
  | { readonly kind: 'over'; readonly error: unknown };

export class ChangeFeed {
  readonly #clock: Clock;
  #news: News | undefined;
  #isTaken: (() => void) | undefined;
  #tell: ((news: News) => void) | undefined;
  #isLeft = false;

  /** Ends with the signal of the changes. */
  constructor(clock: Clock, changes: AsyncIterable<readonly StoredRecord[]>) {
    this.#clock = clock;
    void this.#follow(changes);
  }

  take(silenceMs: number): Promise<News> {
    const news = this.#news;
    if (news !== undefined) {
      this.#news = undefined;
      this.#isTaken?.();
      return Promise.resolve(news);
    }
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(silenceMs, () => this.#tell?.({ kind: 'silent' }));
      this.#tell = (told) => {
        this.#tell = undefined;
        timer.cancel();
        resolve(told);
      };
    });
  }

  /** Its reader takes no more; the signal of the changes is aborted. */
  leave(): void {
    this.#isLeft = true;
    this.#isTaken?.();
  }

  async #follow(changes: AsyncIterable<readonly StoredRecord[]>): Promise<void> {
    let error: unknown;
    try {
      for await (const records of changes) {
        if (this.#tell !== undefined) this.#tell({ kind: 'records', records });
        else {
          this.#news = { kind: 'records', records };
          await new Promise<void>((resolve) => (this.#isTaken = resolve));
        }
        if (this.#isLeft) return;
      }
    } catch (failure) {
      error = failure;
    }
    if (this.#tell === undefined) this.#news = { kind: 'over', error };
    else this.#tell({ kind: 'over', error });
  }
}
