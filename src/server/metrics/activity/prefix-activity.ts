/**
 * Where the keys lie that are read and written most: a sample of the operations, counted by what their keys begin with, over the
 * last one to two windows of time. A prefix may be part of a secret, so it goes out by `AdminService.Activity` alone.
 *
 * On the way of a call it costs a number that is counted down. How far apart two samples are is drawn at random: keys that come in a
 * pattern are counted as others are. A sample counts for all operations since the one before. While little is done each operation
 * is a sample; the more is done, the further they are apart, so that they cost no more.
 */
import type { Random } from '../../../clock.ts';
import { serverFixed } from '../../../limits.ts';
import type { KeyObserver } from '../../../store/key-observer.ts';
import { Busiest } from './busiest.ts';

const { prefixBytesMax, prefixesMax, prefixWindowMs, prefixSamplesMax } = serverFixed;
const SLASH = 0x2f;
const COLON = 0x3a;
/** The keys of users end here; what follows is the store's. Above the first, a byte stands before them (`store/views/regions.ts`). */
const ESCAPE = 0xf8;
const OWN_KEYS = 0xf9;

export interface PrefixCounts {
  /** One character for each byte. */
  readonly prefix: string;
  readonly readCount: number;
  readonly writeCount: number;
}

interface Window {
  readonly beganMs: number;
  readonly reads: Busiest;
  readonly writes: Busiest;
}

export class PrefixActivity implements KeyObserver {
  readonly #random: Gaps;
  readonly #nowMs: () => number;
  #gap = 1;
  /** How far apart samples are on average. */
  #interval = 1;
  #samplesInWindow = 0;
  /** How many operations are left out before the next sample. */
  #left = 1;
  #window: Window | undefined;
  #before: Window | undefined;

  /** @param nowMs a clock that never goes back. */
  constructor(random: Random, nowMs: () => number) {
    this.#random = new Gaps(random);
    this.#nowMs = nowMs;
  }

  keyRead(key: Uint8Array): void {
    if (--this.#left === 0) this.#sample(key, false);
  }

  keyWritten(key: Uint8Array): void {
    if (--this.#left === 0) this.#sample(key, true);
  }

  /** The busiest first, with the time that they are of. */
  recent(): { readonly windowMs: number; readonly prefixes: readonly PrefixCounts[] } {
    const nowMs = this.#nowMs();
    this.#roll(nowMs);
    const windows = [this.#before, this.#window].filter((each) => each !== undefined);
    const byPrefix = new Map<string, { prefix: string; readCount: number; writeCount: number }>();
    const rowOf = (prefix: string): { readCount: number; writeCount: number } => {
      let row = byPrefix.get(prefix);
      if (row === undefined) byPrefix.set(prefix, (row = { prefix, readCount: 0, writeCount: 0 }));
      return row;
    };
    for (const { reads, writes } of windows) {
      for (const [prefix, count] of reads.counts) rowOf(prefix).readCount += count;
      for (const [prefix, count] of writes.counts) rowOf(prefix).writeCount += count;
    }
    const busyness = (row: PrefixCounts): number => row.readCount + row.writeCount;
    const prefixes = [...byPrefix.values()].sort((one, other) => busyness(other) - busyness(one));
    const beganMs = windows[0]?.beganMs ?? nowMs;
    return { windowMs: nowMs - beganMs, prefixes: prefixes.slice(0, 2 * prefixesMax) };
  }

  #sample(key: Uint8Array, isWrite: boolean): void {
    const weight = this.#gap;
    if (++this.#samplesInWindow % prefixSamplesMax === 0) this.#interval *= 2;
    this.#gap = this.#left = this.#random.next(this.#interval);
    if ((key[0] ?? 0) >= OWN_KEYS) return;
    const window = this.#roll(this.#nowMs());
    (isWrite ? window.writes : window.reads).add(prefixOf(key), weight);
  }

  /** Begins the next window when it is time. */
  #roll(nowMs: number): Window {
    const window = this.#window;
    if (window !== undefined && nowMs - window.beganMs < prefixWindowMs) return window;
    // The one before says nothing of now when nothing has come since.
    this.#before = window !== undefined && nowMs - window.beganMs < 2 * prefixWindowMs ? window : undefined;
    // What was about right goes on; where there was little to do, samples come closer again.
    const wanted = Math.ceil((this.#interval * this.#samplesInWindow) / prefixSamplesMax);
    this.#interval = Math.max(1, Math.min(this.#interval, wanted));
    this.#samplesInWindow = 0;
    this.#window = { beganMs: nowMs, reads: new Busiest(prefixesMax), writes: new Busiest(prefixesMax) };
    return this.#window;
  }
}

/** Up to the first separator, with it; empty: there is none near the beginning. One character for each byte. */
function prefixOf(key: Uint8Array): string {
  const start = key[0] === ESCAPE ? 1 : 0;
  const end = Math.min(key.length, start + prefixBytesMax);
  for (let at = start; at < end; at++) {
    if (key[at] === SLASH || key[at] === COLON) return String.fromCharCode(...key.subarray(start, at + 1));
  }
  return '';
}

/** Random numbers, cheaply (xorshift, Marsaglia 2003). */
class Gaps {
  #state: number;

  constructor(random: Random) {
    this.#state = Buffer.from(random.bytes(4)).readUInt32LE(0) | 1;
  }

  /** 1 to twice the average less 1. */
  next(average: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return 1 + ((state >>> 0) % (2 * average - 1));
  }
}
