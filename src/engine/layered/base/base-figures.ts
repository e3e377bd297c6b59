/** What the files of an engine on disk tell of themselves. */

/** What an operator sees. Bytes are those of files, unless said otherwise. */
export interface BaseFigures {
  /** All files of the base. */
  readonly diskBytes: number;
  /**
   * Those of them that a compaction does not give back: what the newest versions of keys take, with all that the format adds. With `lsm` an
   * estimate, by the count of keys; with `btree` the pages in use, of which some may be partly full.
   */
  readonly liveBytes: number;
  /** Run files, oldest first; of `btree` one, the database. */
  readonly runs: readonly RunFigures[];
  /** Blocks or values that a cache had, and those it had not, since the start. */
  readonly cacheHits: number;
  readonly cacheMisses: number;
  /** Lookups that a Bloom filter ended, and those that it let pass in vain, since the start; `lsm` alone. */
  readonly filterStops: number;
  readonly filterMisses: number;
  /** Written by flushes, and by merges, since the start. */
  readonly flushedBytes: number;
  readonly mergedBytes: number;
  /** Of the files that a merge is about to replace; 0: none is under way. */
  readonly mergingBytes: number;
  /** Of what was compressed, before and behind that, since the start. */
  readonly plainBytes: number;
  readonly compressedBytes: number;
}

/** With what is known without the base. */
export interface StorageFigures extends BaseFigures {
  /** Of the keys and values whose state the files hold, as they are read; the length of the files over that is the space amplification. */
  readonly dataBytes: number;
}

export interface RunFigures {
  readonly name: string;
  readonly bytes: number;
  readonly liveBytes: number;
  /** Versions and deletions in it. */
  readonly recordCount: number;
}
