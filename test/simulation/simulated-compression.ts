/**
 * zstd without the thread pool. The pool would end its work at instants that no seed decides; here the work is done at
 * once, and what it gives arrives when the schedule says so.
 */
import { syncBuiltinESMExports } from 'node:module';
import zlib from 'node:zlib';
import type { Schedule } from '../support/schedule.ts';

type OnBlock = (part: Buffer) => void;
type OnPlain = (error: Error | null, plain: Buffer) => void;

/** As much of a compressor's stream as snapshots use. */
class ScheduledCompressor {
  readonly #schedule: Schedule;
  readonly #options: zlib.ZstdOptions;
  #onData: OnBlock = () => undefined;
  #isDestroyed = false;

  constructor(schedule: Schedule, options: zlib.ZstdOptions) {
    this.#schedule = schedule;
    this.#options = options;
  }

  on(event: 'data' | 'error', listener: OnBlock): void {
    if (event === 'data') this.#onData = listener;
  }

  write(block: Uint8Array, done: (error: Error | null) => void): void {
    const { params } = this.#options;
    const compressed = zlib.zstdCompressSync(block, params && { params });
    this.#schedule(() => {
      if (this.#isDestroyed) return done(new Error('the compressor is closed'));
      this.#onData(compressed);
      done(null);
    });
  }

  destroy(): void {
    this.#isDestroyed = true;
  }
}

/** In the place of the thread pool; `undefined`: the pool works as ever. */
let schedule: Schedule | undefined;

/** Puts the schedule in the place of the thread pool, for this whole thread. @returns what undoes it. */
export function simulateCompression(newSchedule: Schedule): () => void {
  replacePool();
  schedule = newSchedule;
  return () => void (schedule = undefined);
}

const { createZstdCompress, zstdDecompress } = zlib;
let isPoolReplaced = false;

/** Gives functions of `node:zlib` to whoever has imported them, by name or not. That takes long, and is done once. */
function replacePool(): void {
  if (isPoolReplaced) return;
  isPoolReplaced = true;
  const functions = {
    createZstdCompress: (options: zlib.ZstdOptions) =>
      schedule === undefined ? createZstdCompress(options) : new ScheduledCompressor(schedule, options),
    zstdDecompress: (stored: Uint8Array, options: zlib.ZstdOptions, done: OnPlain) =>
      schedule === undefined
        ? zstdDecompress(stored, options, done)
        : decompress(schedule, stored, options, done),
  };
  for (const [name, value] of Object.entries(functions)) {
    Object.defineProperty(zlib, name, { value, configurable: true, enumerable: true });
  }
  syncBuiltinESMExports();
}

function decompress(schedule: Schedule, stored: Uint8Array, options: zlib.ZstdOptions, done: OnPlain): void {
  let plain = Buffer.alloc(0);
  let failure: Error | null = null;
  try {
    plain = zlib.zstdDecompressSync(stored, options);
  } catch (error) {
    failure = error as Error;
  }
  schedule(() => done(failure, plain));
}
