import type { Shard } from './shard.ts';

/** Versions that were cut off the end of a chain and are still to be dropped: the newest of them, which leads to the others. */
export interface CutTail {
  readonly shard: Shard;
  reference: number;
}
