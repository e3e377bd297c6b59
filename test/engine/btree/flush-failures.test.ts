/** Flushes that fail, are given up, or wait: the state stays, the error says why, and the next flush is as if nothing had been. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { beforeEach, expect, onTestFinished, test, vi, type TestContext } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { Connection } from '../../../src/engine/btree/database/connection.ts';
import { SCHEMA } from '../../../src/engine/btree/database/schema.ts';
import type { FlushResult } from '../../../src/engine/btree/flush/flush-end.ts';
import { MemoryFlush } from '../../../src/engine/btree/flush/memory-flush.ts';
import { newState } from '../../../src/engine/btree/state.ts';
import { ThreadFlush } from '../../../src/engine/btree/flush/thread-flush.ts';
import { startWorker } from '../../../src/engine/btree/flush/writing-thread.ts';
import type { Base } from '../../../src/engine/layered/base/base.ts';
import { type Change, placeChange } from '../../../src/engine/version.ts';
import { fixed } from '../../../src/limits.ts';
import { NO_BYTES } from '../../../src/wire/bytes.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { put } from '../contract/changes.ts';
import { ALL, commitAll, rowsOf, textOf } from './base-model.ts';
import { openTestBase, STORE_ID } from './open-test-base.ts';

const run = promisify(execFile);
const first = put('a', 1, 'first');
const second = put('b', 2, 'second');

let directory: string;
let path: string;
let base: Base;

beforeEach(async () => {
  directory = `${await temporaryDirectory()}/base`;
  path = `${directory}/kelp.sqlite`;
  base = await openTestBase(directory);
  await commitAll(base, 1, [first]);
});

async function expectNext(): Promise<void> {
  expect([base.revision, rowsOf(base)]).toEqual([1, [textOf(first)]]);
  await commitAll(base, 2, [second]);
  expect([base.revision, rowsOf(base)]).toEqual([2, [textOf(first), textOf(second)]]);
}

test('a flush that is given up leaves nothing, however much was written', async () => {
  const flush = await base.begin(9);
  flush.forget(ALL);
  const long = placeChange(put('long', 2, 'x'.repeat(100_000)));
  for (let count = 0; count < 200; count++) {
    flush.add(long);
    if (flush.isFull) await flush.drain();
  }
  await flush.abort();
  await flush.abort();
  await expectNext();
});

test('a flush says when it is full, and then waits until it is not', async () => {
  const flush = await base.begin(2);
  const value = 'x'.repeat(fixed.btreeBatchBytes);
  expect(flush.isFull).toBe(false);
  for (let count = 0; count < fixed.btreeWaitingBytesMax / fixed.btreeBatchBytes + 2; count++) {
    flush.add(placeChange(put(`key ${count}`, 2, value)));
  }
  expect(flush.isFull).toBe(true);
  expect(base.memoryBytes).toBeGreaterThan(fixed.btreeWaitingBytesMax);
  await flush.drain();
  expect(flush.isFull).toBe(false);
  await flush.abort();
  expect(base.memoryBytes).toBeLessThan(fixed.btreeWaitingBytesMax);
});

test(
  'a database in which another program writes fails the flush that begins',
  { timeout: 30_000 },
  async () => {
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    await expect(base.begin(2)).rejects.toMatchObject({
      code: 'busy',
      message: expect.stringMatching(
        /kelp.sqlite: it could not be written: .*locked; another program reads it or writes to it, such as the command sqlite3/,
      ),
    });
    other.close();
    await expectNext();
  },
);

test('a database whose pages are damaged fails the flush that needs them', async () => {
  const other = new DatabaseSync(path);
  other.enableDefensive(false);
  other.exec(
    "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 9999 WHERE name = 'deadlines'",
  );
  other.close();
  const flush = await base.begin(2).catch((error: unknown) => error as Error);
  const failure =
    flush instanceof Error
      ? flush
      : await (flush.add(placeChange(put('c', 2, '', { expireTimeMs: 5 }))), flush.commit(NO_BYTES)).catch(
          (error: unknown) => error as Error,
        );
  expect(failure).toMatchObject({ code: 'damaged', message: expect.stringMatching(path) });
});

function stateWith(notes: Uint8Array): ReturnType<typeof newState> {
  return newState({ storeId: STORE_ID, revision: 5, notes, rowCount: 1 });
}

test.each([{ when: 'before the commit' }, { when: 'in the commit' }])(
  'a thread that dies $when fails the flush, and leaves no lock',
  async ({ when }) => {
    const worker = startWorker({ path, cacheBytes: 1024 * 1024, leftFrames: 0, isFlush: true });
    const [committed, over] = [vi.fn(), vi.fn()];
    const end = { committed, over, wasCommitted: () => false };
    const flush = await ThreadFlush.begin(path, worker, fixed.btreeWaitingBytesMax, stateWith, end);
    const value = 'x'.repeat(fixed.btreeBatchBytes);
    for (let count = 0; count < 40; count++) flush.add(placeChange(put(`key ${count}`, 2, value)));
    if (when === 'before the commit') {
      await worker.terminate();
      await expect(flush.drain()).rejects.toThrow(
        /kelp.sqlite: the thread that writes it failed: it ended with code 1/,
      );
    }
    const done = flush.commit(NO_BYTES);
    if (when === 'in the commit') await worker.terminate();
    await expect(done).rejects.toThrow(/kelp.sqlite: the thread that writes it failed: it ended with code 1/);
    await flush.abort();
    expect(committed).not.toHaveBeenCalled();
    expect(over).toHaveBeenCalled();
    await expectNext();
  },
);

test('a thread that dies behind the commit has committed', async () => {
  const worker = startWorker({ path, cacheBytes: 1024 * 1024, leftFrames: 0, isFlush: true });
  const committed = vi.fn();
  const flush = await ThreadFlush.begin(path, worker, fixed.btreeWaitingBytesMax, stateWith, {
    committed,
    over: vi.fn(),
    wasCommitted: () => true,
  });
  await worker.terminate();
  await flush.commit(Uint8Array.of(1));
  expect(committed).toHaveBeenCalledWith(
    expect.objectContaining({ rowCount: undefined, notes: Uint8Array.of(1) }),
  );
});

test('a full file system fails a flush, and one with room behind it is done', async (context) => {
  const small = await smallFileSystem(context, 4 * 1024 * 1024);
  await base.close();
  base = await openTestBase(`${small}/base`);
  await commitAll(base, 1, [first]);
  const value = randomBytes(64 * 1024).toString('latin1');
  const changes = Array.from({ length: 100 }, (_, index) => put(`key ${100 + index}`, 2, value));
  await expect(commitAll(base, 2, changes)).rejects.toMatchObject({
    code: 'noSpace',
    message: expect.stringMatching(
      /it could not be written: .*full.*; the file system is full or a quota is used up/,
    ),
  });
  await expectNext();
});

async function smallFileSystem(context: TestContext, byteCount: number): Promise<string> {
  const small = `${directory}/small`;
  await mkdir(small);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${byteCount}`, 'kelp-test', small]);
  } catch (error) {
    context.skip(`this user may not mount a file system: ${String(error)}`);
  }
  onTestFinished(async () => {
    await base.close();
    await run('umount', [small]);
  });
  return small;
}

test('a database in memory counts its rows right behind a flush that was taken back', async () => {
  const connection = await Connection.open(':memory:', ':memory:', { cacheBytes: 1024 * 1024 });
  onTestFinished(() => connection.close());
  connection.exec(Object.values(SCHEMA).join('; '), 'it could not be made');
  let rowCount = 0;
  const end = {
    committed: (result: FlushResult) => (rowCount = result.rowCount ?? NaN),
    over: vi.fn(),
    wasCommitted: () => false,
  };
  const flushOf = async (changes: readonly Change[], storeId = STORE_ID): Promise<void> => {
    const next = (notes: Uint8Array) => ({
      ...newState({ storeId: STORE_ID, revision: 5, notes, rowCount }),
      storeId,
    });
    const flush = new MemoryFlush(connection, systemClock, next, end);
    for (const change of changes) flush.add(placeChange(change));
    await flush.commit(NO_BYTES);
  };
  await flushOf([first]);
  // All has been written when that fails.
  await expect(flushOf([second], null as never)).rejects.toThrow(/NOT NULL/);
  await flushOf([put('a', 3, 'overwritten')]);
  expect(rowCount).toBe(1);
  await flushOf([second, put('c', 4, '')]);
  expect(rowCount).toBe(3);
});
