/** The engines that may keep the state of a store, as `--engine` has them. */
export const ENGINE_NAMES = [
  /** All keys and values are in memory; the disk has the log and snapshots. */
  'memory',
  /** The B-tree of SQLite, in one file. */
  'btree',
  /** A log-structured merge tree: sorted files that are merged, whose blocks are read through a cache. */
  'lsm',
  /** All keys are in memory, and the values in files. */
  'bitcask',
] as const;

export type EngineName = (typeof ENGINE_NAMES)[number];

/** Why values in memory are not to be compressed with an engine: it has none there. @param level the name of the setting that files go by. */
export function insteadOfValueCompression(engine: Exclude<EngineName, 'memory'>, level: string): string {
  const other =
    engine === 'btree'
      ? 'btree compresses nothing; lsm and bitcask compress what they keep in files'
      : `${engine} compresses what it keeps in files by itself, at ${level}`;
  return `it is for the engine memory; ${other}`;
}
