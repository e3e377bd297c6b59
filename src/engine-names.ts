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
