/**
 * Gives free pages of a database back to the file system, by a thread of its own: `PRAGMA incremental_vacuum`.
 *
 * Each step is one transaction, as small as it is asked for: it moves pages from the end of the file to free places before them, changes
 * what leads to them, and makes the file shorter. So a crash leaves the state before a step or behind it, readers and views see the same rows in
 * either, and nothing is written but SQLite's log and the database itself. A page that is partly full stays so.
 */
import type { Worker } from 'node:worker_threads';
import type { Answer } from './thread-work.ts';
import { WritingThread } from './writing-thread.ts';

export interface Step {
  /** Pages that went through the log, and that are left in it. */
  readonly logFrames: number;
  readonly leftFrames: number;
  /** Left in the file. */
  readonly freePages: number;
}

export class GivingBack {
  readonly #path: string;
  readonly #thread: WritingThread;
  #step = Promise.withResolvers<Step>();
  #logFrames = 0;
  #leftFrames = 0;

  constructor(path: string, worker: Worker) {
    this.#path = path;
    this.#thread = new WritingThread(path, worker, (answer) => this.#learn(answer));
  }

  /** One at a time, while nothing else writes. @param leftFrames in the log, so far. */
  async step(pages: number, leftFrames: number): Promise<Step> {
    this.#step = Promise.withResolvers();
    void this.#thread.ended.then(() => this.#step.reject(this.#failure()));
    this.#thread.give({ kind: 'giveBack', pages, leftFrames });
    return this.#step.promise;
  }

  /** Behind a step, whether it failed or not. Resolves when the thread is gone. */
  async end(): Promise<void> {
    // What is left of a step is told to nothing any more.
    this.#step.promise.catch(() => undefined);
    this.#thread.give({ kind: 'abort' });
    await this.#thread.ended;
  }

  #learn(answer: Answer | undefined): void {
    if (answer === undefined) this.#step.reject(this.#failure());
    else if (answer.kind === 'copied') {
      this.#logFrames = answer.frames;
      this.#leftFrames = answer.leftFrames;
    } else if (answer.kind === 'gaveBack') {
      const { freePages } = answer;
      this.#step.resolve({ logFrames: this.#logFrames, leftFrames: this.#leftFrames, freePages });
    }
  }

  #failure(): Error {
    return this.#thread.failure ?? new Error(`${this.#path}: the thread that gives pages back ended early`);
  }
}
