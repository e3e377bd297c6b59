/**
 * What one Redis command may do at most where Redis knows no limit, for `docs/redis.md`: measured with elements of some ten bytes,
 * and rounded down. `test/server/redis/services/redis-bounds.test.ts` holds each against what happens.
 */
import { fixed, serverFixed } from '../src/limits.ts';

interface RedisBound {
  /** As the page writes them. */
  readonly calls: string;
  readonly atMost: number;
  readonly of: string;
}

export const redisBounds = {
  membersStored: {
    calls: '`SUNIONSTORE`, `SINTERSTORE`, `SDIFFSTORE` of two sets; `ZUNIONSTORE`, `ZRANGESTORE`',
    atMost: 40_000,
    of: 'members of the result; of a union, where the sets share few',
  },
  scoredMembersStored: {
    calls: '`ZINTERSTORE`, `ZDIFFSTORE` of two sorted sets',
    atMost: 30_000,
    of: 'members of the result',
  },
  combined: {
    calls: '`ZUNION`, `ZINTER`, `ZDIFF`',
    atMost: fixed.combinedMembersMax,
    of: 'members gathered',
  },
  placesStored: {
    calls: '`GEOSEARCHSTORE`, `GEORADIUS … STORE`',
    atMost: 40_000,
    of: 'members found',
  },
  popped: {
    calls: '`ZPOPMIN`, `ZPOPMAX`, `ZMPOP`; `ZREMRANGEBYRANK`, `-SCORE` and `-LEX`',
    atMost: 40_000,
    of: 'members at a time',
  },
  drawn: {
    calls: '`SPOP` that leaves more than 50,000 members',
    atMost: fixed.txnChangesMax - 1,
    of: 'members at a time; one that leaves fewer, or none, any',
  },
  copied: {
    calls: '`COPY` of a hash or a set',
    atMost: 60_000,
    of: 'elements',
  },
  copiedScored: {
    calls: '`COPY` of a sorted set',
    atMost: 30_000,
    of: 'members',
  },
  dumped: {
    calls: '`DUMP` of a hash, a set, a sorted set or a stream',
    atMost: 100_000,
    of: 'elements, of a stream what is pending, too; of a list, more',
  },
  restored: {
    calls: '`RESTORE` of a hash, a set or a stream',
    atMost: 60_000,
    of: 'elements; what is pending in a stream counts as two',
  },
  restoredScored: {
    calls: '`RESTORE` of a sorted set',
    atMost: 40_000,
    of: 'members',
  },
  swapped: {
    calls: '`SWAPDB`',
    atMost: 40_000,
    of: 'keys of both databases',
  },
  moved: {
    calls: '`LINSERT`, `LREM` in the middle of a list',
    atMost: 400_000,
    of: 'elements of the list; near its ends, any',
  },
  compared: {
    calls: '`LCS` of two strings of one length',
    atMost: 2800,
    of: 'bytes of each',
  },
  sorted: {
    calls: '`SORT`, `SORT_RO`',
    atMost: serverFixed.sortedElementsMax,
    of: 'elements',
  },
  sortedByKeys: {
    calls: '`SORT … BY … STORE`, or `SORT … BY` within `EXEC`',
    atMost: 40_000,
    of: 'elements',
  },
  unitedSketches: {
    calls: '`PFCOUNT`, `PFMERGE`',
    atMost: 500,
    of: 'keys',
  },
  keysWatched: {
    calls: '`WATCH`',
    atMost: serverFixed.redisWatchedKeysMax,
    of: 'keys of one client',
  },
  changed: {
    calls: '`MSET`, `DEL`, `HSET`, `SADD`, `ZADD`, …, and all commands of a transaction together',
    atMost: fixed.txnChangesMax,
    of: 'keys, fields and members changed; one of a sorted set counts as two, and the collection itself as one',
  },
} as const satisfies Readonly<Record<string, RedisBound>>;

export const allRedisBounds: readonly RedisBound[] = Object.values(redisBounds);
