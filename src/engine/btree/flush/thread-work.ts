/**
 * What the thread does that writes to the database: a flush, or steps that give free pages back to the file system.
 *
 * Self-contained, as `row-writer.ts` is: `writing-thread.ts` hands a thread the text of this function. So it is one source for the
 * sources as they are, the built package and the bundled command, and no file has to be found.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { createRowWriter, NewState, RowWriter } from '../rows/row-writer.ts';
import type { WriteSql } from '../database/schema.ts';

/** Handed over when the thread begins. */
export interface ThreadData {
  readonly path: string;
  readonly cacheBytes: number;
  /** In the log, behind the thread before. */
  readonly leftFrames: number;
  /** How long it waits for another connection that writes. */
  readonly busyMs: number;
  /** How long, when the log is to be cut, for those that read of it: a view may do so for long. */
  readonly cutBusyMs: number;
  /** For the connection. */
  readonly setupSql: string;
  /** The name of the number that each commit raises (`log-fit.ts`). */
  readonly commitNumber: string;
  readonly writeSql: WriteSql;
  /** It begins a transaction, which a flush is; else each order is one of its own. */
  readonly isFlush: boolean;
}

export type Order =
  | { readonly kind: 'write'; readonly batch: ArrayBuffer; readonly byteCount: number }
  | { readonly kind: 'forget'; readonly start: Uint8Array; readonly end: Uint8Array | undefined }
  | { readonly kind: 'commit'; readonly state: NewState }
  /** Takes so many free pages out of the file. @param leftFrames in the log now: another thread may have written meanwhile. */
  | { readonly kind: 'giveBack'; readonly pages: number; readonly leftFrames: number }
  /** Undoes what is not committed, and ends. */
  | { readonly kind: 'abort' };

export type Answer =
  /** The transaction is open. */
  | { readonly kind: 'begun' }
  | { readonly kind: 'written'; readonly byteCount: number }
  /** It is durable; it does not say that the log was copied. */
  | { readonly kind: 'committed'; readonly rowCount: number }
  /** `frames` were written. The log was copied into the database, all of it if `leftFrames` is 0. The last answer of a flush. */
  | { readonly kind: 'copied'; readonly frames: number; readonly leftFrames: number }
  /** What was to be taken out of the file is. `freePages` are left in it. */
  | { readonly kind: 'gaveBack'; readonly freePages: number }
  /** The last answer; `errcode` is that of SQLite. */
  | { readonly kind: 'failed'; readonly message: string; readonly errcode: number | undefined };

export function runThread(createWriter: typeof createRowWriter): void {
  const { parentPort: port, workerData } = process.getBuiltinModule('node:worker_threads');
  const { DatabaseSync: Database } = process.getBuiltinModule('node:sqlite');
  const { crc32 } = process.getBuiltinModule('node:zlib');
  const data = workerData as ThreadData;
  const { path, cacheBytes, busyMs, cutBusyMs, setupSql, commitNumber, writeSql, isFlush } = data;
  let database: DatabaseSync | undefined;
  let writer: RowWriter | undefined;
  let isEnded = false;

  const answer = (message: Answer): void => port?.postMessage(message);

  const end = (): void => {
    isEnded = true;
    try {
      // Closing undoes what is not committed.
      if (database?.isOpen) database.close();
    } finally {
      port?.close();
    }
  };

  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      const { message, errcode } = error as Error & { errcode?: number };
      answer({ kind: 'failed', message, errcode });
      end();
    }
  };

  const pragma = (name: string, column: string): number =>
    Number(database?.prepare(`PRAGMA ${name}`).get()?.[column] ?? 0);

  /** Puts page 1 into the transaction, by which a start tells whether database and log belong together. */
  const commit = (): void => {
    const number = pragma(commitNumber, commitNumber) + 1;
    database?.exec(`PRAGMA ${commitNumber} = ${number}; COMMIT`);
  };

  const logFrames = (mode: string): number => pragma(`wal_checkpoint(${mode})`, 'log');

  // What is committed stays so if this fails: then the log is longer, and the next flush copies it.
  const copyLog = (framesBefore: number): void => {
    let frames = 0;
    let leftFrames = framesBefore;
    try {
      database?.exec(`PRAGMA busy_timeout = ${cutBusyMs}`);
      leftFrames = logFrames('PASSIVE');
      // Where a view has kept the log from being cut it goes on. It begins anew if all of it was copied and no view reads of it, which
      // comes about where one was opened in the instant before the cut.
      frames = leftFrames < framesBefore ? leftFrames : leftFrames - framesBefore;
      leftFrames = logFrames('TRUNCATE');
    } catch {
      // As above.
    }
    answer({ kind: 'copied', frames, leftFrames });
  };

  const obey = (order: Order): void => {
    switch (order.kind) {
      case 'write':
        writer?.write(order.batch, order.byteCount);
        // Gives its memory back at once, where the collector would come late.
        order.batch.transfer(0);
        answer({ kind: 'written', byteCount: order.byteCount });
        break;
      case 'forget':
        writer?.forget(order.start, order.end);
        break;
      case 'commit': {
        const rowCount = writer?.writeState(order.state) ?? 0;
        commit();
        answer({ kind: 'committed', rowCount });
        copyLog(data.leftFrames);
        end();
        break;
      }
      case 'giveBack':
        database?.exec(`PRAGMA busy_timeout = ${busyMs}; BEGIN IMMEDIATE`);
        database?.exec(`PRAGMA incremental_vacuum(${order.pages})`);
        commit();
        copyLog(order.leftFrames);
        // Others write before the next step: what is kept of pages would be for nothing.
        database?.exec('PRAGMA shrink_memory');
        answer({ kind: 'gaveBack', freePages: pragma('freelist_count', 'freelist_count') });
        break;
      case 'abort':
        end();
    }
  };

  attempt(() => {
    database = new Database(path, { timeout: busyMs });
    database.exec(`${setupSql}; PRAGMA cache_size = -${Math.ceil(cacheBytes / 1024)}`);
    if (!isFlush) return;
    database.exec('BEGIN IMMEDIATE');
    writer = createWriter(database, writeSql, crc32);
    answer({ kind: 'begun' });
  });
  port?.on('message', (order: Order) => {
    if (!isEnded) attempt(() => obey(order));
  });
}
