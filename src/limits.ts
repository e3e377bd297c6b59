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
  /** A key of a user has 1 byte to this many, ... */
  keyBytesMax: 4 * KiB,
  /** A member of a set, a field of a hash: it is the end of a key. */
  memberBytesMax: 4 * KiB,
  /**
   * The longest key in the engine, in log and snapshots: that of a member with its score (`store/views/regions.ts`), of which the
   * region, the collection, a tag and the score have 1, 8, 1 and 8 bytes.
   */
  engineKeyBytesMax: 4 * KiB + 18,
  /** The elements of collections that no key has any more are taken away this many at a time between other work. */
  sweptAtOnceMax: 128,
  /** The ids of collections of which a record of the log tells that they may be in use. */
  collectionIdsRecorded: 2 ** 20,
  /** The name of a volume of blobs. */
  volumeIdCharactersMax: 64,
  /** The largest revision, lease id and time that a number of JavaScript holds exactly: 2^53 - 1. */
  integerMax: Number.MAX_SAFE_INTEGER,
  /** A time to live: 1 ms to 100 years. */
  ttlMsMax: 100 * 365 * 24 * 60 * 60 * 1000,
  /** The shortest time to live of a lease. */
  leaseTtlMsMin: 1000,
  /** The entries in one page of a scan, the keys in one page of keys, the leases in one page of a list. */
  pageLimitDefault: 1000,
  pageLimitMax: 10_000,
  /** The keys that one page looks at without leaving the event loop; a page that used them up may be short. */
  pageVisitsMax: 20_000,
  /** A page of a scan ends after this many bytes of keys and values, but holds at least one entry. */
  pageBytesMax: 2 * MiB,
  /** A chunk of a stream of entries holds so much memory, unless one alone is longer. */
  scanChunkBytesMax: 512 * KiB,
  /** The length of a glob. */
  patternBytesMax: 256,
  /** ... and that of one by Redis' rules, which takes some 100 ns for each byte to be got ready. */
  globBytesMax: 16 * KiB,
  /** The values of which the mean length is taken where there are more. */
  sampledValuesMax: 1024,
  /** A name of a user, a role or a token. */
  accessNameCharactersMax: 128,
  /** Users, roles and tokens, of each; the roles of a user, and the grants of a role. */
  accessRecordsMax: 4096,
  accessListedMax: 100,
  /** ... and each of the records: the grants of a role have room for six ranges with the longest keys on both sides. */
  accessRecordBytesMax: 48 * KiB,
  /** A password, in UTF-8. */
  passwordBytesMax: 1 * KiB,
  /** The memory that one check of a password may take. */
  passwordMemoryBytesMax: 64 * MiB,
  /** Passwords that are checked at once, each on a thread of the pool, and those that wait for that. */
  passwordChecksMax: 2,
  passwordChecksWaitingMax: 128,
  /** ... of one connection, which has one at a time. */
  passwordChecksOfConnectionMax: 16,
  /** The answer to a wrong password waits for so long, and so does the next check of its connection. */
  failedLoginDelayMs: 500,
  /**
   * After more wrong passwords than these from one address (of IPv6: one /64) its next check waits, twice as long each time, up to
   * the maximum; they are forgotten when there was none for so long. So many addresses are remembered.
   */
  failedLoginsFree: 5,
  failedLoginPauseMsMax: 8000,
  failedLoginsForgottenMs: 5 * 60 * 1000,
  failedNetworksMax: 4096,
  /** Passwords that were verified and are remembered by a hash. */
  verifiedPasswordsMax: 1024,
  /** How long a token that stands for a password can be shown (etcd's `Authenticate`). */
  sessionMs: 24 * 60 * 60 * 1000,
  /** The keys of one `exists`. */
  existsKeysMax: 10_000,
  /** The keys of one `getMany`. */
  getManyKeysMax: 10_000,
  /** The compares of one transaction. */
  txnComparesMax: 1000,
  /** The operations in one branch of a transaction. */
  txnOperationsMax: 10_000,
  /** The operations of one batch of a pipeline, and the keys that they may name together. */
  pipelineOperationsMax: 1000,
  pipelineKeysMax: 10_000,
  /** The keys that one transaction may change (a delete of a range, a lease that ends). */
  txnChangesMax: 100_000,
  /**
   * The keys that may be attached to one lease, and their bytes: they are deleted in one transaction, which takes about
   * the time of one that deletes `txnChangesMax` short keys of a range.
   */
  leaseKeysMax: 50_000,
  leaseKeyBytesMax: 4 * MiB,
  /** What the delete of a key takes in the log beside the key, at most. */
  deleteEffectBytes: 12,
  /** ... and what a record has before its effects, and of a lease that ends. */
  recordHeadBytes: 64,
  /** The memory of all leases with their keys, which are objects that the garbage collector has to look at. */
  leaseTableBytesMax: 512 * MiB,
  /** The ranges of one watch. */
  watchRangesMax: 100,
  /** A message of a watch is cut at this many events or entries, and at this many bytes of memory that they take. */
  watchMessageEventsMax: 1000,
  watchMessageBytesMax: 1 * MiB,
  /**
   * What watches that want the same have made for each other and not all have taken, as bytes of memory; the oldest goes
   * first, and who comes later makes it anew.
   */
  sharedWatchBytesMax: 16 * MiB,
  /** A watch lets another one that is making what it wants go first so often, each time for a turn. */
  watchPatienceTurns: 4,
  /** Watches with more characters than this in the bounds of their ranges are not compared, and share nothing. */
  watchGroupCharactersMax: 16 * KiB,
  /** The shortest interval between two progress messages of a watch, and the default one. */
  progressIntervalMsMin: 100,
  progressIntervalMsDefault: 10_000,
  /**
   * The newest changes, kept by key in memory for watches that read slowly, and the bytes of their keys; those before come from
   * the log. As many once more may wait for becoming visible.
   */
  recentChangesMax: 65_536,
  recentKeyBytesMax: 8 * MiB,
  /** Of a transaction with more changes, or with more bytes of keys, none are kept there. */
  watchStagedChangesMax: 10_000,
  /** The most elements, and bytes of their names and values, that a watch is told of for one revision; beyond, that they changed. */
  watchElementsMax: 10_000,
  watchElementBytesMax: 512 * KiB,
  watchStagedKeyBytesMax: 1280 * KiB,
  /**
   * The keys, effects and revisions that a watch looks at in one turn, of which one watch has one at a time; an event that it
   * makes counts for several. A watch that was woken begins with the small part.
   */
  watchTurnVisitsMax: 4096,
  watchWokenVisitsMax: 256,
  /** The places that are looked at in one go for the watches that wait for what has become visible. */
  watchNoticeVisitsMax: 10_000,
  /**
   * The watches that are woken by a change at once, in visits; the rest follow after what else waits has had its turn. Each
   * counts as so many at least: one whose reader takes at once what others have made, and one that is read later.
   */
  watchesWokenVisitsMax: 4096,
  wokenVisitsMin: 8,
  wokenLaterVisits: 64,
  /** How long a slow reader of a watch's present entries, or of another long reply, may hold back the compaction of history. */
  pinMsMax: 60_000,
  /**
   * ... and for how long once a write finds no room in memory, however fast it reads. Of a backup only the time counts in which
   * its reader is waited for.
   */
  fullPinMs: 5000,
  /**
   * What one request may do in one piece: so many keys looked at, with a good part more than a transaction may change, and so
   * many bytes of values read.
   */
  requestVisitsMax: 128 * 1024,
  requestBytesMax: 64 * MiB,
  /**
   * A key that a request names counts as one visit more for each of so many bytes, and again when it is written: 4,000 of the
   * longest are read, or 2,000 written, in the time of the visits.
   */
  visitKeyBytes: 128,
  /**
   * A key that is found by its place counts as so many visits in memory; where many elements are chosen by chance, so many are found that way at
   * most, which take so many visits.
   */
  selectVisits: 4,
  /**
   * An engine on disk finds places and ranks by going through keys of a bucket of its census, without values: so many of these are a visit. It is
   * what lets a transaction go through 500,000, and so draw twice from a set of more than it may change.
   */
  censusStepsPerVisit: 4,
  selectedElementsMax: 10_000,
  selectedVisitsMax: 64 * 1024,
  /** The members that a pop may leave in a set where it takes more of them out than a transaction may change: they are written anew. */
  keptMembersMax: 50_000,
  /** The entries that a group of a stream hands out at a time, or that change hands: those behind them are for the next call. */
  streamDeliveredMax: 10_000,
  /** What is pending in a group, or with a consumer, and goes with it in one transaction: with more they go in several. */
  streamPendingRemovedMax: 10_000,
  /**
   * The first entries of a stream that go with one XADD, or in one transaction of XTRIM. Where they are more than all that stays, of
   * which there is not more than this, and not of more bytes, that is written anew, and all of them go at once: a record of
   * the shared log has room for it, and for the last entry once more.
   */
  streamTrimmedMax: 10_000,
  streamRewrittenBytesMax: 256 * KiB,
  /** Where elements are drawn of which one may come several times: so many at a time, whose names and values have so many bytes. */
  repeatedElementsMax: 65_536,
  repeatedBytesMax: 8 * MiB,
  /** The members that a combination of sorted sets which is told, not stored, may have, and their bytes: they are in memory together. */
  combinedMembersMax: 250_000,
  combinedBytesMax: 32 * MiB,
  /** The members that a search by place may find, and their bytes: they are in memory together. */
  foundPlacesMax: 100_000,
  foundPlacesBytesMax: 32 * MiB,
  /** A search for so many of the nearest ones at most finds any number of members, and keeps the nearest of them: these are sorted in one piece. */
  nearestPlacesMax: 20_000,
  /** The keys of one combination, and the elements that one read of a collection asks for by name. */
  combinedKeysMax: 1000,
  askedElementsMax: 10_000,
  /** How many times larger a further layer of a Bloom filter is. */
  bloomExpansionMax: 0xffff_ffff,
  /** A Bloom filter that has so many layers does not grow any more: each of them is looked at for each item. */
  bloomLayersMax: 64,
  /** The keys past their deadline and not removed yet that a count can leave out. */
  overdueCountedMax: 10_000,
  /** The keys of a lease that are sorted, or made texts of, in one turn of the event loop. */
  sortedInTurnMax: 4096,
  /** The leases that a snapshot or a backup takes in one turn of the event loop. */
  leasesInTurnMax: 4096,
  /** The leases whose place by deadline is mended in one turn, once they come up there and prove to have been renewed. */
  leasesMovedMax: 1024,
  /** A delete of a range in parts deletes so many keys, of so many bytes, in one transaction. */
  deletePartKeysMax: 4096,
  deletePartBytesMax: 512 * KiB,
  /** So many turns of the event loop it waits at most for the memory that the last part has taken beyond the limit. */
  deletePartTurnsMax: 64,
  /** The calls of one turn of the event loop that are gathered before they run. */
  turnCallsMax: 256,
  /** Of the plain ones so many are answered together: what they get is in memory until the last of them has run. */
  jointAnswersMax: 256,
  /** When calls have looked at so much together, and read so many bytes of values, other work has its turn before the next. */
  turnVisitsMax: 20_000,
  turnBytesMax: 4 * MiB,
  /** So too when they have taken so long: on engines with files a visit takes much longer than in memory. */
  turnMs: 5,
  /** A plain put whose key or value is longer than this is decided by itself; the others of a turn go together. */
  putRowKeyBytesMax: 64,
  putRowValueBytesMax: 4095,
  /** The plain gets of a turn are read together until they have read so many bytes of values; the next ones are another row. */
  getRowBytesMax: 1 * MiB,
  /**
   * What they may add to the memory of the engine at most: for each the copy of the version before and the new one, a page of the
   * undo ring, and what indexes grow by.
   */
  putRowMemoryBytesMax: 4 * MiB,
  /**
   * The decisions that listeners to one commit may queue. They and what they lead to draw on the budget of the request that
   * the commit was for, and take so many visits each besides what they do: a chain of them is 4,000 long.
   */
  queuedDecisionsMax: 10_000,
  queuedDecisionVisits: 32,
  /** History and log are cut by age this often, also when nothing is written. */
  historyCheckMs: 10_000,
  /** How long a piece of background work (expiry, snapshots, dropping history) may hold up everything else. */
  timeSliceMs: 2,
  /** Keys past their deadline are removed this many at a time between other work. */
  expiryBatchMax: 256,
  /** Fields of one hash that are past their deadline go together, so many at most, since each such step writes the hash's metadata. */
  expiredElementsMax: 64,
  /** The clock is looked at this often at least while a key or lease has a deadline, since it may jump. */
  expiryCheckMsMax: 1000,
  /** That the wall clock is behind the newest write is told at a start if it is so by this much. */
  clockBehindEventMsMin: 1000,
  /**
   * Before a lease is ended that was not renewed in time, the event loop makes so many turns, in which renewals that wait in
   * sockets come in. Measured: one turn for a call or a stream's message on an open connection, two for a new connection; the
   * rest are for long input. If its time has been over for so long when that is noticed, the process has stood still, and
   * some time passes first.
   */
  leaseTurns: 16,
  leaseLateMs: 20,
  leaseGraceMs: 500,
  /** While there are leases the log notes their clock this often, so that a restart knows what remained. */
  leaseClockNoteMs: 1000,
  /** The share of the machine's memory that the state of a store may take unless the operator says otherwise. */
  memoryShareDefault: 1 / 2,
  /** Memory counts as scarce when less than this share of the limit is left, and less than so many bytes. */
  memoryReserveShare: 1 / 16,
  memoryReserveBytesMax: 256 * MiB,
  /**
   * Where a memory policy evicts keys, so many go in one step, or about so many bytes with the last one; and it looks at so many deadlines
   * to find them.
   */
  evictedKeysMax: 256,
  evictedBytesMax: 16 * MiB,
  evictionLooksMax: 1024,
  /** What a collection takes is estimated by so many of its elements, or so many bytes of them. */
  evictionElementsMax: 64,
  evictionElementBytesMax: 64 * KiB,
  /** For a write that was refused for want of memory room is made for so long, whatever the reserve. */
  memoryWantedMs: 10_000,
  /** What was refused for want of room that others give back soon, in memory, log or calls, may be tried again after this time. */
  busyRetryMs: 1000,
  /** When nothing has changed for this long, memory is given back that takes much work for little. */
  tidyAfterMs: 1000,
  /** That the memory is full is told at most this often. */
  memoryFullEventMs: 60_000,
  /** The lives of a store that are kept: a place that an older one wrote can't be told from one that is not there. */
  incarnationsKept: 1000,
  /**
   * How long a backup may take: of an engine in memory, since it holds back the compaction of history; of one on disk, whose old files it
   * keeps, so much longer for each MiB that was read of it. And how many may be read at a time.
   */
  backupMsMax: 10 * 60 * 1000,
  backupMsPerMiB: 1000,
  backupsMax: 4,
  /**
   * A backup of an engine on disk reads ahead by so much in all files together; in one of them by no less, and no more, than this. Its
   * connection to a database keeps so much of that in memory.
   */
  viewReadBytesMax: 1 * MiB,
  viewChunkBytesMin: 16 * KiB,
  viewChunkBytesMax: 256 * KiB,
  /**
   * What changes behind the last checkpoint of an engine on disk may take a quarter of the memory that is left to them before the next
   * one is begun, but this much in any case.
   */
  checkpointMemoryShare: 1 / 4,
  checkpointBytesMin: 1 * MiB,
  /** A checkpoint that waits for history looks again at least this often; one that has failed is tried again after a while. */
  checkpointLookMs: 100,
  checkpointRetryMs: 5000,
  /**
   * While changes outrun the disk the answers to them are held, each for so long at most, below the time that clients wait; it is
   * looked so often whether there is room again.
   */
  heldAnswerMsMax: 5000,
  heldAnswerLookMs: 10,
  /**
   * A write that finds memory full of changes waits for a checkpoint for so long at most, so many writes at a time, and what they put may
   * have so many bytes together. It is less than what clients wait for (`client.deadlineMs`), so that they are told why.
   */
  roomWaitMsMax: 8000,
  roomWaitsMax: 100_000,
  roomWaitBytesMax: 256 * MiB,
  /** Of the memory limit, what caches of an engine on disk may have; of bitcask, whose index takes the most, less. */
  storageCacheShare: { btree: 1 / 4, lsm: 1 / 4, bitcask: 1 / 16 },
  /** More is left to the system's cache of files. */
  storageCacheBytesMax: 4096 * MiB,
  /** What is sorted in memory at a time of a backup that is loaded into such an engine, and the share of the limit that it may be. */
  loadBytesMax: 64 * MiB,
  loadMemoryShareMax: 1 / 8,
  /** A read of the disk takes about the time of so many visits. */
  coldReadVisits: 10,
  /** That the files of the engine are damaged is told at most this often, and that the disk fails to read them. */
  damageEventMs: 60_000,
  /** A store looks this often whether its data directory is still its own. */
  ownershipCheckMs: 1000,
  /** A start in a directory whose lock files are gone waits for so long: an owner that is alive has noticed by then. */
  unlockedStoreWaitMs: 5000,
  /**
   * A store that is closed writes a snapshot for so long at most, unless it is told how long, and only if what the next start
   * would read of the log is at least this share of the data: it has to load the data from a snapshot anyway.
   */
  closeSnapshotMsDefault: 5000,
  closeSnapshotShareMin: 1 / 8,
  /**
   * The thread that writes to the database of the engine `btree` is given so many bytes of changes at a time, and more wait for it only
   * up to so many, and no more than half of what its pages take.
   */
  btreeBatchBytes: 256 * KiB,
  btreeWaitingBytesMax: 8 * MiB,
  /** A block of a snapshot before compression. */
  snapshotBlockBytes: 512 * KiB,
  /**
   * When the next segment of the log can't be made (no descriptor, no space), the present one grows beyond its length by so
   * many times that length at most, and by so many bytes, before writes are refused. It is tried again, and told, at most
   * this often; so is writing zeros ahead of use in the present one.
   */
  segmentOverrunTimesMax: 16,
  segmentOverrunBytesMax: 1024 * MiB,
  segmentRetryMs: 1000,
  segmentDelayedEventMs: 60_000,
  /**
   * A batch of the log up to this length is written on the event loop, which it holds for 0.1 ms at most; a longer one, which
   * is rare, by the thread pool, which takes longer and holds nothing up.
   */
  batchWrittenNowBytesMax: 256 * KiB,
  /**
   * A batch of the log waits for those who have just been told of theirs (`wal/commit/gathering.ts`) while it will not have more
   * records than this, for so long and so many turns of the event loop at most. Where that is in vain again and again, up to so
   * many batches do not wait before it is tried once more.
   */
  gatheredRecordsMax: 128,
  gatheringMsMax: 1,
  gatheringTurnsMax: 256,
  gatheringsSkippedMax: 256,
  /** Zeros are written ahead in the log so many at a time: a write of a batch waits for the one that the file is locked by. */
  zerosWrittenBytesMax: 64 * KiB,
  /**
   * The long frames of the log that are kept in memory while watches go through them; one alone may be longer. Those beyond
   * it are read again.
   */
  longFramesBytesMax: 64 * MiB,
  /** What is read of the W3C headers of a trace: `traceparent` has 55 characters by now, of later versions perhaps more. */
  traceparentCharactersMax: 256,
  tracestateCharactersMax: 512,
  /** The length of one log frame: a batch of transactions that one flush makes durable. */
  frameBytesMax: 256 * MiB,
  /** A value of an engine is compressed from this length on: below, zstd saves little, and costs as much as for this. */
  compressedValueBytesMin: 1 * KiB,
  /** What saves less than this share by being compressed is kept as it is. */
  compressionSavedShareMin: 0.12,
  /** ... and a block of short records, which each read that misses the cache has to unpack, what saves less than this. */
  blockSavedShareMin: 0.25,
  /** The bytes of something that are looked at before it is compressed, in pieces of so many from all over it. */
  compressionSampleBytes: 512,
  compressionPieceBytes: 64,
  /** The levels of zstd that may be chosen: beyond, one value takes seconds. */
  compressionLevelMin: 1,
  compressionLevelMax: 19,
} as const;

