/**
 * What the thread does that writes to the database: a flush, or a rewriting of the whole.
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
  readonly writeSql: WriteSql;
  /** Or it is a flush, for which orders come. */
  readonly isRewrite: boolean;
}

export type Order =
  | { readonly kind: 'write'; readonly batch: ArrayBuffer; readonly byteCount: number }
  | { readonly kind: 'forget'; readonly start: Uint8Array; readonly end: Uint8Array | undefined }
  | { readonly kind: 'commit'; readonly state: NewState }
  /** Undoes all, and ends. */
  | { readonly kind: 'abort' };

export type Answer =
  /** The transaction is open. */
  | { readonly kind: 'begun' }
  | { readonly kind: 'written'; readonly byteCount: number }
  /** It is durable; it does not say that the log was copied. */
  | { readonly kind: 'committed'; readonly rowCount: number }
  /** `frames` were written. The log was copied into the database, all of it if `leftFrames` is 0. The last answer of a success. */
  | { readonly kind: 'copied'; readonly frames: number; readonly leftFrames: number }
  /** The last answer; `errcode` is that of SQLite. */
  | { readonly kind: 'failed'; readonly message: string; readonly errcode: number | undefined };

export function runThread(createWriter: typeof createRowWriter): void {
  const { parentPort: port, workerData } = process.getBuiltinModule('node:worker_threads');
  const { DatabaseSync: Database } = process.getBuiltinModule('node:sqlite');
  const { crc32 } = process.getBuiltinModule('node:zlib');
  const data = workerData as ThreadData;
  const { path, cacheBytes, busyMs, cutBusyMs, setupSql, writeSql, isRewrite } = data;
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

  const logFrames = (mode: string): number => {
    const row = database?.prepare(`PRAGMA wal_checkpoint(${mode})`).get();
    return Number(row?.['log'] ?? 0);
  };

  // What is committed stays so if this fails: then the log is longer, and the next flush copies it.
  const copyLog = (): void => {
    let frames = 0;
    let leftFrames = data.leftFrames;
    try {
      database?.exec(`PRAGMA busy_timeout = ${cutBusyMs}`);
      leftFrames = logFrames('PASSIVE');
      // Where a view has kept the log from being cut it goes on. It begins anew if all of it was copied and no view reads of it, which
      // comes about where one was opened in the instant before the cut.
      frames = leftFrames < data.leftFrames ? leftFrames : leftFrames - data.leftFrames;
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
        database?.exec('COMMIT');
        answer({ kind: 'committed', rowCount });
        copyLog();
        end();
        break;
      }
      case 'abort':
        end();
    }
  };

  attempt(() => {
    database = new Database(path, { timeout: busyMs });
    database.exec(`${setupSql}; PRAGMA cache_size = -${Math.ceil(cacheBytes / 1024)}`);
    if (isRewrite) {
      database.exec('VACUUM');
      copyLog();
      end();
      return;
    }
    database.exec('BEGIN IMMEDIATE');
    writer = createWriter(database, writeSql, crc32);
    answer({ kind: 'begun' });
  });
  port?.on('message', (order: Order) => {
    if (!isEnded) attempt(() => obey(order));
  });
}
