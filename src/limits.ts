/**
 * Every limit of KelpDB in one table. Nothing in the system grows without one of these.
 *
 * `fixed` limits are part of the API or of the format and never change at run time; `defaults` can be set by the
 * operator (`kelp serve --help` shows them) or through `openStore`. Units are the last word of a name.
 */

const KiB = 1024;
const MiB = 1024 * KiB;

/** Limits that belong to the API or to the format on disk. */
export const fixed = {
  /** A key is UTF-8 text of 1 byte to this many. */
  keyBytesMax: 4 * KiB,
  /** The largest revision, lease id and time that a number of JavaScript holds exactly: 2^53 - 1. */
  integerMax: Number.MAX_SAFE_INTEGER,
  /** A time to live: 1 ms to 100 years. */
  ttlMsMax: 100 * 365 * 24 * 60 * 60 * 1000,
  /** The shortest time to live of a lease. */
  leaseTtlMsMin: 1000,
  /** The entries in one page of a scan, the keys in one page of keys, the leases in one page of a list. */
  pageLimitDefault: 1000,
  pageLimitMax: 10_000,
  /** The keys that one call of `keys` looks at; a page that used them up may be short of its limit. */
  keysVisitedPerPageMax: 100_000,
  /** A page of a scan ends after this many bytes of keys and values, but holds at least one entry. */
  pageBytesMax: 4 * MiB,
  /** The length of a glob. */
  patternBytesMax: 1 * KiB,
  /** The keys of one `exists`. */
  existsKeysMax: 10_000,
  /** The compares of one transaction. */
  txnComparesMax: 1000,
  /** The operations in one branch of a transaction. */
  txnOperationsMax: 10_000,
  /** The keys that one transaction may change (a delete of a range, a lease that ends). */
  txnChangesMax: 1_000_000,
  /** The keys that may be attached to one lease. */
  leaseKeysMax: 100_000,
  /** The ranges of one watch. */
  watchRangesMax: 100,
  /** A message of a watch is cut into fragments at this many bytes of keys and values. */
  watchMessageBytesMax: 1 * MiB,
  /** The shortest interval between two progress messages of a watch, and the default one. */
  progressIntervalMsMin: 100,
  progressIntervalMsDefault: 10_000,
  /** The number of nested frames, records and fields is bounded by this length of one log frame. */
  frameBytesMax: 256 * MiB,
} as const;

/** Limits that the operator may set; these are their defaults. */
export const defaults = {
  /** The longest value. */
  valueBytesMax: 16 * MiB,
  /** The bytes of keys and values in one transaction. */
  txnBytesMax: 32 * MiB,
  /** A log segment is closed when it reaches this length. */
  segmentBytes: 64 * MiB,
  /** Writes wait when this many bytes are in the log's buffer and not yet on disk. */
  unflushedBytesMax: 64 * MiB,
  /** With `fsync: interval`: the time between two flushes. */
  fsyncIntervalMs: 1000,
  /** A snapshot is begun when the log has grown by this much since the last one, ... */
  snapshotLogBytes: 256 * MiB,
  /** ... or when this much time has passed since the last one and there was any write. */
  snapshotIntervalMs: 60 * 60 * 1000,
  /** How many snapshots are kept. */
  snapshotsKept: 2,
  /** History is kept for this many revisions, ... */
  historyRevisionsMax: 100_000,
  /** ... of at most this many bytes of log records, ... */
  historyBytesMax: 256 * MiB,
  /** ... and for at most this long. */
  historyAgeMs: 60 * 60 * 1000,
  /** The leases of a store. */
  leasesMax: 100_000,
  /** The open watches of a store. */
  watchersMax: 10_000,
  /** The newest events are kept in memory for the watchers, up to this many bytes; older ones are read from the log. */
  recentEventsBytesMax: 32 * MiB,
} as const;

/** The limits an operator may set, by name. */
export type Limits = { readonly [name in keyof typeof defaults]: number };
