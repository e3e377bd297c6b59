/** How far long work has come. */
export interface Progress {
  /** What is being done, such as "reading the log". */
  readonly work: string;
  readonly doneBytes: number;
  /** 0 when it is not known. */
  readonly totalBytes: number;
}

/** Called more often than anything can be shown: what shows it takes as much as it needs. */
export type OnProgress = (progress: Progress) => void;