/** Limits that the operator may set; these are their defaults. */
export const defaults = {
  /** The longest value. */
  valueBytesMax: 16 * MiB,
  /** The bytes of keys and values in one transaction. */
  txnBytesMax: 32 * MiB,
  /** A log segment is closed when it reaches this length. */
  segmentBytes: 64 * MiB,
  /**
   * Writes are refused while this many bytes are in the log's buffers and not yet written. Room for eight of the longest values
   * at a time, and a transaction of the greatest length beside them. Memory: this much while they wait, and until the two
   * buffers have shrunk again as much once more. It stays below `frameBytesMax`, so one flush can take all of it.
   */
  unflushedBytesMax: 192 * MiB,
  /** With `fsync: interval`: the time between two flushes. */
  fsyncIntervalMs: 1000,
  /** A snapshot is begun when the log has grown by this much since the last one, ... */
  snapshotLogBytes: 256 * MiB,
  /** ... or when this much time has passed since the last one and there was any write. */
  snapshotIntervalMs: 60 * 60 * 1000,
  /** A store that is closed writes a snapshot if the log has grown by this much since the last one: to read it takes 0.1 s. */
  closeSnapshotLogBytes: 8 * MiB,
  /**
   * With an engine on disk a checkpoint is begun when the changes since the last one take this much memory, or a quarter of what the
   * memory limit leaves to them, if that is less.
   */
  checkpointBytes: 64 * MiB,
  /** How many snapshots are kept. */
  snapshotsKept: 2,
  /** Old revisions can be read as long as they are among this many of the newest, ... */
  historyRevisionsMax: 100_000,
  /** ... the log has not grown by more than this since, ... */
  historyBytesMax: 64 * MiB,
  /** ... and they are not older than this. */
  historyAgeMs: 60 * 60 * 1000,
  /** Log segments that recovery does not need are kept for watches to resume from, up to this many bytes of log ... */
  logRetentionBytes: 1024 * MiB,
  /** ... and this age. */
  logRetentionMs: 24 * 60 * 60 * 1000,
  /** The leases of a store. */
  leasesMax: 100_000,
  /** The open watches of a store. */
  watchersMax: 10_000,
  /** The level of zstd at which engines compress. */
  compressionLevel: 1,
} as const;

