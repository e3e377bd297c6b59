/** What lies where in a data directory. */
export interface DataDirectory {
  /** The file whose lock says who owns the directory. */
  readonly lock: string;
  /**
   * The same once more, within the folder of the log: who removes `lock`, taking it for a leftover, does not let a second
   * process in by that.
   */
  readonly innerLock: string;
  /** The folder of the log segments. */
  readonly log: string;
  /** The file that names the newest log segment. */
  readonly newestSegment: string;
  /** The folder of the snapshots. */
  readonly snapshots: string;
  /** The file that names the engine; there is none with `memory`. */
  readonly engine: string;
  /** The folder of an engine on disk. */
  readonly base: string;
  /** There while `kelp restore` makes the directory; with it, what else lies there is not whole. */
  readonly restoring: string;
  /** There while a node of a cluster replaces its state by that of another one; with it, what else lies there is of no use. */
  readonly reset: string;
}

export function dataDirectory(path: string): DataDirectory {
  return {
    lock: `${path}/LOCK`,
    innerLock: `${path}/log/.lock`,
    log: `${path}/log`,
    newestSegment: `${path}/NEWEST`,
    snapshots: `${path}/snapshots`,
    engine: `${path}/ENGINE`,
    base: `${path}/base`,
    restoring: `${path}/restoring`,
    reset: `${path}/RESET`,
  };
}

/**
 * What may lie in a directory that counts as empty: hidden files (`.gitkeep`, `.nfs...`, `.DS_Store`), what a file system
 * puts into its root, and the server's own configuration.
 */
export function isPassedOver(name: string): boolean {
  return name.startsWith('.') || name === 'lost+found' || name === 'kelp.yaml';
}
