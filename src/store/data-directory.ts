/** What lies where in a data directory. */
export interface DataDirectory {
  /** The file whose lock says who owns the directory. */
  readonly lock: string;
  /** The folder of the log segments. */
  readonly log: string;
  /** The file that names the newest log segment. */
  readonly newestSegment: string;
  /** The folder of the snapshots. */
  readonly snapshots: string;
  /** There while `kelp restore` makes the directory; with it, what else lies there is not whole. */
  readonly restoring: string;
}

export function dataDirectory(path: string): DataDirectory {
  return {
    lock: `${path}/LOCK`,
    log: `${path}/log`,
    newestSegment: `${path}/NEWEST`,
    snapshots: `${path}/snapshots`,
    restoring: `${path}/restoring`,
  };
}