/** Those of a store without files, whose log and snapshots are in memory, too. */
export const defaultsInMemory = {
  segmentBytes: 4 * MiB,
  snapshotLogBytes: 32 * MiB,
  checkpointBytes: 16 * MiB,
  snapshotsKept: 1,
  logRetentionBytes: 32 * MiB,
  /** What is gone with the store needs none. */
  closeSnapshotLogBytes: Number.MAX_SAFE_INTEGER,
} as const satisfies Partial<Record<keyof typeof defaults, number>>;

/** Limits of the TypeScript client; those with an option of the same name in `createClient` are its defaults. */
export const client = {
  /** The time that a call may take, its retries included. */
  deadlineMs: 10_000,
  /** ... for the calls that write a snapshot, drop history or delete in parts. */
  longDeadlineMs: 10 * 60 * 1000,
  /** A function that gives credentials has failed when it takes longer. */
  credentialsMs: 30_000,
  /** Before the n-th retry a random time of up to this much, doubled n - 1 times, passes, ... */
  backoffMs: 100,
  /** ... but never more than this, ... */
  backoffMsMax: 5_000,
  /** ... nor more than half of what is left of the deadline; with less than this left there is no other try. */
  lastTryMs: 50,
  /** A connection that is not made within this time has failed. */
  connectMs: 5_000,
  /** A server that closes a connection of plain text at once is given this long to show that it speaks TLS. */
  tlsProbeMs: 1_000,
  /** A connection with calls under way from which nothing came for this long is asked for a sign of life, ... */
  pingIntervalMs: 3_000,
  /** ... and given up when there is none within this time: together less than the deadline of a call. */
  pingTimeoutMs: 5_000,
  /** The same, and the longest pause, where there are other servers to go to: a read that was lost with one has half of its deadline for them. */
  ofSeveral: {
    connectMs: 2_000,
    pingIntervalMs: 1_000,
    pingTimeoutMs: 2_500,
    /** A longer pause would outlast the time that another one takes to take over. */
    backoffMsMax: 500,
  },
  /** The addresses of one client. */
  addressesMax: 16,
  /** A server that can't be reached, or recovers or stops, is not asked again for this long, doubled with each failure in a row up to: */
  serverRestMs: 100,
  serverRestMsMax: 2_000,
  /** A connection that no call used for this long is asked for a sign of life before the next one, ... */
  idleMsMax: 10_000,
  /** ... and closed after this long. */
  idleCloseMs: 15 * 60 * 1000,
  /** A call that got no answer in time from a connection that was silent for this long moves the next to another one. */
  silenceMsMin: 200,
  /**
   * The connections for calls, and as many for streams (watches, backups), which have their own so that a long one does not
   * hold up a short call. One more is made when a server takes no more streams on those there are.
   */
  connectionsMax: 16,
  /** What the server may send ahead on one connection, ... */
  connectionWindowBytes: 16 * MiB,
  /** ... and on one stream of it, which its reader has not taken yet. */
  streamWindowBytes: 1 * MiB,
  /** The headers of one reply, and its trailers. */
  headerBytesMax: 64 * KiB,
  /** The longest message, in either direction. */
  messageBytesMax: 256 * MiB,
  /** Of one mirror; the first three are defaults of its options. */
  mirror: {
    keysMax: 1_000_000,
    bytesMax: 256 * MiB,
    /**
     * A wait for a revision that changed other keys alone lasts as long, so it is a small part of `deadlineMs`. It costs a server a
     * message a second for each idle mirror.
     */
    progressIntervalMs: 1_000,
    /** What a reader of its changes may leave waiting, ... */
    changesMax: 10_000,
    changesBytesMax: 64 * MiB,
    /**
     * ... in which each entry counts as so many bytes besides its key and value: its object, the arrays of its value and its place in
     * an event took 350 to 400 on the heap of Node 24.
     */
    entryOverheadBytes: 400,
  },
  /** Of locks, elections, queues and the like (`client/recipes`). */
  recipes: {
    /** A name, in UTF-8: what stands behind it in a key has room. */
    nameBytesMax: 1 * KiB,
    /** How long others wait for what a holder has that has died. */
    ttlMs: 10_000,
    /** Those that hold or wait in one line: each looks at all of them when its turn may have come. */
    lineMax: 10_000,
    /** The holders of one semaphore: a waiter watches as many keys, by one watch. */
    permitsMax: fixed.watchRangesMax,
    /** What a leader tells of itself; each observer has that of all candidates. */
    leaderValueBytesMax: 64 * KiB,
    /** Who gives up waiting takes its place out of the line, for so long at most; then the time to live does it. */
    leaveMsMax: 2_000,
    /** What names an addition to a counter, in UTF-8; and how long it is remembered: where the program gives it, and where the client does. */
    idBytesMax: 512,
    idTtlMs: 24 * 60 * 60 * 1000,
    ownIdTtlMs: 10 * 60 * 1000,
    /** The jobs of one queue, and those that one worker may have at a time. */
    jobsMax: 100_000,
    openJobsMax: 100,
    /** How often a job is taken, and how long it is kept when that was in vain, unless the queue says it. */
    attemptsMax: 5,
    deadTtlMs: 30 * 24 * 60 * 60 * 1000,
    /** A worker looks at so many jobs in one page, and looks anew when so many of those that it saw free were taken before it. */
    jobsLookedAt: 100,
    conflictsMax: 4,
  },
  /** Room for so much of a long message is taken before its bytes are there; then it doubles. */
  messageFirstBytes: 64 * KiB,
  /** Messages that are kept share a slab of so many bytes, if none of them is longer than the second: who keeps one keeps all. */
  messageSlabBytes: 16 * KiB,
  slabMessageBytesMax: 2 * KiB,
  /**
   * Calls of one turn of the event loop travel together in batches of Pipeline when there are so many at least: fewer are
   * cheaper by themselves.
   */
  pipelineCallsMin: 16,
  /** A call with a longer request goes by itself, ... */
  pipelineCallBytesMax: 2 * KiB,
  /** ... and when the replies of a batch were longer on average, the next so many calls do. */
  pipelineAloneCalls: 1000,
  /** A batch takes so many bytes, and as many calls as after the last one so many bytes of a reply are expected for; at first: */
  pipelineBatchBytesMax: 64 * KiB,
  pipelineReplyBytes: 256 * KiB,
  pipelineFirstCallsMax: 256,
  /**
   * The batches of one stream that are not answered. The server takes no more at once, so further calls go by themselves. The
   * calls of a burst, and those made while the window is used up or a connection is made, wait, up to so many and so many bytes.
   */
  pipelineBatchesMax: 16,
  pipelineWaitingCallsMax: 16_000,
  pipelineWaitingBytesMax: 4 * MiB,
  /** A stream of batches that has had nothing to do for this long is ended. */
  pipelineIdleMs: 1000,
  /** One that has taken calls for this long is left for another: what stands in between may let no request last. */
  pipelineAgeMsMax: 10_000,
  /**
   * After one that was not answered, or broke, calls go by themselves until another one has answered, for which it has so long.
   * Before the second trial, and each further one, so much time passes, doubled with each failure, up to:
   */
  pipelineTrialMs: 2_000,
  pipelinePauseMs: 1_000,
  pipelinePauseMsMax: 60_000,
  /** The keys and values that a watch gathers to hand out all changes of one revision together. */
  watchRevisionBytesMax: 256 * MiB,
  /** The longest pause between two renewals of a lease, however long it lives. */
  renewIntervalMsMax: 60 * 60 * 1000,
  /** One try to renew a lease may take a sixth of its time to live, but no less than this and no more than a call. */
  renewTryMsMin: 250,
} as const;

