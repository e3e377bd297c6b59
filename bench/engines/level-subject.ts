/** LevelDB, by `classic-level`, where it is installed. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClassicLevel } from 'classic-level';
import { dataBytes } from '../load/memory.ts';
import type { Subject, SubjectKind } from './subject.ts';

type Level = ClassicLevel<Uint8Array, Uint8Array>;

const BATCH_PUTS = 256;
const SCANNED_AT_ONCE = 1000;
const MiB = 1024 * 1024;
const SETTLED_AFTER_MS = 1000;
const LOOK_MS = 50;

export const level: SubjectKind = {
  async open(_, directory, memoryBytesMax) {
    const installed = await import('classic-level');
    const database = new installed.ClassicLevel<Uint8Array, Uint8Array>(directory, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      // Two write buffers and the cache of blocks.
      writeBufferSize: Math.max(4 * MiB, Math.floor(memoryBytesMax / 4)),
      cacheSize: Math.max(8 * MiB, Math.floor(memoryBytesMax / 2)),
    });
    await database.open();
    return new LevelSubject(database, directory);
  },
  memoryBytesMax: (keyCount) => Math.max(16 * MiB, Math.floor(dataBytes(keyCount) / 4)),
};

class LevelSubject implements Subject {
  readonly hasFiles = true;
  readonly #database: Level;
  readonly #directory: string;

  constructor(database: Level, directory: string) {
    this.#database = database;
    this.#directory = directory;
  }

  async putAll(keys: readonly Uint8Array[], values: readonly Uint8Array[]): Promise<void> {
    for (let start = 0; start < keys.length; start += BATCH_PUTS) {
      const batch = keys.slice(start, start + BATCH_PUTS).map((key, index) => ({
        type: 'put' as const,
        key,
        value: values[start + index] ?? new Uint8Array(0),
      }));
      await this.#database.batch(batch, { sync: false });
    }
  }

  /** Its merges tell nothing of themselves but that files change. */
  async settle(): Promise<void> {
    let before = '';
    for (let waitedMs = 0; waitedMs < SETTLED_AFTER_MS; waitedMs += LOOK_MS) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      const now = `${(await readdir(this.#directory)).join()} ${await this.diskBytes()}`;
      if (now !== before) waitedMs = 0;
      before = now;
    }
  }

  getAll(keys: readonly Uint8Array[]): number {
    let foundCount = 0;
    for (const key of keys) {
      const value = this.#database.getSync(key);
      if (value !== undefined && value.length > 0) foundCount++;
    }
    return foundCount;
  }

  rankAll(): undefined {
    return undefined;
  }

  async scan(withValues: boolean): Promise<number> {
    let entryCount = 0;
    const iterator = this.#database.iterator({ values: withValues, fillCache: false });
    for (;;) {
      const entries = await iterator.nextv(SCANNED_AT_ONCE);
      if (entries.length === 0) break;
      entryCount += entries.length;
    }
    await iterator.close();
    return entryCount;
  }

  async diskBytes(): Promise<number> {
    let byteCount = 0;
    for (const name of await readdir(this.#directory)) {
      // A file may have been merged away meanwhile.
      byteCount += await stat(join(this.#directory, name)).then(
        ({ size }) => size,
        () => 0,
      );
    }
    return byteCount;
  }

  /** By the process, which writes little else; its own log is among it. */
  async writtenBytes(): Promise<number> {
    return Number(/^wchar: (\d+)$/m.exec(await readFile('/proc/self/io', 'utf8'))?.[1]);
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}
