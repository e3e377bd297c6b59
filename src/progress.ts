/** How far long work has come. */
export interface Progress {
  /** What is being done, such as "reading the log". */
  readonly work: string;
  readonly doneBytes: number;
  /** 0 when it is not known. */
  readonly totalBytes: number;
  /** Of work that knows how many keys there are, but not how many bytes: the keys so far, ... */
  readonly doneKeys?: number;
  /** ... and all; they may become more meanwhile. */
  readonly totalKeys?: number;
}

/** Called more often than anything can be shown: what shows it takes as much as it needs. */
export type OnProgress = (progress: Progress) => void;