/** Limits of exports and imports. */
export const transfer = {
  /** An export is handed out in pieces of about so many bytes; one of a longer value is longer. */
  pieceBytes: 256 * KiB,
  /** What is read is looked through in steps of so many bytes, however long the pieces are in which it comes. */
  inputStepBytes: 64 * KiB,
  /** The longest text of JSON that is read as a value, as it stands there: base64 and escapes make it longer than the value. */
  textBytesMax: 384 * MiB,
  /** The longest name of a member: a key of which each byte is an escape of six characters, and quotes. */
  nameBytesMax: 6 * fixed.keyBytesMax + 2,
  /** The longest number. */
  numberBytesMax: 32,
  /** An import writes so many keys in one transaction, each with its condition, and so many bytes unless one entry alone is longer. */
  batchKeysMax: fixed.txnComparesMax,
  batchBytesMax: 1 * MiB,
  /** The entries of a page that an export reads. */
  pageEntriesMax: fixed.pageLimitDefault,
  /** A page of an etcd has so many keys at first, then as many as come to about so many bytes, but never more than this. */
  etcdPageKeysFirst: 100,
  etcdPageKeysMax: 10_000,
  etcdPageBytes: 4 * MiB,
  /** The leases of an etcd whose ends are remembered while keys are copied. */
  etcdLeasesKnownMax: 100_000,
  /** The keys of leases that one can follow, since each is renewed by itself. */
  etcdLeasedKeysMax: 1_000_000,
  /** Calls for leases, and for the keys that are renewed, that are under way at once. */
  etcdLeaseCallsMax: 64,
  /** While an etcd is followed a key of a lease is given at least so long to live: etcd tells of the end of a lease by itself. */
  etcdLeaseTtlMsMin: 60_000,
  /** Changes of an etcd that were read and are not written yet: so many revisions and bytes, unless one revision alone has more. */
  etcdQueueRevisionsMax: 10_000,
  etcdQueueBytesMax: 16 * MiB,
  /** Beyond so many revisions that wait, a key that was changed in several of them is written once. */
  etcdBehindRevisionsMax: 1000,
  /** How often an etcd that is followed is asked for its newest revision, and leases are looked through. */
  etcdTickMs: 1000,
  /** A watch of an etcd that is known to have more to tell, and is silent for so long, is begun anew. */
  etcdSilenceMsMax: 30_000,
  /** Tries to read a page from an etcd that is not there, and the longest pause between two of any calls. */
  etcdPageTries: 8,
  etcdPauseMs: 100,
  etcdPauseMsMax: 5000,
} as const;

/** Of a log that lies in a consensus system, and of what drives one. */
export const sharedLog = {
  /** What one batch may hold: etcd takes 1.5 MiB in one request unless it is told otherwise. */
  batchBytesMax: 1 * MiB,
  /** What etcd needs for a record beside its bytes: it counts as much of what the log may hold. */
  recordOverheadBytes: 600,
  /** The address of a writer. */
  addressBytesMax: 1 * KiB,
  /** The prefix of its keys. */
  prefixBytesMax: 512,
  /** How long one try may take, before the next member is asked. */
  tryMs: 2_000,
  /** Before the n-th try in a row that finds no answer a random time of up to this much, doubled n - 1 times, passes, ... */
  pauseMs: 20,
  /** ... but never more than this. */
  pauseMsMax: 500,
  /** A reader that has heard nothing for so long looks whether that is right. */
  silenceMs: 1_000,
  /** A page of a read holds so many records at least and at most, and between them about so many bytes. */
  pageRecordsMin: 4,
  pageRecordsMax: 64,
  pageBytes: 4 * MiB,
} as const;

