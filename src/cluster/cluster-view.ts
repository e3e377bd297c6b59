/** What the doors of a node ask of its cluster. A store that is alone has none of this. */

export type Role = 'writer' | 'follower';

export interface ClusterView {
  readonly role: Role;

  /**
   * It follows a running server, and takes no part in a cluster: what is for the writer is not passed on but refused, with the address of
   * that server.
   */
  readonly isReadOnly: boolean;

  /** Where the writer's clients reach it, as it says itself (`--advertise`); '': it is not known now, an election may be under way. */
  readonly writerAddress: string;
  /** As that, of its clients of Redis; '' also where it serves none. Both are one text in the shared log: see `node-address.ts`. */
  readonly writerRedisAddress: string;

  /**
   * Resolves when reads of this node's visible state are linearizable: all that any node had acknowledged before this call is
   * visible here. One question to the shared log serves all that wait.
   * Rejects with `unavailable`-like StoreErrors (`logUnreachable`, `notWriter` once it was overtaken), or with the signal's reason.
   */
  readBarrier(signal?: AbortSignal): Promise<void>;

  /** Resolves when the visible revision has reached this one: for `min_revision`. Rejects with the signal's reason. */
  reached(revision: number, signal?: AbortSignal): Promise<void>;
}
