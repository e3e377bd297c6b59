/** What the page keeps and asks for at most. A tab may stay open for weeks, and the store may hold any number of keys. */
export const limits = {
  /** The keys of one page of a list, and the pages that it keeps: it drops those at its other end. */
  pageKeys: 500,
  keptPages: 20,
  /** The children of a folder that are shown at once, the calls that finding them may take, and the keys that one of these reads. */
  childrenAtOnce: 200,
  childCalls: 64,
  childKeys: 256,
  /** The rows of an unfolded tree. */
  treeRows: 20_000,
  /** Counts of folders that are asked for at the same time: a browser has six connections to a server. */
  countCalls: 3,
  /** A longer value is shown up to here; one that is longer than the second is not edited here. */
  shownBytes: 256 * 1024,
  editedBytes: 1024 * 1024,
  /** What was typed into forms that were left, of so many keys. */
  draftsMax: 10,
  /** Versions of one key that are looked up at once, and in all. */
  versionsAtOnce: 25,
  versionsMax: 500,
  /** Elements of a collection that are read at once, and that are kept. */
  elementsAtOnce: 500,
  elementsMax: 10_000,
  /** The leases of one page of their list, and those that it keeps. */
  pageLeases: 500,
  leasesMax: 10_000,
  /** Users, roles or tokens that are read at once, and that are kept of each. */
  accessAtOnce: 200,
  accessMax: 4096,
  /** Of the palette: lines of its history, answers that it shows, the text of one, keys that it lists, and what it offers. */
  paletteLines: 100,
  paletteAnswers: 50,
  answerCharacters: 64 * 1024,
  answerKeys: 1000,
  offers: 8,
  /** Lines of one text times those of the other, beyond which their difference is not made out. */
  diffPairs: 4_000_000,
  /** Changes that a watch keeps, and what it keeps of the value of each. */
  changes: 10_000,
  changeBytes: 4096,
  /** How often the figures of the server are read while they are in sight; so many points of them are kept, which is 15 minutes. */
  pollMs: 1000,
  chartPoints: 900,
  /** Methods that charts show, and that are kept; what further ones do counts in the sums alone. */
  chartMethods: 5,
  chartMethodsKept: 64,
  /** Of what fills the store: prefixes that are shown, entries of each end of them whose bytes are looked at, prefixes that are looked into. */
  fillRows: 12,
  fillSample: 8,
  fillSplits: 4,
  /** Files of an engine that are listed. */
  engineFiles: 100,
  /** A backup that is longer is not made here: a browser keeps it until it is whole. */
  backupBytes: 1024 * 1024 * 1024,
  /** A backup comes in pieces, which are put together to such as these, so that the browser can move them to its disk. */
  backupPartBytes: 16 * 1024 * 1024,
  /** How often what has come of it is told, and how long the browser may take to begin saving it. */
  progressMs: 200,
  savingMs: 60_000,
  /** A snapshot, a merge of the files of an engine, and a handover may take so long. */
  longCallMs: 600_000,
  /** A call that takes longer has failed. */
  callMs: 20_000,
  /** How long after a failure the server is tried again: the first time, and at most. */
  retryMsMin: 500,
  retryMsMax: 10_000,
} as const;