/** Limits of a node of a cluster. */
export const cluster = {
  /** A writer says so often that it is there while it has nothing else to write. */
  heartbeatMs: 500,
  /** A follower that has heard nothing of the writer for so long, while the shared log answers, takes over; ... */
  failoverAfterMs: 2_000,
  /** ... at least and at most so long, by the operator's choice; ... */
  failoverAfterMsMin: 1_000,
  failoverAfterMsMax: 60_000,
  /** ... and waits up to this much longer, so that two do not race. */
  failoverJitterMs: 500,
  /** A node that has not held all of the shared log for longer than this is not ready, unless the operator says otherwise. */
  readyLagMs: 10_000,
  /** How often it is looked how far a node is behind. */
  lagCheckMs: 250,
  /**
   * A record of the log has to fit in one batch (`sharedLog.batchBytesMax`): so many bytes of keys and values leave room for what a
   * record has besides, also of transactions with many short keys.
   */
  txnBytesMax: 768 * KiB,
  valueBytesMax: 704 * KiB,
  /** A writer that stops gives the calls under way so long before it hands over: they find no writer here afterwards. */
  stopGraceMs: 500,
  /** What a shutdown leaves to the handover at least. */
  handoverMsMax: 3_000,
  /** A writer that is to hand over to a named node waits so long until that has said that it has caught up, ... */
  caughtUpMsMax: 3_000,
  /** ... and then, for so long, looks so often whether it has taken over. */
  takenOverMsMax: 5_000,
  handoverLookMs: 50,
  /** A node that could not be opened again is tried again after so long. */
  reopenMs: 1_000,
  /** A follower tells the writer so often how far it is, ... */
  reportMs: 1_000,
  /** ... and is waited for no more by what is trimmed when it was silent for so long. */
  reportSilenceMs: 30_000,
  /** Its snapshot counts as one of the two that must hold what is trimmed while its last report is not older than this, ... */
  coverageMs: 3_000,
  /** ... and none does for so long once an address has reported that was not known: its disk may be that of one that is gone. */
  newcomerMs: 10_000,
  /** A follower asks the shared log for its head so often, ... */
  headCheckMs: 250,
  /** ... and counts it as silent when it has not answered after so long. */
  headMsMax: 1_000,
  /** Reads that wait to be known as the newest are refused when the shared log has not answered after so long. */
  barrierMsMax: 5_000,
  /**
   * Those that may be old (`LOCAL`), and read what the newest state alone tells at once, wait so long until that is durable: then they read
   * the visible one, which may take longer.
   */
  newestMsMax: 250,
  /** A node that needs a snapshot of another one, and got none, tries again after so long. */
  fetchRetryMs: 1_000,
  /** It looks through so many records at the end of the shared log first for whom to ask, then through more before those. */
  searchedRecordsMin: 256,
  /** One whose state is damaged does not start when it got none for so long: it may have to be told that there is none. */
  healMsMax: 60_000,
  /** Files that were damaged and set aside, of each folder of a data directory. */
  damagedFilesMax: 16,
  /** A report that has no answer after so long is given up. */
  reportMsMax: 5_000,
  /** The operator is told of a node that has been behind for so long. */
  lagToldMs: 5_000,
  /**
   * A snapshot is written when so many batches lie behind the last one, also of notes alone: each takes room in etcd
   * (`sharedLog.recordOverheadBytes`), which a trim alone gives back.
   */
  snapshotPositions: 500_000,
  /** A writer looks so often whether the shared log can be trimmed. */
  trimMs: 2_000,
  /** Before that it says in the log who it is; when the log has not taken that after so long, it is trimmed all the same. */
  announceMsMax: 5_000,
  /** What the shared log may hold, with the overhead of its records: from a part of it on the writer warns, and beyond it writes are refused. */
  sharedLogBytesMax: 1024 * MiB,
  sharedLogBytesWarnedShare: 3 / 4,
  /** What the shared log does not do for the time being is tried again after so long. */
  retryMs: 250,
  /** Whether the cache has room for a batch is looked at again after so long, when it has written nothing meanwhile. */
  cacheRetryMs: 100,
  /** A server that is followed and has been silent for so long is connected to anew: it speaks every `heartbeatMs`. */
  followSilenceMs: 5_000,
  /** One message of the stream of a server that is followed has so many bytes of records, and a longer record goes on in the next. */
  followBytesMax: 1 * MiB,
  /**
   * A batch waits for those who have just been told of theirs (`wal/commit/gathering.ts`) while it will not have more records than
   * this, for so long at most: one record costs etcd, and each node, nearly as much as hundreds in one batch.
   */
  gatheredRecordsMax: 1024,
  gatheringMsMax: 4,
  /** A writer whose disk takes nothing for so long, though something waits for it, gives up its role. */
  diskStallMs: 10_000,
  /** A node that is closed waits so long for the shared log to store what was committed, and the handover. */
  closeMsMax: 5_000,
} as const;

/** Limits of the way from a follower of a cluster to its writer. */
export const forwarding = {
  /** Until a connection to another node is made, with TLS and its first settings. */
  connectMs: 2_000,
  /** Connections to one node. */
  connectionsMax: 8,
  /** Calls that wait for one of them, and those that wait until there is a writer: of each so many. */
  waitingCallsMax: 10_000,
  /** A connection with calls under way that is silent for so long is asked for a sign of life, ... */
  silenceMs: 2_000,
  /** ... and closed when it gives none. */
  pingTimeoutMs: 3_000,
  /** One that has had no call for so long is closed. */
  idleMs: 60_000,
  /** What the writer may send of one reply that the client has not taken, ... */
  streamWindowBytes: 256 * KiB,
  /** ... and of all replies that the follower has not looked at. */
  connectionWindowBytes: 16 * MiB,
  /** How often a follower looks who is the writer, while calls and connections are passed on to one, or wait for one. */
  writerLookMs: 250,
  /** ... and for how long they wait for it beyond the silence of the writer after which another node takes over. */
  takeoverMs: 2_500,
  /** A request of so many bytes is sent again: one that was not taken, and a read to another node that has taken over. */
  keptRequestBytesMax: 4 * KiB,
  /** The fields of one head that the writer sends. */
  headerBytesMax: 64 * KiB,
  /** How long after the deadline of a call the writer may still tell that it is over. */
  deadlineGraceMs: 250,
  /** What a call that found no writer is told to wait before it is made again. */
  retryAfterMs: 200,
} as const;

