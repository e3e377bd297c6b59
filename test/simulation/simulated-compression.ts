/**
 * zstd without the thread pool. The pool would end its work at instants that no seed decides; here the work is done at
 * once, and what it gives arrives when the schedule says so.
 */
import { syncBuiltinESMExports } from 'node:module';
import zlib from 'node:zlib';
import type { Schedule } from '../support/schedule.ts';

type OnBlock = (part: Buffer) => void;

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

/** Puts the schedule in the place of the thread pool, for this whole thread. @returns what undoes it. */
export function simulateCompression(schedule: Schedule): () => void {
  const { createZstdCompress, zstdDecompress } = zlib;
  const decompress = (
    stored: Uint8Array,
    options: zlib.ZstdOptions,
    done: (error: Error | null, plain?: Buffer) => void,
  ): void => {
    let plain: Buffer | undefined;
    let failure: Error | null = null;
    try {
      plain = zlib.zstdDecompressSync(stored, options);
    } catch (error) {
      failure = error as Error;
    }
    schedule(() => done(failure, plain));
  };
  const compressor = (options: zlib.ZstdOptions): ScheduledCompressor =>
    new ScheduledCompressor(schedule, options);
  replace({ createZstdCompress: compressor, zstdDecompress: decompress });
  return () => replace({ createZstdCompress, zstdDecompress });
}

/** Gives functions of `node:zlib` to whoever has imported them, by name or not. */
function replace(functions: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(functions)) {
    Object.defineProperty(zlib, name, { value, configurable: true, enumerable: true });
  }
  syncBuiltinESMExports();
}
