import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AdminService } from '../../gen/kelp/v1/admin_pb.ts';
import { createClient, type KelpClient } from '../../src/client/index.ts';
import { nodeDisk } from '../../src/disk/node-disk.ts';
import { fixed } from '../../src/limits.ts';
import { verifyBackupFile, writeBackupFile } from '../../src/offline/backup-file.ts';
import { openSnapshotFile } from '../../src/snapshot/reader.ts';
import { eventually } from '../support/eventually.ts';
import { GrpcJsClient } from '../support/grpc-js-client.ts';
import { SeededRandom } from '../support/random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { startTestServer, temporaryDirectory } from '../support/test-server.ts';
import { NO_PROGRESS, openFolder, type FolderStore } from './folders.ts';

const VALUE = '.'.repeat(20_000);

/** A store of 60 keys: a backup of it has several blocks. */
async function storeWithKeys(): Promise<FolderStore & { readonly folder: string }> {
  const folder = await temporaryDirectory();
  const { store, clock } = await openFolder(join(folder, 'data'));
  await Promise.all(Array.from({ length: 60 }, (_, index) => store.put(`key${index}`, `${index}${VALUE}`)));
  return { store, clock, folder };
}

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

async function* once(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

describe('a backup of a store', () => {
  it('holds the newest revision of the moment when it is begun, whatever is written meanwhile', async () => {
    const { store, folder } = await storeWithKeys();
    const pieces = store.backup();
    const first = await pieces.next();
    for (let index = 0; index < 60; index += 2) await store.delete(`key${index}`);
    await store.put('key99', 'late');
    await store.compact(91);
    const rest = await bytesOf(pieces);

    const info = await writeBackupFile(join(folder, 'backup'), once(first.value, rest), NO_PROGRESS);
    expect(info).toMatchObject({ revision: 60, versionCount: 60, leaseCount: 0 });
  });

  it('is made of blocks of a bounded length', async () => {
    const { store, folder } = await storeWithKeys();
    // Also where one key alone has more than a block of versions, which a snapshot keeps.
    for (let index = 0; index < 40; index++) await store.put('key7', `${index}${VALUE}`);
    await store.snapshot();
    const path = join(folder, 'backup');
    await writeFile(path, await bytesOf(store.backup()));
    const snapshot = join(folder, 'data', 'snapshots', '00000000000000000100.snapshot');
    for (const [file, blockCountMin] of [
      [path, 3],
      [snapshot, 4],
    ] as const) {
      const reader = await openSnapshotFile(nodeDisk, file);
      const lengths: number[] = [];
      for (let next = await reader.next(); next !== undefined; next = await reader.next())
        lengths.push(next.block.length);
      await reader.close();
      expect(lengths.length).toBeGreaterThanOrEqual(blockCountMin);
      expect(Math.max(...lengths)).toBeLessThan(fixed.snapshotBlockBytes + 2 * VALUE.length);
    }
  });

  it('is on disk once it is written, whatever becomes of the power', async () => {
    const { store } = await storeWithKeys();
    const bytes = await bytesOf(store.backup());
    for (let seed = 1; seed <= 20; seed++) {
      const disk = new SimulatedDisk({ seed });
      await disk.makeDirectory('/backups');
      await writeBackupFile('/backups/first', once(bytes), NO_PROGRESS, disk);
      const found = verifyBackupFile('/backups/first', NO_PROGRESS, disk.losePower());
      await expect(found, `seed ${seed}`).resolves.toMatchObject({ revision: 60 });
    }
  });

  it('may be empty', async () => {
    const folder = await temporaryDirectory();
    const { store } = await openFolder(join(folder, 'data'));
    const info = await writeBackupFile(join(folder, 'backup'), store.backup(), NO_PROGRESS);
    expect(info).toMatchObject({ revision: 0, versionCount: 0, leaseCount: 0 });
  });

  it('keeps what it needs from being compacted until it is read, left or too slow', async () => {
    const { store, clock } = await storeWithKeys();
    const compactToNewest = async (): Promise<number> => {
      const { revision } = await store.put('key0', 'new');
      return (await store.compact(revision)).oldestRevision;
    };
    const left = store.backup();
    await left.next();
    expect(await compactToNewest()).toBe(60);
    await left.return?.();
    expect(await compactToNewest()).toBe(62);

    const slow = store.backup();
    await slow.next();
    clock.advance(fixed.backupMsMax);
    // Its time is over, but nothing has been written over.
    await slow.next();
    expect(await compactToNewest()).toBe(63);
    await expect(bytesOf(slow)).rejects.toMatchObject({
      code: 'limitReached',
      message: expect.stringMatching(/too long/),
    });
  });

  it('is one of a few at a time', async () => {
    const { store } = await storeWithKeys();
    const backups = Array.from({ length: fixed.backupsMax }, () => store.backup());
    for (const backup of backups) await backup.next();
    await expect(store.backup().next()).rejects.toMatchObject({ code: 'limitReached' });
    await backups[0]?.return?.();
    expect((await store.backup().next()).done).toBe(false);
  });

  it('ends when the store is closed', async () => {
    const { store } = await storeWithKeys();
    const backup = store.backup();
    await backup.next();
    await store.close();
    await expect(bytesOf(backup)).rejects.toMatchObject({ code: 'closed' });
    await expect(bytesOf(store.backup())).rejects.toMatchObject({ code: 'closed' });
  });
});

describe('the file of a backup', () => {
  it('is refused when bytes are missing or wrong, and leaves nothing', async () => {
    const { store, folder } = await storeWithKeys();
    const bytes = await bytesOf(store.backup());
    const flipped = Buffer.from(bytes);
    flipped[1000] = (flipped[1000] ?? 0) ^ 1;
    for (const wrong of [bytes.subarray(0, -1), Buffer.alloc(0), flipped, Buffer.concat([bytes, bytes])]) {
      const writing = writeBackupFile(join(folder, 'backup'), once(wrong), NO_PROGRESS);
      await expect(writing).rejects.toMatchObject({ code: 'damaged' });
    }
    expect(await readdir(folder)).toEqual(['data']);
  });

  it('leaves nothing when the stream breaks', async () => {
    const { store, folder } = await storeWithKeys();
    async function* broken(): AsyncGenerator<Uint8Array> {
      for await (const piece of store.backup()) {
        yield piece;
        throw new Error('the connection broke');
      }
    }
    const writing = writeBackupFile(join(folder, 'backup'), broken(), NO_PROGRESS);
    await expect(writing).rejects.toThrow('the connection broke');
    expect(await readdir(folder)).toEqual(['data']);
  });

  it('never overwrites one, finished or not', async () => {
    const { store, folder } = await storeWithKeys();
    for (const [name, text] of [
      ['backup', 'exists; a backup never overwrites'],
      ['other.tmp', 'another backup is being written there, or one was killed'],
    ] as const) {
      await writeFile(join(folder, name), 'precious');
      const path = join(folder, name.replace('.tmp', ''));
      const writing = writeBackupFile(path, store.backup(), NO_PROGRESS);
      await expect(writing).rejects.toMatchObject({
        code: 'invalidArgument',
        message: expect.stringContaining(text),
      });
      expect(await readFile(join(folder, name), 'utf8')).toBe('precious');
    }
    expect((await readdir(folder)).sort()).toEqual(['backup', 'data', 'other.tmp']);
  });

  it('that there is not is told', async () => {
    const folder = await temporaryDirectory();
    const verifying = verifyBackupFile(join(folder, 'none'), NO_PROGRESS);
    await expect(verifying).rejects.toMatchObject({
      code: 'invalidArgument',
      message: expect.stringMatching(/there is no backup/),
    });
  });
});

describe('a backup from a server', () => {
  async function startWithKeys(): Promise<{
    readonly client: KelpClient;
    readonly grpcJs: GrpcJsClient;
    readonly folder: string;
  }> {
    const folder = await temporaryDirectory();
    const { address } = await startTestServer();
    const client = createClient({ address });
    // Nothing that compresses: so much does not fit in the buffers between server and client.
    const random = new SeededRandom(1);
    onTestFinished(() => client.close());
    await Promise.all(
      Array.from({ length: 60 }, (_, index) => client.put(`key${index}`, random.bytes(100_000))),
    );
    return { client, grpcJs: new GrpcJsClient(address), folder };
  }

  it('is whole through the client and through another gRPC library', async () => {
    const { client, grpcJs, folder } = await startWithKeys();
    await client.put('huge', new SeededRandom(2).bytes(3_000_000));
    const expected = { revision: 61, versionCount: 61 };
    const byClient = writeBackupFile(join(folder, 'one'), client.admin.backup(), NO_PROGRESS);
    expect(await byClient).toMatchObject(expected);
    const chunks: Uint8Array[] = [];
    for await (const { data } of grpcJs.serverStream(AdminService.method.backup, {}) as AsyncIterable<{
      readonly data: Uint8Array;
    }>)
      chunks.push(data);
    expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(1024 * 1024);
    expect(Math.min(...chunks.map(({ length }) => length))).toBeGreaterThan(0);
    const byGrpcJs = writeBackupFile(join(folder, 'two'), once(...chunks), NO_PROGRESS);
    expect(await byGrpcJs).toMatchObject(expected);
  });

  it('is over in the store when its reader leaves, cancels or is gone', async () => {
    const { client, grpcJs } = await startWithKeys();
    for (let round = 0; round < 3; round++) {
      for await (const piece of client.admin.backup()) {
        expect(piece.length).toBeGreaterThan(0);
        break;
      }
      const controller = new AbortController();
      const pieces = client.admin.backup({ signal: controller.signal });
      await pieces.next();
      controller.abort();
      await expect(bytesOf(pieces)).rejects.toMatchObject({ code: 'canceled' });
      const stream = grpcJs.serverStream(AdminService.method.backup, {});
      stream.on('error', () => undefined);
      await new Promise((resolve) => stream.once('data', resolve));
      stream.cancel();
    }
    // More than may be read at a time were begun.
    await eventually(async () => (await bytesOf(client.admin.backup())).length).toBeGreaterThan(0);
  });

  it('tells the errors of the store', async () => {
    const { client } = await startWithKeys();
    const open = Array.from({ length: fixed.backupsMax }, () => client.admin.backup());
    for (const backup of open) await backup.next();
    await expect(bytesOf(client.admin.backup())).rejects.toMatchObject({ code: 'limitReached' });
    for (const backup of open) await backup.return();
  });
});