/** Limits of HTTP/2 connections, the server's and the client's. */
export const http2 = {
  /**
   * The dynamic table of HPACK, in each direction: what RFC 9113 begins with, never raised. Its entries count their bytes and
   * 32 more.
   */
  headerTableBytes: 4 * KiB,
  /**
   * The heads that a connection keeps beside the header blocks that they were read from, for when the same bytes come again.
   * A longer block is read anew each time; blocks and heads together count their bytes and 32 for each field.
   */
  headCacheEntriesMax: 32,
  headCacheBytesMax: 16 * KiB,
  cachedBlockBytesMax: 1 * KiB,
  /** The names of fields whose last value an encoder of requests keeps: one that repeats goes into the dynamic table. */
  lastValuesMax: 64,
  /** The lists of fields whose blocks such an encoder keeps, for when the same list is given again. */
  requestBlocksMax: 64,
  /** The CONTINUATION frames of one header block, and its bytes, as so many times what its fields may come to. */
  continuationsMax: 8,
  blockTimesListMax: 2,
  /**
   * Output is gathered in buffers of this length, one for each connection that has any in this turn of the event loop; so many
   * are kept for the next one.
   */
  outputBytes: 64 * KiB,
  outputsKept: 64,
  /**
   * Output that stays since its peer does not read is moved to less memory when it is no more than this part of its buffer; to no
   * less than so many bytes, as more may follow.
   */
  littleOutputShareMax: 1 / 4,
  littleOutputBytesMin: 512,
  /** Bodies wait in their streams while so much of a connection's output is not sent yet, ... */
  waitingOutputBytesMax: 256 * KiB,
  /**
   * ... or while so much was sent in this turn of the event loop, in which a DATA frame counts as no less than this: windows that
   * are opened byte by byte make very many of one byte.
   */
  turnBytesOfFrame: 64,
  /** ... and nothing more is read from a peer that has left so much of it unread. */
  unsentBytesMax: 1 * MiB,
  /** ... or `outputBytes` of it, while all connections of the process hold more than this, as memory. */
  ampleUnsentBytesOfAll: 64 * MiB,
  /** ... and none before the last is sent, while it is more than this: so thousands that do read have their part. */
  scarceUnsentBytesOfAll: 96 * MiB,
  /**
   * They hold no more than this, what TLS keeps encrypted included: for what would be beyond it connections are cut, the one first
   * that has not read for longest.
   */
  unsentBytesOfAllMax: 128 * MiB,
  /** Streams whose bodies wait take turns by so much. */
  chunkBytesMax: 16 * KiB,
  /** The requests of one connection that are begun in one turn of the event loop, ... */
  requestsInTurnMax: 128,
  /** ... unless those before have taken so long already: each may be one that looks at much. */
  requestsInTurnMsMax: 5,
  /**
   * When a connection has read so much in one turn, others have theirs: of a socket that is always full Node reads 2 MiB, which a
   * client that follows watches takes 30 ms to make messages of.
   */
  readInTurnBytesMax: 128 * KiB,
  /**
   * Streams that the peer reset before their response began, or that were reset since it broke a rule: so many at once, and so
   * many a second.
   */
  resetsBurst: 1000,
  resetsPerSecond: 33,
  /**
   * Frames that bring nothing (PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA, unknown ones): so many at once, so many a
   * second, and so many more for each frame of a stream that the peer was sent. Clients measure the way by pings while replies come.
   */
  idleFramesBurst: 1000,
  /** ... of which each connection has some at its beginning: SETTINGS, their acknowledgement, windows that are opened. */
  beginningFrames: 4,
  idleFramesPerSecond: 100,
  idleFramesPerFrameSent: 10,
  /** SETTINGS that change the windows of streams count for one more for each so many streams that are open. */
  windowsForIdleFrame: 32,
  /**
   * Of those more that are no WINDOW_UPDATE: at most so many a second, whatever was sent. A client that pings once for each call,
   * as Go's does, makes some 10,000.
   */
  earnedFramesBurst: 50_000,
  earnedFramesPerSecond: 50_000,
  /**
   * A request that was answered before its end may go on for so long, and so many bytes of it are dropped, before it is reset:
   * some clients lose an answer that a reset follows.
   */
  answeredRequestMs: 2000,
  answeredRequestBytesMax: 1 * MiB,
  /** A connection on which no stream is open any more keeps room for half of so many. */
  streamSlotsKeptMax: 128,
  /** The entries of one SETTINGS frame. */
  settingsEntriesMax: 64,
  /** The last streams that were reset from here are remembered: what the peer had sent on them by then is no error. */
  resetsRemembered: 256,
  /** The text in GOAWAY that says why. */
  debugBytesMax: 1 * KiB,
  /** A peer that was sent the end of the connection may take so long to close, ... */
  lingerMs: 3000,
  /** ... before that, so long between two times at which its socket takes some of what is left, 64 KiB of it or less, ... */
  lingerStalledMs: 15_000,
  /** ... and so long for all of it. */
  lingerMsMax: 120_000,
  /** The streams that a client takes a server to allow until it has said. RFC 9113, section 6.5.2, asks for 100 at least. */
  streamsBeforeSettings: 100,
  /** ... and the most that it has on one connection, whatever the server allows. */
  streamsOfClientMax: 10_000,
} as const;

/** The limits an operator may set, by name. */
export type Limits = { readonly [name in keyof typeof defaults]: number };

/** Limits of the server that the operator may set; these are their defaults. The store knows nothing of them. */
export const serverDefaults = {
  /** The open connections. One more is closed at once. */
  connectionsMax: 10_000,
  /** ... and those of one address (of IPv6: of a /64) that is not this machine's. 0: any number. */
  connectionsPerAddressMax: 1000,
  /** What one user may do in a second, or one connection without a user; so much may be done at once. 0: any number. */
  operationsPerSecondMax: 0,
  /** ... and the bytes of its requests and replies. */
  bytesPerSecondMax: 0,
  /** The open streams of one HTTP/2 connection. */
  streamsPerConnectionMax: 1000,
  /** The calls under way on all connections, open streams included. */
  callsMax: 20_000,
  /** The longest request message, after decompression. JSON makes a value a third longer. */
  requestBytesMax: 48 * MiB,
  /** The keys and values in one reply message. */
  replyBytesMax: 64 * MiB,
  /**
   * The requests and replies that all calls together hold in memory. A request takes up to twice its length, since its buffer
   * doubles as it comes in: fifteen puts of the longest value, or eleven in JSON, have room, half as many of one connection.
   */
  callBytesMax: 512 * MiB,
  /** The headers of one request. */
  headerBytesMax: 16 * KiB,
  /** A connection is closed when its first bytes, its TLS handshake or a request's headers take longer than this. */
  handshakeTimeoutMs: 10_000,
  /** The time from the headers of a request to its last byte; in a stream of requests from the first byte of each message. */
  requestTimeoutMs: 60_000,
  /** How long an HTTP/1.1 connection is kept open without a request. */
  idleTimeoutMs: 75_000,
  /**
   * A connection of this age is closed once its calls are done, so that clients behind a load balancer spread anew; a tenth
   * more or less. 0: none is.
   */
  maxConnectionAgeMs: 0,
  /** How long calls under way, and then a snapshot, may take to finish when the server stops. */
  shutdownTimeoutMs: 10_000,
} as const;

/** The limits of the server, by name. */
export type ServerLimits = { readonly [name in keyof typeof serverDefaults]: number };

/** A limit that the operator may set: `memoryBytesMax` of a store has no fixed default, and so stands in no table. */
export type SettableLimit = keyof Limits | keyof ServerLimits | 'memoryBytesMax';

/**
 * The option of `kelp serve` that sets a limit. `valueBytesMax` is set by `value-bytes-max`; a time is written with its
 * unit, so `historyAgeMs` by `history-age`.
 */
