/** What a node of a cluster tells its operator, for the log. Nothing here holds keys or values. */
export type ClusterEvent =
  /** The node is the writer now; the writer of the epoch before had been silent, or handed over, or there was none. */
  | {
      readonly kind: 'tookOver';
      readonly epoch: number;
      readonly position: number;
    }
  /** Another node has become the writer, which this one was: its store is closed and opened again, as a follower. */
  | { readonly kind: 'overtaken'; readonly error: Error }
  /** The disk of this node, the writer, has taken nothing for so long: the node writes no more, so that another one takes over. */
  | { readonly kind: 'diskStalled'; readonly stalledMs: number }
  /** This node was the writer, and lets another one be it. */
  | { readonly kind: 'handedOver'; readonly epoch: number }
  /** A follower has learned of a new writer; '': there is none now. */
  | { readonly kind: 'writerChanged'; readonly epoch: number; readonly writerAddress: string }
  /** The node has not held all of the shared log for so long; told when that begins to last, and again when it holds it. */
  | {
      readonly kind: 'lagging';
      readonly position: number;
      readonly logPosition: number;
      readonly lagMs: number;
    }
  | { readonly kind: 'caughtUp'; readonly position: number; readonly lagMs: number }
  /** What the node would need next is no longer in the shared log: it gets a snapshot from another node. */
  | { readonly kind: 'missedTrim'; readonly position: number; readonly firstPosition: number }
  /** What lies on the disk of the node is damaged, which the error tells: its state is had anew, from the log or from another node. */
  | { readonly kind: 'stateDamaged'; readonly error: Error }
  | {
      readonly kind: 'snapshotFetched';
      readonly address: string;
      readonly revision: number;
      readonly bytes: number;
    }
  /** The snapshot of another node could not be had; it is tried again. */
  | { readonly kind: 'fetchFailed'; readonly address: string; readonly error: Error }
  /** The shared log does not answer, or takes nothing; it is tried again. Told when that begins. */
  | { readonly kind: 'logUnreachable'; readonly error: Error }
  | { readonly kind: 'logReachable'; readonly afterMs: number }
  /** The records before a position were removed from the shared log, behind so many tries that had failed. */
  | { readonly kind: 'logTrimmed'; readonly before: number; readonly failureCount: number }
  /** Told when that begins; it is tried again. */
  | { readonly kind: 'trimFailed'; readonly error: Error }
  /** The shared log is nearly as long as it may be, or so long that writes are refused; `why` names the node that is missing. */
  | {
      readonly kind: 'logNearlyFull';
      readonly bytes: number;
      readonly bytesMax: number;
      readonly why: string;
    }
  | { readonly kind: 'logFull'; readonly bytes: number; readonly bytesMax: number; readonly why: string }
  /** The server that is followed does not answer, or does not give its records; it is tried again. Told when that begins. */
  | { readonly kind: 'serverUnreachable'; readonly address: string; readonly error: Error }
  /** It can't be followed, and its operator has to do something; it is tried again. Told when that begins. */
  | { readonly kind: 'serverRefused'; readonly address: string; readonly error: Error }
  /** It is followed now; told when that begins. */
  | { readonly kind: 'serverReachable'; readonly address: string; readonly afterMs: number }
  /** The writer could not be told how far this node is; it is tried again. Told when that begins. */
  | { readonly kind: 'reportFailed'; readonly address: string; readonly error: Error };
