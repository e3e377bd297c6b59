/** What the verifying reader of any engine on disk tells of its files. */

/** A place in a file of an engine that is not as it was written. */
export interface BaseDamage {
  readonly file: string;
  readonly offset: number;
  readonly what: string;
  /** Whether a start comes upon it; else it is what needs the place that does. */
  readonly stopsStart: boolean;
}

export interface BaseFile {
  readonly file: string;
  readonly bytes: number;
  readonly isWhole: boolean;
  /** Versions and deletions that were read. */
  readonly recordCount: number;
}

/** What the verifying reader of an engine found. */
export interface BaseFiles {
  /** Of the state that the files hold; 0: nothing was committed, or it can't be read. */
  readonly revision: number;
  /** What was committed with it; `undefined`: it can't be read. */
  readonly notes: Uint8Array | undefined;
  /** Where the notes lie. */
  readonly notesPlace: { readonly file: string; readonly offset: number };
  readonly files: readonly BaseFile[];
  readonly damages: readonly BaseDamage[];
  /** Paths of files that the next start removes. */
  readonly leftOver: readonly string[];
}
