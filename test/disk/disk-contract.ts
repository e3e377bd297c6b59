/** What every `Disk` does, run over each of them. Faults and crashes are not part of it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskError } from '../../src/disk/disk.ts';
import type { Disk, DiskErrorCode, DiskFile } from '../../src/disk/disk.ts';

export interface DiskUnderTest {
  readonly disk: Disk;
  /** An empty folder of this test alone. */
  readonly directory: string;
  readonly removeAll: () => Promise<void>;
}

export function testDiskContract(name: string, prepare: () => Promise<DiskUnderTest>): void {
  describe(`${name} keeps the disk contract`, () => {
    let disk: Disk;
    let directory: string;
    let removeAll: () => Promise<void>;
    let openFiles: DiskFile[];

    beforeEach(async () => {
      ({ disk, directory, removeAll } = await prepare());
      openFiles = [];
    });

    afterEach(async () => {
      await Promise.all(openFiles.map((file) => file.close()));
      await removeAll();
    });

    async function create(path: string): Promise<DiskFile> {
      const file = await disk.create(path);
      openFiles.push(file);
      return file;
    }

    async function open(path: string, mode: 'read' | 'readWrite'): Promise<DiskFile> {
      const file = await disk.open(path, mode);
      openFiles.push(file);
      return file;
    }

    async function contentOf(path: string): Promise<string> {
      const file = await open(path, 'read');
      const buffer = Buffer.alloc(await file.size());
      expect(await file.read(buffer, 0)).toBe(buffer.length);
      return buffer.toString('latin1');
    }

    describe('folders', () => {
      it('makes a folder with its parents, and again without complaint', async () => {
        await disk.makeDirectory(`${directory}/a/b`);
        await disk.makeDirectory(`${directory}/a/b`);
        await create(`${directory}/a/b/file`);
        expect(await disk.list(`${directory}/a/b`)).toEqual(['file']);
        expect(await disk.list(`${directory}/a`)).toEqual(['b']);
      });

      it('does not make a folder where a file is', async () => {
        await create(`${directory}/file`);
        await expectDiskError(disk.makeDirectory(`${directory}/file`), 'exists');
      });

      it('lists the names in a folder, and none where there is no folder', async () => {
        await create(`${directory}/b`);
        await create(`${directory}/a`);
        expect((await disk.list(directory)).sort()).toEqual(['a', 'b']);
        expect(await disk.list(`${directory}/none`)).toEqual([]);
      });

      it('makes names durable, but not those of a missing folder', async () => {
        await disk.syncDirectory(directory);
        await expectDiskError(disk.syncDirectory(`${directory}/none`), 'notFound');
      });
    });

    describe('an open folder', () => {
      it('makes names durable, also after one that it holds was removed', async () => {
        const opened = await disk.openDirectory(directory);
        await create(`${directory}/file`);
        await Promise.all([opened.sync(), opened.sync()]);
        await disk.remove(`${directory}/file`);
        await opened.sync();
        await opened.close();
      });

      it('must exist', async () => {
        await expectDiskError(disk.openDirectory(`${directory}/none`), 'notFound');
      });
    });

    describe('names', () => {
      it('opens only what exists and creates only what does not', async () => {
        await expectDiskError(disk.open(`${directory}/file`, 'read'), 'notFound');
        await expectDiskError(disk.open(`${directory}/file`, 'readWrite'), 'notFound');
        await expectDiskError(disk.create(`${directory}/none/file`), 'notFound');
        await create(`${directory}/file`);
        await expectDiskError(disk.create(`${directory}/file`), 'exists');
      });

      it('renames a file over another one', async () => {
        const old = await create(`${directory}/to`);
        await old.write(Buffer.from('old'), 0);
        const file = await create(`${directory}/from`);
        await file.write(Buffer.from('new'), 0);
        await disk.rename(`${directory}/from`, `${directory}/to`);
        expect(await disk.list(directory)).toEqual(['to']);
        expect(await contentOf(`${directory}/to`)).toBe('new');
        await expectDiskError(disk.rename(`${directory}/from`, `${directory}/to`), 'notFound');
      });

      it('goes on with an open file that was renamed, and names it by its new path', async () => {
        const file = await create(`${directory}/from`);
        await disk.rename(`${directory}/from`, `${directory}/to`);
        file.renamedTo(`${directory}/to`);
        await file.write(Buffer.from('here'), 0);
        expect(await contentOf(`${directory}/to`)).toBe('here');
        await file.close();
        await expect(file.size()).rejects.toThrow(`${directory}/to`);
      });

      it('removes a file, and a missing one without complaint', async () => {
        await create(`${directory}/file`);
        await disk.remove(`${directory}/file`);
        await disk.remove(`${directory}/file`);
        await disk.remove(`${directory}/none/file`);
        expect(await disk.list(directory)).toEqual([]);
      });

      it('goes on with an open file that was removed', async () => {
        const file = await create(`${directory}/file`);
        await disk.remove(`${directory}/file`);
        await file.write(Buffer.from('still'), 0);
        expect(await file.size()).toBe(5);
      });

      it('names the path in its errors', async () => {
        await expect(disk.open(`${directory}/file`, 'read')).rejects.toThrow(`${directory}/file`);
      });
    });

    describe('files', () => {
      it('reads what was written, where it was written', async () => {
        const file = await create(`${directory}/file`);
        expect(await file.size()).toBe(0);
        await file.write(Buffer.from('hello'), 0);
        await file.write(Buffer.from('y, this'), 4);
        await file.write(Buffer.alloc(0), 100);
        await file.sync();
        expect(await file.size()).toBe(11);
        expect(await contentOf(`${directory}/file`)).toBe('helly, this');
      });

      it('fills a gap with zeros', async () => {
        const file = await create(`${directory}/file`);
        await file.write(Buffer.from('x'), 3);
        expect(await contentOf(`${directory}/file`)).toBe('\0\0\0x');
      });

      it.each(['read', 'readNow'] as const)('%s fills the buffer, but at the end', async (call) => {
        const file = await create(`${directory}/file`);
        await file.write(Buffer.from('0123456789'), 0);
        const buffer = Buffer.alloc(4, '-');
        expect(await file[call](buffer, 3)).toBe(4);
        expect(buffer.toString()).toBe('3456');
        expect(await file[call](buffer, 8)).toBe(2);
        expect(buffer.toString()).toBe('8956');
        expect(await file[call](buffer, 10)).toBe(0);
        expect(await file[call](buffer, 1000)).toBe(0);
        expect(await file[call](Buffer.alloc(0), 0)).toBe(0);
      });

      it('reads at once over every kilobyte of a file, beside the calls under way', async () => {
        const file = await create(`${directory}/file`);
        const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 7) % 251));
        await file.write(bytes, 0);
        const underWay = [file.write(Buffer.from('more'), bytes.length), file.sync()];
        for (let position = 0; position < bytes.length; position += 1000) {
          const buffer = Buffer.alloc(1500);
          const count = file.readNow(buffer.subarray(0, Math.min(1500, bytes.length - position)), position);
          expect(buffer.subarray(0, count)).toEqual(bytes.subarray(position, position + 1500));
        }
        await Promise.all(underWay);
        const end = Buffer.alloc(10);
        expect(file.readNow(end, bytes.length)).toBe(4);
        expect(end.subarray(0, 4).toString()).toBe('more');
      });

      it('sees at once what was written at once, and by another opening of the file', async () => {
        const file = await create(`${directory}/file`);
        const readable = await open(`${directory}/file`, 'read');
        const buffer = Buffer.alloc(3);
        file.writeNow(Buffer.from('abc'), 5);
        expect(readable.readNow(buffer, 5)).toBe(3);
        expect(buffer.toString()).toBe('abc');
        expect(readable.readNow(buffer, 4)).toBe(3);
        expect(buffer.toString()).toBe('\0ab');
      });

      it('writes several parts at once', async () => {
        const file = await create(`${directory}/file`);
        const parts = Array.from({ length: 20 }, (_, index) => Buffer.alloc(1000, 65 + index));
        await Promise.all(parts.map((part, index) => file.write(part, index * 1000)));
        expect(await contentOf(`${directory}/file`)).toBe(Buffer.concat(parts).toString());
      });

      it('writes at once, beside the writes and the flush under way', async () => {
        const file = await create(`${directory}/file`);
        const before = Buffer.alloc(100_000, 'a');
        const underWay = [file.write(before, 0), file.sync()];
        file.writeNow(Buffer.from('at once'), before.length);
        expect(await file.size()).toBe(before.length + 7);
        await Promise.all(underWay);
        file.writeNow(Buffer.alloc(0), 200_000);
        file.writeNow(Buffer.from('b'), 1);
        const expected = `aba${'a'.repeat(before.length - 3)}at once`;
        expect(await contentOf(`${directory}/file`)).toBe(expected);
      });

      it('writes an existing file that is open for it, and none that is open for reading', async () => {
        await create(`${directory}/file`);
        const writable = await open(`${directory}/file`, 'readWrite');
        await writable.write(Buffer.from('abc'), 0);
        const readable = await open(`${directory}/file`, 'read');
        await expectDiskError(readable.write(Buffer.from('x'), 0), 'failed');
        await expectDiskError(writingNow(readable), 'failed');
        expect(await contentOf(`${directory}/file`)).toBe('abc');
      });

      it('refuses every call after close, but a second close', async () => {
        const file = await create(`${directory}/file`);
        await file.close();
        await file.close();
        await expectDiskError(file.size(), 'failed');
        await expectDiskError(file.read(Buffer.alloc(1), 0), 'failed');
        await expectDiskError(readingNow(file), 'failed');
        await expectDiskError(file.write(Buffer.alloc(1), 0), 'failed');
        await expectDiskError(writingNow(file), 'failed');
        await expectDiskError(file.sync(), 'failed');
      });

      it('finishes the calls under way before it closes', async () => {
        const file = await create(`${directory}/file`);
        const bytes = Buffer.alloc(1_000_000, 'x');
        await Promise.all([file.write(bytes, 0), file.sync(), file.close()]);
        expect(await contentOf(`${directory}/file`)).toBe(bytes.toString());
        // A read beyond the end asks the system twice.
        const readable = await open(`${directory}/file`, 'read');
        const [count] = await Promise.all([readable.read(Buffer.alloc(20), 999_990), readable.close()]);
        expect(count).toBe(10);
      });
    });

    describe('the lock', () => {
      it('has one owner at a time', async () => {
        const lock = await disk.lock(`${directory}/lock`);
        await expectDiskError(disk.lock(`${directory}/lock`), 'locked');
        // A failed attempt must not have given the lock back.
        await expectDiskError(disk.lock(`${directory}/lock`), 'locked');
        const other = await disk.lock(`${directory}/other`);
        await lock.release();
        const again = await disk.lock(`${directory}/lock`);
        // The first owner has nothing more to give back.
        await lock.release();
        await expectDiskError(disk.lock(`${directory}/lock`), 'locked');
        await again.release();
        await other.release();
      });

      it('knows when its file was removed, and that another owner may have come', async () => {
        const lock = await disk.lock(`${directory}/lock`);
        expect(await lock.isHeld()).toBe(true);
        await disk.remove(`${directory}/lock`);
        expect(await lock.isHeld()).toBe(false);
        const other = await disk.lock(`${directory}/lock`);
        expect(await other.isHeld()).toBe(true);
        expect(await lock.isHeld()).toBe(false);
        // What the first one had is not the other one's.
        await lock.release();
        await expectDiskError(disk.lock(`${directory}/lock`), 'locked');
        await other.release();
      });

      it('knows when its file was given another name, or replaced', async () => {
        const lock = await disk.lock(`${directory}/lock`);
        await disk.rename(`${directory}/lock`, `${directory}/away`);
        expect(await lock.isHeld()).toBe(false);
        const file = await disk.create(`${directory}/lock`);
        await file.close();
        expect(await lock.isHeld()).toBe(false);
        await disk.rename(`${directory}/away`, `${directory}/lock`);
        expect(await lock.isHeld()).toBe(true);
        await lock.release();
      });

      it('needs its folder', async () => {
        await expectDiskError(disk.lock(`${directory}/none/lock`), 'notFound');
      });

      it('leaves an empty file and nothing else', async () => {
        const lock = await disk.lock(`${directory}/lock`);
        expect(await disk.list(directory)).toEqual(['lock']);
        await lock.release();
        expect(await disk.list(directory)).toEqual(['lock']);
        expect(await contentOf(`${directory}/lock`)).toBe('');
      });
    });
  });
}

/** A read at once as a promise. */
async function readingNow(file: DiskFile): Promise<void> {
  file.readNow(Buffer.alloc(1), 0);
}

/** A write at once as a promise. */
async function writingNow(file: DiskFile): Promise<void> {
  file.writeNow(Buffer.from('x'), 0);
}

export async function expectDiskError(outcome: Promise<unknown>, code: DiskErrorCode): Promise<void> {
  const error = await outcome.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DiskError);
  expect((error as DiskError).code).toBe(code);
}
