/** How far long work has come. */
export interface Progress {
  /** What is being done, such as "reading the log". */
  readonly work: string;
  readonly doneBytes: number;
  /** 0 when it is not known. */
  readonly totalBytes: number;
}

/** Called often; whoever shows it takes what it needs. */
export type OnProgress = (progress: Progress) => void;
