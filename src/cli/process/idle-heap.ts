/**
 * Gives memory of V8's heap back to the system while a server has nothing to do.
 *
 * A busy server fills V8's young generation, which grows to some 100 MB with its work, and leaves garbage in the old one. V8
 * collects both as new objects need their room, so once there are none it may keep all of it for hours: its own reducer of memory
 * begins only behind a full collection, looks at the old generation alone, and takes a server for busy whose last collection was in a
 * busy time. So this looks now and then whether the event loop has rested, and if so collects:
 *
 * - the young generation when it is large: 4 ms, since what lives there is little. It shrinks by that, and V8's reducer learns that
 *   nothing is allocated any more;
 * - all of the heap when it has grown much since it was last collected here: 30 ms with 25 MB of objects. The time depends on
 *   what lives, so a heap with many leases or watches is left to V8, which does the same work in short steps.
 *
 * V8 holds the pages that become free for its next need, and its reducer gives them back eight seconds later, if it comes. If they were
 * many, `release` sees to that at the next look: V8's last resort, some collections in a row, 70 to 100 ms with 25 MB of objects.
 */
import { performance } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock, Timer } from '../../clock.ts';
import { serverFixed } from '../../limits.ts';

export interface HeapBytes {
  /** What the young generation takes, ... */
  readonly young: number;
  /** ... all other spaces, ... */
  readonly old: number;
  /** ... and the objects in those, garbage among them. */
  readonly oldUsed: number;
}

/** The young generation, all of the heap, or that and what V8 holds beside it. */
export type Collection = 'minor' | 'major' | 'release';

export interface Heap {
  bytes(): HeapBytes;
  collect(collection: Collection): void;
}

export interface IdleHeapContext {
  readonly heap: Heap;
  readonly clock: Clock;
  /** The share of the time since it was last asked for in which the event loop was at work. */
  readonly busyShare: () => number;
}

/** Looks after the heap until it is cancelled. */
export function keepHeapSmall({ heap, clock, busyShare }: IdleHeapContext): Timer {
  /** The least that the old generation took since it was collected; none yet: what a start has left is collected, too. */
  let leastBytes = 0;
  /** What has become free of the heap since V8 was told to release what it holds. */
  let freedBytes = 0;
  let timer: Timer;
  const collect = (collection: Collection, { young, old }: HeapBytes): void => {
    heap.collect(collection);
    const after = heap.bytes();
    freedBytes += young + old - after.young - after.old;
    leastBytes = collection === 'minor' ? Math.min(leastBytes, after.old) : after.old;
  };
  const look = (): void => {
    timer = clock.setTimer(serverFixed.idleHeapCheckMs, look);
    if (busyShare() > serverFixed.idleBusyShareMax) return;
    const bytes = heap.bytes();
    const { young, old, oldUsed } = bytes;
    const hasGrown = old > leastBytes + serverFixed.idleHeapGrowthBytes;
    leastBytes = Math.min(leastBytes, old);
    const isShort = oldUsed <= serverFixed.idleHeapUsedBytesMax;
    if (hasGrown && isShort) {
      collect('major', bytes);
    } else if (young > serverFixed.idleYoungBytesMax) {
      collect('minor', bytes);
    } else if (freedBytes > serverFixed.idleHeapGrowthBytes && isShort) {
      collect('release', bytes);
      freedBytes = 0;
    }
  };
  timer = clock.setTimer(serverFixed.idleHeapCheckMs, look);
  return { cancel: () => timer.cancel() };
}

/** What `busyShare` of this process is. */
export function loopBusyShare(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}

interface CollectOptions {
  readonly type: 'minor' | 'major';
  readonly flavor?: 'last-resort';
}

const optionsOf: Readonly<Record<Collection, CollectOptions>> = {
  minor: { type: 'minor' },
  major: { type: 'major' },
  release: { type: 'major', flavor: 'last-resort' },
};

type Collect = (options: CollectOptions) => void;

/** That of this process. Its collections stop the process for as long as they take. */
export class V8Heap implements Heap {
  #collect: Collect | undefined;

  bytes(): HeapBytes {
    let young = 0;
    let old = 0;
    let oldUsed = 0;
    for (const space of getHeapSpaceStatistics()) {
      if (space.space_name.startsWith('new_')) {
        young += space.physical_space_size;
      } else {
        old += space.physical_space_size;
        oldUsed += space.space_used_size;
      }
    }
    return { young, old, oldUsed };
  }

  collect(collection: Collection): void {
    this.#collect ??= exposedCollect();
    this.#collect(optionsOf[collection]);
  }
}

/** V8 gives its collector to contexts that are made while it is told to. */
function exposedCollect(): Collect {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  return collect;
}
