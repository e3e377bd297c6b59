/** Starts a thread that writes to the database, and tells how it ends. Each flush has one of its own, so that none rests in memory. */
import { Worker } from 'node:worker_threads';
import { DiskError } from '../../../disk/disk.ts';
import { BUSY_MS } from '../database/connection.ts';
import { createRowWriter } from '../rows/row-writer.ts';
import { COMMIT_NUMBER, CONNECTION_SQL, DURABLE_SQL, WRITE_SQL } from '../database/schema.ts';
import { failureOf } from '../database/sqlite-error.ts';
import { runThread, type Answer, type Order, type ThreadData } from './thread-work.ts';

/** Reads of the event loop take less by far; a view is not waited for. */
const CUT_BUSY_MS = 100;

/** A function as what it says, which is all that the thread gets. */
const SOURCE = `(${runThread.toString()})(${createRowWriter.toString()});`;

export interface ThreadOptions {
  readonly path: string;
  readonly cacheBytes: number;
  /** In SQLite's log, behind the thread before. */
  readonly leftFrames: number;
  /** Or it gives back pages (`giving-back.ts`). */
  readonly isFlush: boolean;
}

/** Also for tests, which end it in its work. */
export function startWorker({ path, cacheBytes, leftFrames, isFlush }: ThreadOptions): Worker {
  const workerData: ThreadData = {
    path,
    cacheBytes,
    leftFrames,
    busyMs: BUSY_MS,
    cutBusyMs: CUT_BUSY_MS,
    setupSql: `${CONNECTION_SQL}; ${DURABLE_SQL}`,
    commitNumber: COMMIT_NUMBER,
    writeSql: WRITE_SQL,
    isFlush,
  };
  // Modules that the process was told to load first are none of its business.
  return new Worker(SOURCE, { eval: true, workerData, name: 'btree', execArgv: [] });
}

export class WritingThread {
  /** The thread is gone, and its connection with it. Never rejects. */
  readonly ended: Promise<void>;
  /** Why it has not done what it was to do, so far. */
  failure: Error | undefined;
  readonly #worker: Worker;

  /** @param onChange is called with each answer but failures, and with `undefined` when `failure` is set. */
  constructor(path: string, worker: Worker, onChange: (answer: Answer | undefined) => void) {
    this.#worker = worker;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    const fail = (error: Error): void => {
      this.failure ??= error;
      onChange(undefined);
    };
    worker.on('message', (answer: Answer) => {
      if (answer.kind !== 'failed') return onChange(answer);
      const { message, errcode = 0 } = answer;
      fail(failureOf(path, 'it could not be written', { message, errcode }));
    });
    worker.on('error', (error: unknown) => fail(threadError(path, String(error), error)));
    worker.on('exit', (code) => {
      if (code !== 0) fail(threadError(path, `it ended with code ${code}`));
      resolve();
    });
  }

  give(order: Order): void {
    this.#worker.postMessage(order, order.kind === 'write' ? [order.batch] : []);
  }
}

function threadError(path: string, what: string, cause?: unknown): Error {
  return new DiskError('failed', `${path}: the thread that writes it failed: ${what}`, { cause });
}
