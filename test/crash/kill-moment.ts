/**
 * Loaded first by a server: it kills its process in the middle of what the engine does with its files. With `lsm` and `bitcask` that is a call
 * of the disk, with `btree` an order to the thread that writes, which is at it then.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';

/** `giveBack` is a step of a compaction of `btree`, whose merges have no other. */
export type Moment = 'write' | 'commit' | 'giveBack';

export interface KillOrder {
  readonly moment: Moment;
  /** How many calls of that kind are made before, from now on. */
  readonly after: number;
  /** Whether the call itself is made. */
  readonly isMade: boolean;
  /** How long the process stands still before it is gone, while its threads go on. */
  readonly micros: number;
}

let order: KillOrder | undefined;
let left = 0;

/** A call of that kind is to be made. */
function meet(moment: Moment, make: () => void): void {
  if (order?.moment !== moment || left-- > 0) return make();
  if (order.isMade) make();
  const endMs = performance.now() + order.micros / 1000;
  while (performance.now() < endMs);
  process.kill(process.pid, 'SIGKILL');
}

const runs = new Set<number>();
const { open, write, rename } = fs;

const watchedOpen = (path: string, ...rest: unknown[]): void => {
  const done = rest.pop() as (error: Error | null, descriptor: number) => void;
  Reflect.apply(open, fs, [
    path,
    ...rest,
    (error: Error | null, descriptor: number) => {
      if (error === null && path.endsWith('.run')) runs.add(descriptor);
      else runs.delete(descriptor);
      done(error, descriptor);
    },
  ]);
};
const watchedWrite = (descriptor: number, ...rest: unknown[]): void => {
  const make = (): void => Reflect.apply(write, fs, [descriptor, ...rest]) as void;
  if (runs.has(descriptor)) meet('write', make);
  else make();
};
const watchedRename = (from: string, to: string, done: fs.NoParamCallback): void => {
  const make = (): void => rename(from, to, done);
  if (to.endsWith('/manifest')) meet('commit', make);
  else make();
};
Object.assign(fs, { open: watchedOpen, write: watchedWrite, rename: watchedRename });

/** As `thread-work.ts` has them. */
interface ThreadOrder {
  readonly kind?: string;
}

class WatchedWorker extends threads.Worker {
  override postMessage(...given: Parameters<threads.Worker['postMessage']>): void {
    const { kind } = given[0] as ThreadOrder;
    const make = (): void => super.postMessage(...given);
    if (kind === 'write' || kind === 'commit' || kind === 'giveBack') meet(kind, make);
    else make();
  }
}
Object.assign(threads, { Worker: WatchedWorker });
syncBuiltinESMExports();

process.on('message', (told: KillOrder) => {
  order = told;
  left = told.after;
  process.send?.('done');
});
// To be told something is no reason to stay.
process.channel?.unref();