export function limitOptionName(limit: SettableLimit): string {
  if (limit === 'memoryBytesMax') return 'memory-limit';
  return limit.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/**
 * A limit as errors name it, so that it can be raised: `txn-bytes-max (option txnBytesMax)`, the option of `kelp serve` and
 * that of `openStore`. Limits of the server have only the former: `calls-max`.
 */
export function limitName(limit: SettableLimit): string {
  const name = limitOptionName(limit);
  return limit in serverDefaults ? name : `${name} (option ${limit})`;
}

/** Limits of `kelp shell`. */
export const shell = {
  /** A line of a script, which may hold the longest value, quoted. */
  lineBytesMax: 64 * MiB,
  /** Lines that were typed or pasted while a command runs; input is not read on before they have had their turn. */
  waitingLinesMax: 1000,
  /** The file of the history is put aside when it has so many lines, in place of the one before; so many are remembered. */
  historyLinesMax: 1000,
  /** A longer line is not remembered. */
  historyLineCharactersMax: 4096,
  /** A file of the history that is longer was not written by the shell, and is put aside unread. */
  historyFileBytesMax: 16 * MiB,
  /** A lock on the history that is older was left by a process that was killed. */
  historyLockMsMax: 60_000,
  /** What is looked at to complete a key, and for how long. */
  completionKeysMax: 200,
  completionMs: 2000,
  /** The keys that SCAN shows if it is not said how many. */
  scanKeysDefault: 100,
  /** The watches of one shell. */
  watchesMax: 32,
  /** The keys and values that a transaction gathers before its COMMIT. */
  transactionBytesMax: 32 * MiB,
  /** The keys that are looked at to tell why a COMMIT was aborted. */
  changedKeysMax: 100,
} as const;

/** Limits of the server that never change at run time. */
export const serverFixed = {
  /** The header `authorization`: a password of 1024 bytes and a name, in Base64, have some 2,000. */
  authorizationCharactersMax: 4096,
  /** A request message of the services whose requests are small by nature: leases, admin, health, reflection. */
  smallRequestBytesMax: 16 * KiB,
  /** ... and of access: a user with the most roles, whose names are the longest. */
  accessRequestBytesMax: 64 * KiB,
  /** The fields and items in one request; the largest transaction has about 190,000. */
  requestPartsMax: 250_000,
  /** The characters of one request in JSON that are not in its texts: numbers, punctuation, white space. */
  jsonSyntaxBytesMax: 8 * MiB,
  /** A deadline that is further away counts as none; a timer can't be set for much longer. */
  deadlineMsMax: 24 * 24 * 60 * 60 * 1000,
  /** An error's text goes into a header, so it is cut to this many characters. */
  errorMessageCharactersMax: 1024,
  /**
   * A call that is refused is told so when its request has ended, or after this long; at once while so many wait for that. They
   * come on top of `callsMax`.
   */
  refusedRequestMs: 1000,
  refusedCallsMax: 1000,
  /**
   * A stream of batches (Pipeline) takes the next one while so many are under way at most, and their results hold so many bytes
   * of entries at most.
   */
  pipelineBatchesMax: 16,
  pipelineHeldBytesMax: 1 * MiB,
  /**
   * What the pipelines of all streams do in one turn of the event loop before others have theirs: visits, one for each key that an
   * operation names, and bytes of requests and of values that are read. An operation that fails takes some times as long as one
   * that does not, and pays so many visits more.
   */
  pipelineTurnVisitsMax: 2048,
  pipelineTurnBytesMax: 4 * MiB,
  pipelineFailureVisits: 7,
  /** In a batch that is longer the operations are counted before they are read; a shorter one has too few to take long. */
  pipelineUncountedBytes: 64 * KiB,
  /**
   * A message in JSON is sent in pieces of so many bytes. A value of so many bytes becomes base64 with them, a shorter one with
   * the message.
   */
  jsonPieceBytes: 256 * KiB,
  jsonLongValueBytes: 1 * KiB,
  /** The body of a reply over REST is written in pieces of so many bytes, each when the client has taken the one before. */
  restPieceBytes: 256 * KiB,
  /** One over HTTP/1.1 that is no longer goes with its head. */
  restJoinedBytesMax: 4 * KiB,
  /**
   * A reader of Server-Sent Events comes again after so long when its stream has ended, or could not begin, ...
   */
  eventsRetryMs: 1000,
  /** ... and after so long when a limit was reached. */
  eventsRefusedRetryMs: 5000,
  /**
   * Of the keys that are read and written a sample is looked at for the busiest prefixes: what these begin with up to the first
   * separator in so many bytes. The counts of so many prefixes are kept, for reads and for writes, over so long; and after so many
   * samples in that time half as many are taken.
   */
  prefixBytesMax: 64,
  prefixesMax: 128,
  prefixWindowMs: 10_000,
  prefixSamplesMax: 4096,
  /** The upper bounds, in seconds, by which durations of calls and flushes are counted: from a get in memory to a deadline. */
  callDurationBounds: [
    0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
    2.5, 5, 10,
  ],
  /** How often it is seen how late the event loop is, and for how long after that was asked for. */
  loopDelayEveryMs: 20,
  loopDelayAskedMs: 10_000,
  flushDurationBounds: [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  ],
  snapshotDurationBounds: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600],
  /** ... and those for batches of the log: records, and bytes. */
  batchRecordsBounds: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16_384],
  batchBytesBounds: [
    256,
    KiB,
    4 * KiB,
    16 * KiB,
    64 * KiB,
    256 * KiB,
    MiB,
    4 * MiB,
    16 * MiB,
    64 * MiB,
    256 * MiB,
  ],
  /** What clients may bring about in the log without rights: in so long one line for each that does something, and so many of all. */
  auditWindowMs: 60_000,
  auditRareLinesMax: 100,
  /** A path is quoted in an error up to this many characters. */
  pathCharactersMax: 200,
  /** Of `callBytesMax` the requests of one connection fill no more than this, so that those of others have room. */
  requestsOfConnectionShareMax: 1 / 2,
  /**
   * ... and the requests of all whose password is being checked no more than this. Of `callsMax` those, and streams that are for
   * everybody, have no more than that.
   */
  strangerBytesShareMax: 1 / 8,
  strangerCallsShareMax: 1 / 4,
  /** A reply that its client has not read for this long is cut when memory for calls runs out, or `callsMax`, the oldest first. */
  stalledReplyMs: 5000,
  /** When the server stops, a stream that its client does not read is cut after this long. */
  stalledStreamGraceMs: 1000,
  /** A connection on which nothing came for this long is probed by TCP. */
  tcpKeepAliveMs: 60_000,
  /** That a client came with TLS to a port without it, or without to one with it, is logged at most this often; so are web pages that are refused. */
  refusedClientLogMs: 60_000,
  /** So much of the subject of a client's certificate that is not valid is logged. */
  loggedSubjectCharactersMax: 200,
  /** A longer file of a certificate, a key or authorities is none; and how often it is looked whether one has changed. */
  tlsFileBytesMax: 1 * MiB,
  tlsFilesCheckMs: 5000,
  /** A certificate of the server that expires sooner is warned of. */
  certificateWarningMs: 14 * 24 * 60 * 60 * 1000,
  /** How long a browser may keep what a page of another origin may send; Chromium keeps nothing longer. */
  preflightAgeMs: 7_200_000,
  /**
   * Spans that wait to be sent to `--otlp-endpoint` (some 2 KiB each), and those of one message, which goes out after this time at
   * the latest and is given up after that. When the server stops it waits this long for the last.
   */
  spanQueueMax: 4096,
  spanBatchMax: 512,
  spanBatchDelayMs: 1000,
  spanExportMsMax: 10_000,
  spanFlushMsMax: 3000,
  /** That spans were lost is logged at most this often. */
  spanLossLogMs: 60_000,
  /** What the calls of a connection that has reached its age may take to finish before they are broken off. */
  connectionAgeGraceMs: 10_000,
  /**
   * What a client may send on one stream of HTTP/2, and on all streams of a connection, before it is taken. Enough to keep a
   * connection busy whose round trip takes some milliseconds; what is not taken by then is held in memory. What of that is
   * charged to its call counts on its stream alone: `requestsOfConnectionShareMax` bounds it.
   */
  streamWindowBytes: 256 * KiB,
  connectionWindowBytes: 1 * MiB,
  /** What a piece of a body that waits to be read takes beside its bytes: a peer may send one byte at a time. */
  waitingPieceBytes: 200,
  /** How long a connection may take to send its last bytes, once no call is under way and the server stops. */
  connectionLingerMs: 1000,
  /** How long a client that was turned away may take to read why. */
  refusalLingerMs: 1000,
  /** Connections that are too many of one address: so many at a time are told so, once it is known what they speak. */
  toldConnectionsMax: 64,
  /** What one call, or many at once, cost more than a user may have in a second holds it up for no longer than this. */
  rateDebtMsMax: 10_000,
  /** So long those of its calls that were refused may begin before batches that wait do; below the second that a bucket holds. */
  rateCallsTurnMs: 500,
  /** The rates of so many users are kept before those are looked for that have done nothing of late. */
  idleRatesMax: 1024,
  /** How often the time limits of HTTP/1.1 connections are looked after. */
  connectionCheckMs: 1000,
  /** What of the log waits for its reader; lines beyond it are dropped. */
  logWaitingCharactersMax: 1 * MiB,
  /** When the server has stopped, its process waits this long for what keeps it: a reader of the log, a recovery. */
  exitGraceMs: 1000,
  /**
   * How often it is looked whether the event loop has rested, and the share of that time for which it may have been at work. If so,
   * garbage is collected: the young generation when it takes more than so much; ...
   */
  idleHeapCheckMs: 5000,
  idleBusyShareMax: 0.05,
  idleYoungBytesMax: 4 * MiB,
  /**
   * ... and all of the heap when it has grown by so much since, or as much has become free of it that V8 holds back, and holds no more
   * objects than that: a collection takes a millisecond or more for each MiB of them, and the releasing four.
   */
  idleHeapGrowthBytes: 8 * MiB,
  idleHeapUsedBytesMax: 64 * MiB,
  /** Of the time to stop so much is left for what follows the snapshot: the log is flushed and closed. */
  closeReserveMs: 1000,
  /** A signal so soon after the first is the same one, sent on by npm or a supervisor as well. */
  signalEchoMs: 500,
  /**
   * Of the files that the process may have open (`ulimit -n`), so many are not for connections, but never more than this
   * share. Node takes about 30; the store its locks, folders and newest segment (5), the next segment and `NEWEST` while they
   * are made, a snapshot, and one for each segment that watches read which fell behind: with the default retention 16.
   */
  openFilesReserve: 128,
  openFilesReserveShareMax: 3 / 4,
  /** A Range of etcd's API that has no more keys and bytes than so many is answered at once. */
  etcdShortRangeKeysMax: 256,
  etcdShortRangeBytesMax: 64 * KiB,
  /** The compares and operations of a transaction of etcd's API, of both branches and all that is nested in them. */
  etcdTxnOperationsMax: 10_000,
  /** What etcd grants at least, as its servers come, and at most, in seconds. */
  etcdLeaseTtlSecondsMin: 2,
  etcdLeaseTtlSecondsMax: 9_000_000_000,
  /** The watches of one stream of etcd's API; those of them that make messages at once, each of which takes memory. */
  etcdWatchesPerStreamMax: 10_000,
  etcdWatchesAtWorkMax: 16,
  /** The answers that wait to be sent on such a stream before the next request is read. */
  etcdWatchAnswersMax: 64,
  /** How often a watch comes to a progress message that its client does not want. */
  etcdUntoldProgressMs: 24 * 60 * 60 * 1000,
  /**
   * The places at which scans of Redis clients go on (SCAN, HSCAN, ...), of all clients, and the bytes of their keys; when there
   * are more the oldest are forgotten, and such a scan begins anew.
   */
  scanCursorsMax: 65_536,
  scanCursorBytesMax: 16 * MiB,
  /** So many patterns of scans are kept ready, each of so many bytes at most: a scan gives its pattern with every call. */
  scanGlobsMax: 64,
  scanGlobBytesMax: 256,
  /**
   * A command of the Redis protocol: its words, a line that is no word (or all of it, where it comes without lengths), and its bytes
   * while it comes in. The longest word is the longest value and so many bytes.
   */
  redisWordsMax: 1024 * 1024,
  redisLineBytesMax: 64 * KiB,
  redisCommandBytesMax: 96 * MiB,
  redisWordBytesAboveValue: 64 * KiB,
  /** ... of a client that has not shown who it is. */
  redisStrangerWordsMax: 10,
  redisStrangerWordBytesMax: 16 * KiB,
  /** What all clients of Redis have sent that is not a whole command yet, or waits in MULTI or in a command that blocks; and the keys that they watch. */
  redisInputBytesMax: 512 * MiB,
  /** What MULTI queues for one client. */
  redisQueuedCommandsMax: 100_000,
  redisQueuedBytesMax: 64 * MiB,
  /** The keys that one client may watch (WATCH), and their bytes. */
  redisWatchedKeysMax: 100_000,
  redisWatchedBytesMax: 4 * MiB,
  /**
   * Nothing more is read of a client of Redis that has left so many bytes of replies unread; with more than that, or for longer, it is
   * cut. One that gets messages of pub/sub is cut sooner. The unread bytes of all together: beyond it who adds to them is cut.
   */
  redisUnreadBytesPaused: 1 * MiB,
  redisUnreadBytesMax: 128 * MiB,
  redisUnreadPushedBytesMax: 32 * MiB,
  redisUnreadMs: 60_000,
  redisUnreadBytesOfAllMax: 512 * MiB,
  /** What the long replies of all clients have gathered and keep until they are sent (searches by place, combinations, SORT): the next one is refused. */
  redisHeldBytesMax: 256 * MiB,
  /** What a follower passes on of a connection: so many bytes may lie unread by the client. */
  redisRelayedBytesPaused: 256 * KiB,
  /** How often clients are looked after that take, send or show nothing. */
  redisClientCheckMs: 1000,
  /** Replies that wait for the disk, of one client, before nothing more is read of it. */
  redisWaitingBytesPaused: 4 * MiB,
  /** ... and of all together: beyond it no command begins whose reply would have to wait, too. */
  redisWaitingBytesOfAllPaused: 64 * MiB,
  /** So many plain calls of a client of Redis that stand one behind the other go through the store together. */
  redisRowCallsMax: 64,
  /** ... while commands are not told of as slow that take less than this, of which each is measured. */
  redisMeasuredMicrosMax: 1000,
  /** Of a long reply to a Redis client a piece looks at so many elements at most, before others have their turn. */
  elementsPerSlice: 1000,
  /** Of a stream a client that has waited is told so many entries, unless its command says how many (COUNT). */
  streamWaitedEntries: 1000,
  /** The elements that SORT takes at most: they are sorted in one piece, which takes some 50 ms. */
  sortedElementsMax: 50_000,
  /** What one Redis client may listen to: channels, patterns and shard channels; and what all of that takes in memory. */
  redisSubscriptionsMax: 10_000,
  redisSubscriptionBytesMax: 16 * MiB,
  /** Patterns of all clients that differ: each is looked at for each message, some 50 ns. And their bytes, of which one takes 32 when compiled. */
  redisPatternsMax: 1000,
  redisPatternBytesMax: 1 * MiB,
  /** Messages, and lines of MONITOR, that a client has not read: with more of them it is broken off. */
  redisPubsubUnsentBytesMax: 32 * MiB,
  /** Messages that wait until what was decided before them is durable. */
  redisPubsubWaitingBytesMax: 64 * MiB,
  /** Messages that waited and are sent in one turn of the event loop. */
  redisPubsubSentPerTurnMax: 5000,
  /**
   * Client-side caching: keys that are known to be in a cache of a client, unless CONFIG says otherwise, and what they take in memory with
   * the clients of each. Beyond it some are told as changed.
   */
  redisTrackedKeysDefault: 1_000_000,
  redisTrackedBytesMax: 256 * MiB,
  /** The prefixes of all clients that are told of all keys, where they differ: each is looked at for each key that changes. And their bytes. */
  redisTrackedPrefixesMax: 1000,
  redisTrackedPrefixBytesMax: 1 * MiB,
  /** A call, or a transaction, that reads more is noted as all keys, so that its client keeps none. */
  redisTrackedKeysPerCallMax: 10_000,
  /**
   * A transaction for which more keys, prefixes and clients are to be looked at, and a client that comes when all are owed more bytes of
   * names: that is told as all keys.
   */
  redisInvalidationVisitsMax: 50_000,
  redisOwedInvalidationBytesMax: 16 * MiB,
  /** ACL DELUSER: names of one call. ACL SETUSER: words of one call. ACL LIST: bytes of its lines. */
  redisAclDeletedMax: 100,
  redisAclRulesMax: 1000,
  redisAclListBytesMax: 4 * MiB,
  /** The name that a client gives itself, and its library's. */
  redisClientNameBytesMax: 1 * KiB,
  /** ACL LOG: its length, bytes of what is told of a denial, and characters of the line of the client. */
  redisDeniedLogLengthDefault: 128,
  redisDeniedLogLengthMax: 4096,
  redisDeniedObjectBytesMax: 256,
  redisDeniedClientBytesMax: 4 * KiB,
  /** SLOWLOG: its length, ... */
  redisSlowLogLengthDefault: 128,
  redisSlowLogLengthMax: 4096,
  /** ... how long a command takes that is kept, and what is kept of its words, as Redis does it. */
  redisSlowerThanMicrosDefault: 10_000,
  redisSlowLogWordsMax: 32,
  redisSlowLogWordBytesMax: 128,
  /** The clients that MONITOR at a time, and what of the words of a command is shown to them. */
  redisMonitorsMax: 16,
  redisMonitorLineBytesMax: 4 * KiB,
  /** DEBUG SLEEP, which holds up the connection that asks for it. */
  redisDebugSleepMsMax: 10_000,
  /**
   * What one run of a script may use: steps, of which each iteration of a loop and each call is one or, where it is long, more; bytes of all
   * strings and tables that it makes; and slots of 8 bytes of the stack, of which V8 has 984 KiB.
   */
  luaStepsMax: 20_000_000,
  luaBytesMax: 256 * MiB,
  luaStackSlotsMax: 70_000,
  /** The source of a script, which takes some 200 ms to compile where it is dense; how deep its blocks and expressions may lie in each other, and Lua's own limits for one function. */
  luaSourceBytesMax: 64 * KiB,
  luaNestingMax: 200,
  luaLocalsMax: 200,
  luaUpvaluesMax: 60,
  /** Of a function in Lua: its variables, and the values of a list that it evaluates. */
  luaRegistersMax: 250,
  /** How many parts of a pattern may wait for what follows them, and how deep JSON and MessagePack may be nested. */
  luaPatternDepthMax: 1_000,
  luaNestedValuesMax: 1_000,
  /** The codes of errors that are counted apart. */
  redisErrorCodesMax: 128,
  /** The scripts that can be called by their SHA-1, and the bytes of their texts and codes: beyond it those go that were used longest ago. */
  redisScriptsMax: 10_000,
  redisScriptBytesMax: 32 * MiB,
  /** How deep the tables may lie in each other that a script returns. */
  redisScriptReplyDepthMax: 1000,
  /** A line that a script writes to the log. */
  redisScriptLogBytesMax: 1 * KiB,
  /**
   * The libraries of functions that a store has, the functions of all of them and the bytes of their texts, names and descriptions; the
   * name of one, and what a function says of itself.
   */
  redisLibrariesMax: 256,
  redisFunctionsMax: 4096,
  redisLibraryBytesMax: 1 * MiB,
  redisFunctionNameBytesMax: 128,
  redisFunctionDescriptionBytesMax: 4 * KiB,
  /** What the text of a library may take as it runs to register them. */
  redisLibraryLoadStepsMax: 1_000_000,
  redisLibraryLoadBytesMax: 4 * MiB,
  /** What calls of functions may take together, with what they are called with, until what libraries keep in variables of their own is forgotten: none of it may have become garbage. */
  redisLibraryStateBytesMax: 256 * MiB,
} as const;
