/**
 * What the cases of engines measure: a store on one of the engines, or LevelDB. Keys and values are bytes; all are written in
 * rows of puts that do not wait for each other, and none waits for the disk.
 */
import type { CaseContext } from '../bench-case.ts';

export interface Subject {
  /** Writes them; resolves when the last is acknowledged, which waits where writes outrun the disk. */
  putAll(keys: readonly Uint8Array[], values: readonly Uint8Array[]): Promise<void>;
  /** Resolves once what was written is in files for good, and nothing is left to merge. */
  settle(): Promise<void>;
  /** @returns how many of them are there. */
  getAll(keys: readonly Uint8Array[]): number;
  /** How many keys lie before each of them. @returns the greatest of these numbers; `undefined`: it can't tell. */
  rankAll(keys: readonly Uint8Array[]): number | undefined;
  /** @returns how many entries there are; it has looked at each key, and at each value if that is asked for. */
  scan(withValues: boolean): Promise<number>;
  /** Where it keeps no files, none of the figures of these means anything. */
  readonly hasFiles: boolean;
  diskBytes(): Promise<number>;
  /** By checkpoints and merges so far, or what comes closest to it. */
  writtenBytes(): Promise<number>;
  close(): Promise<void>;
}

export interface SubjectKind {
  /** @param memoryBytesMax what it may take in memory, as far as it can be told. */
  open(context: CaseContext, directory: string, memoryBytesMax: number): Promise<Subject>;
  /** What it is given: a quarter of the data, where that is enough. */
  memoryBytesMax(keyCount: number): number;
}
