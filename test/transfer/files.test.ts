/** Exports as files and streams: whole or not there, at one revision, no faster than they are taken. */
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { ScanPage } from '../../src/api.ts';
import { DiskError } from '../../src/disk/disk.ts';
import { nodeDisk } from '../../src/disk/node-disk.ts';
import { StoreError } from '../../src/errors.ts';
import { exportTo, importFrom, openStore } from '../../src/index.ts';
import { verifyBackupFile } from '../../src/offline/backup-file.ts';
import { restore } from '../../src/offline/restore.ts';
import { type TransferParts, systemParts } from '../../src/transfer/export.ts';
import { KEPT_HISTORY } from '../support/test-engine.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { withCalls, withFiles } from '../support/wrapped-disk.ts';
import {
  Collected,
  MapTarget,
  contentOf,
  entry,
  exported,
  inPieces,
  openedStore,
  sourceOf,
} from './transfers.ts';

const source = sourceOf([entry('a', '1')], [entry('b', '2')]);

function partsWith(disk: TransferParts['disk']): TransferParts {
  return { ...systemParts, disk };
}

describe('a file', () => {
  test('has the form that its name stands for, and only its name when it is done', async () => {
    const folder = await temporaryDirectory();
    const store = await openedStore();
    await store.put('a', '1');
    for (const [name, start] of [
      ['a.jsonl', '{"key"'],
      ['a.json', '{"version"'],
      ['a.kelp', 'KELPSNP1'],
    ] as const) {
      const path = join(folder, name);
      const summary = await exportTo(store, path);
      const bytes = await readFile(path);
      expect(bytes.subarray(0, start.length).toString()).toBe(start);
      expect(summary).toMatchObject({ bytes: bytes.length, revision: 1, entryCount: 1 });
    }
    expect((await readdir(folder)).sort()).toEqual(['a.json', 'a.jsonl', 'a.kelp']);
  });

  test('whose name tells no form needs one', async () => {
    const path = join(await temporaryDirectory(), 'keys');
    await expect(exportTo(source, path)).rejects.toMatchObject({
      code: 'invalidArgument',
      message: expect.stringMatching(
        /does not tell the form; give one of jsonl, json, binary.*\.jsonl/,
      ) as string,
    });
    expect(await exportTo(source, path, { format: 'json' })).toMatchObject({ format: 'json' });
  });

  test('that is there stays as it is, unless it may be replaced', async () => {
    const folder = await temporaryDirectory();
    const path = join(folder, 'keys.jsonl');
    await writeFile(path, 'mine');
    const refusal = {
      code: 'fileExists',
      message: `${path} exists; an export overwrites a file only with overwrite (kelp export --force)`,
    };
    await expect(exportTo(source, path)).rejects.toMatchObject(refusal);
    expect(await readFile(path, 'utf8')).toBe('mine');
    await exportTo(source, path, { overwrite: true });
    expect(await readFile(path, 'utf8')).toContain('"a"');
    expect(await readdir(folder)).toEqual(['keys.jsonl']);
  });

  test('is replaced where a link leads to, and what is no file never is', async () => {
    const folder = await temporaryDirectory();
    await writeFile(join(folder, 'real.jsonl'), 'mine');
    await symlink('real.jsonl', join(folder, 'link.jsonl'));
    await exportTo(source, join(folder, 'link.jsonl'), { overwrite: true });
    expect(await readFile(join(folder, 'real.jsonl'), 'utf8')).toContain('"a"');
    await mkdir(join(folder, 'folder.jsonl'));
    await expect(exportTo(source, join(folder, 'folder.jsonl'), { overwrite: true })).rejects.toMatchObject({
      code: 'fileExists',
      message: expect.stringContaining('is no file that an export could replace') as string,
    });
    await expect(exportTo(source, join(folder, 'none', 'a.jsonl'))).rejects.toMatchObject({
      code: 'fileExists',
      message: expect.stringContaining('make it first') as string,
    });
  });

  test('that another export is writing, or has left, is told', async () => {
    const path = join(await temporaryDirectory(), 'keys.jsonl');
    await writeFile(`${path}.tmp`, 'half');
    await expect(exportTo(source, path)).rejects.toMatchObject({
      message: expect.stringContaining('another export is being written there, or one was killed') as string,
    });
    expect(await readFile(`${path}.tmp`, 'utf8')).toBe('half');
  });

  test('is flushed before it has its name, and its name after that', async () => {
    const path = join(await temporaryDirectory(), 'keys.jsonl');
    const calls: string[] = [];
    const noted = <Result>(call: string, result: Promise<Result>): Promise<Result> => {
      calls.push(call);
      return result;
    };
    const disk = withFiles(
      withCalls(nodeDisk, {
        rename: (from, to) => noted('rename', nodeDisk.rename(from, to)),
        syncDirectory: (folder) => noted('syncDirectory', nodeDisk.syncDirectory(folder)),
      }),
      (file) => ({
        write: (bytes, position) => noted('write', file.write(bytes, position)),
        sync: () => noted('sync', file.sync()),
      }),
    );
    await exportTo(source, path, {}, partsWith(disk));
    expect(calls).toEqual(['write', 'sync', 'rename', 'syncDirectory']);
  });

  test.each(['write', 'sync'] as const)('is not there when its %s fails', async (call) => {
    const folder = await temporaryDirectory();
    const disk = withFiles(nodeDisk, () => ({
      [call]: () => Promise.reject(new DiskError('noSpace', 'the disk is full')),
    }));
    await expect(exportTo(source, join(folder, 'a.jsonl'), {}, partsWith(disk))).rejects.toMatchObject({
      code: 'failed',
      message: 'the disk is full',
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test('is not there when the export is broken off, and the one before is', async () => {
    const folder = await temporaryDirectory();
    const path = join(folder, 'a.jsonl');
    await writeFile(path, 'mine');
    const controller = new AbortController();
    const aborting = {
      ...source,
      scan: (...args: Parameters<typeof source.scan>): Promise<ScanPage> => {
        if (args[1].pageToken !== '') controller.abort(new Error('enough'));
        return source.scan(...args);
      },
    };
    const options = { overwrite: true, signal: controller.signal };
    await expect(exportTo(aborting, path, options)).rejects.toMatchObject({
      code: 'interrupted',
      cause: new Error('enough'),
    });
    expect(await readdir(folder)).toEqual(['a.jsonl']);
    expect(await readFile(path, 'utf8')).toBe('mine');
  });

  test('that can not be read is told before anything is done', async () => {
    const folder = await temporaryDirectory();
    await expect(importFrom(new MapTarget(), join(folder, 'none'))).rejects.toMatchObject({
      code: 'invalidArgument',
      message: expect.stringMatching(/^can't read .*none: ENOENT/) as string,
    });
    await expect(importFrom(new MapTarget(), folder)).rejects.toMatchObject({
      message: expect.stringContaining('it is a folder') as string,
    });
    const closed = join(folder, 'closed');
    await writeFile(closed, '');
    await chmod(closed, 0);
    // The administrator may read it all the same.
    if (process.getuid?.() !== 0) {
      await expect(importFrom(new MapTarget(), closed)).rejects.toMatchObject({ code: 'failed' });
    }
  });
});

describe('a snapshot file of a part', () => {
  test('is whole, and can be restored: to a store of its own, with the revisions of its keys', async () => {
    const folder = await temporaryDirectory();
    const path = join(folder, 'part.kelp');
    const store = await openedStore();
    const value = '.'.repeat(100_000);
    await store.put('a', '1');
    for (let index = 0; index < 20; index++) await store.put(`b/${index}`, value);
    await store.put('b/7', 'newer');
    await exportTo(store, path, { range: { prefix: 'b/' }, revision: 21 });
    const info = await verifyBackupFile(path, () => undefined);
    expect(info).toMatchObject({ revision: 21, versionCount: 20, leaseCount: 0 });
    expect(info.storeId).not.toBe(store.storeId);
    // Nor is it that of another part.
    await exportTo(store, join(folder, 'other.kelp'), { range: { prefix: 'a' } });
    expect((await verifyBackupFile(join(folder, 'other.kelp'), () => undefined)).storeId).not.toBe(
      info.storeId,
    );
    const dataDir = join(folder, 'data');
    await restore({ backupPath: path, dataDir, logPaths: [] }, () => undefined);
    const restored = await openStore({ dataDir });
    try {
      expect((await restored.status()).revision).toBe(21);
      const { entry: found } = await restored.get('b/7');
      expect(found).toMatchObject({ modRevision: 9, createRevision: 9, version: 1 });
      expect(found?.value.length).toBe(value.length);
      expect((await restored.count({})).count).toBe(20);
    } finally {
      await restored.close();
    }
  });

  test('that the store itself has written gives its newest entries, and nothing of what was before', async () => {
    const dataDir = await temporaryDirectory();
    const store = await openStore({ dataDir });
    await store.put('a', 'old');
    await store.put('b', 'deleted');
    await store.put('a', 'new');
    await store.delete('b');
    await store.snapshot();
    const content = await contentOf(store);
    await store.close();
    const [name = ''] = (await readdir(join(dataDir, 'snapshots'))).filter((each) => !each.startsWith('.'));
    const copy = await openedStore();
    const summary = await importFrom(copy, join(dataDir, 'snapshots', name));
    expect(summary).toMatchObject({ format: 'binary', entryCount: 1, writtenCount: 1 });
    expect(await contentOf(copy)).toEqual(content);
  });

  test('that is damaged, or ends early, ends an import; what blocks before it hold is written', async () => {
    const store = await openedStore();
    for (let index = 0; index < 40; index++) await store.put(`key${index}`, String(index).repeat(30_000));
    const whole = await exported(store, { format: 'binary', range: { start: 'a' } });
    const damaged = Buffer.from(whole);
    damaged[damaged.length - 100] = (damaged.at(-100) ?? 0) ^ 1;
    const ways: readonly (readonly [Buffer, RegExp])[] = [
      [damaged, /^snapshot the input is damaged at offset \d+: the checksum of the section/],
      [whole.subarray(0, -1), /is damaged at offset \d+: the file ends early/],
      [whole.subarray(0, -60), /is damaged at offset \d+: /],
      [whole.subarray(0, 20), /ends early/],
      [Buffer.concat([whole, Buffer.from('x')]), /goes on after the footer/],
    ];
    for (const [bytes, message] of ways) {
      const target = new MapTarget();
      const importing = importFrom(target, inPieces(bytes, 64 * 1024));
      await expect(importing).rejects.toMatchObject({
        code: 'badInput',
        message: expect.stringMatching(message) as string,
      });
      expect(target.puts.size).toBeLessThan(41);
    }
  });
});

describe('a stream', () => {
  test('is read from the store no faster than it is taken', async () => {
    const page = Array.from({ length: 100 }, (_, index) => entry(`key${index}`, 'x'.repeat(5000)));
    let pageCount = 0;
    const endless = {
      ...source,
      scan: (): Promise<ScanPage> => {
        pageCount++;
        return Promise.resolve({ entries: page, nextPageToken: 'more', revision: 1, incarnation: '' });
      },
    };
    const waiting: (() => void)[] = [];
    const taken = Promise.withResolvers<void>();
    const slow = new Writable({
      write(_chunk, _encoding, callback) {
        waiting.push(callback);
        taken.resolve();
      },
    });
    const controller = new AbortController();
    const exporting = exportTo(endless, slow, { signal: controller.signal });
    exporting.catch(() => undefined);
    await taken.promise;
    // Whatever could go on by itself has done so.
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect([pageCount, waiting.length]).toEqual([1, 1]);
    controller.abort();
    // Also where what was written is never taken.
    await expect(exporting).rejects.toMatchObject({ code: 'interrupted' });
  });

  test.each([
    ['without an error', undefined, 'the stream was closed before it had taken everything'],
    ['with an error', new Error('the reader has gone'), 'the reader has gone'],
  ])('that is destroyed %s while it takes something ends the export', async (_, error, message) => {
    const taken = Promise.withResolvers<void>();
    const target = new Writable({ write: () => taken.resolve() });
    const exporting = exportTo(source, target);
    await taken.promise;
    target.destroy(error);
    await expect(exporting).rejects.toMatchObject({ code: 'failed', message });
    expect(target.listenerCount('close')).toBe(0);
  });

  test('that breaks ends the export with its error, and is left open when it does not', async () => {
    const broken = new Writable({
      write: (_chunk, _encoding, callback) => callback(new Error('the pipe is closed')),
    });
    await expect(exportTo(source, broken)).rejects.toMatchObject({
      code: 'failed',
      message: 'the pipe is closed',
    });
    const target = new Collected();
    await exportTo(source, target);
    await exportTo(source, target);
    expect(target.text.split('\n')).toHaveLength(5);
  });
});

describe('one revision', () => {
  test('is what all pages show, whatever is written meanwhile, keys that are no text too', async () => {
    const store = await openedStore(undefined, KEPT_HISTORY);
    for (let index = 0; index < 1500; index++) await store.put(`key${index}`, 'old');
    await store.put(Buffer.from([255]), 'old');
    const before = await contentOf(store);
    const writing = {
      scan: async (...args: Parameters<typeof store.scan>): Promise<ScanPage> => {
        const page = await store.scan(...args);
        await store.put('key1499', 'new');
        await store.put(Buffer.from([255]), 'new');
        await store.put(Buffer.from([254]), 'new');
        await store.delete('key1498');
        return page;
      },
      count: store.count.bind(store),
      backup: store.backup.bind(store),
    };
    for (const format of ['jsonl', 'json', 'binary'] as const) {
      const { revision } = await store.status();
      const copy = await openedStore();
      const bytes = await exported(writing, { format, range: { start: 'a' }, revision: 1501 });
      await importFrom(copy, inPieces(bytes, 64 * 1024));
      expect(await contentOf(copy)).toEqual(before);
      expect((await store.status()).revision).toBeGreaterThan(revision);
    }
  });

  test('that history leaves behind ends the export with what to do; one that is gone before is told by the store', async () => {
    const store = await openedStore();
    for (let index = 0; index < 1500; index++) await store.put(`key${index}`, 'old');
    const compacting = {
      scan: async (...args: Parameters<typeof store.scan>): Promise<ScanPage> => {
        const page = await store.scan(...args);
        await store.put('key0', 'new');
        await store.compact((await store.status()).revision);
        return page;
      },
      count: store.count.bind(store),
      backup: store.backup.bind(store),
    };
    await expect(exportTo(compacting, new Collected())).rejects.toMatchObject({
      code: 'revisionLost',
      message: expect.stringMatching(
        /^revision 1500 is not kept any more, with 1000 entries of it exported: .*a prefix.*binary form.*--history-age/,
      ) as string,
      cause: expect.objectContaining({ code: 'revisionCompacted' }) as Error,
    });
    await expect(exportTo(store, new Collected(), { revision: 5 })).rejects.toMatchObject({
      code: 'failed',
      cause: expect.any(StoreError) as Error,
    });
  });
});

test('options that make no sense are refused by name', async () => {
  const refused = (options: object): Promise<unknown> =>
    exportTo(source, new Collected(), options).catch((error: unknown) => (error as Error).message);
  expect(await refused({ fromat: 'json' })).toMatch(/no option "fromat" \(did you mean "format"\?\)/);
  expect(await refused({ format: 'xml' })).toMatch(
    /format is the text "xml"; it must be one of jsonl, json, binary/,
  );
  expect(await refused({ format: 'binary', ttl: 'remaining' })).toMatch(
    /^ttl: a snapshot file holds the end/,
  );
  expect(await refused({ range: { all: true } })).toMatch(/range/);
  const importing = importFrom(new MapTarget(), inPieces(''), { onConflict: 'ask' as 'skip' });
  await expect(importing).rejects.toMatchObject({
    code: 'invalidArgument',
    message: expect.stringContaining('fail, skip, replace') as string,
  });
});

test('what is no store, stream or path is refused by its name', async () => {
  const notAny = 5 as unknown as string;
  for (const [name, wrong] of [
    ['store', exportTo(notAny as never, new Collected())],
    ['store', importFrom(undefined as never, inPieces(''))],
    ['target', exportTo(source, notAny)],
    ['target', exportTo(source, inPieces('') as never)],
    ['source', importFrom(new MapTarget(), notAny)],
    ['source', importFrom(new MapTarget(), Buffer.from('{}') as never)],
  ] as const) {
    await expect(wrong).rejects.toMatchObject({
      name: 'TransferError',
      code: 'invalidArgument',
      message: expect.stringMatching(new RegExp(`^${name} is .*; it must be `)) as string,
    });
  }
});

test('an import whose signal is aborted already opens no file', async () => {
  const path = join(await temporaryDirectory(), 'none.jsonl');
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(importFrom(new MapTarget(), path, { signal })).rejects.toMatchObject({
    code: 'interrupted',
    cause: new Error('enough'),
  });
});
