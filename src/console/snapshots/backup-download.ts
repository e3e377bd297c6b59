/**
 * A backup that comes as a stream and is given to the browser as one file. It is put together of parts that the browser may keep on its disk
 * (`Blob`), so that the page itself holds a part of it in memory. What breaks off, is cancelled or is too long is thrown away: without its
 * end a backup is none.
 *
 *     none, failed, tooLong, saved --start--> running --the stream ends--> saved
 *                                               | cancel            --> none
 *                                               | an error          --> failed
 *                                               | more than allowed --> tooLong
 */
import { signal } from '@preact/signals';
import { type Failure, failureOf } from '../calls/failure.ts';
import { limits } from '../page/limits.ts';

type BackupState =
  | { readonly kind: 'none' | 'tooLong' }
  | { readonly kind: 'running' | 'saved'; readonly bytes: number }
  | { readonly kind: 'failed'; readonly failure: Failure };

interface BackupParts {
  open(signal: AbortSignal): AsyncIterable<{ readonly data: Uint8Array }>;
  /** Gives the whole file to the browser. */
  save(file: Blob): void;
  nowMs(): number;
}

interface BackupLimits {
  readonly backupBytes: number;
  readonly backupPartBytes: number;
  readonly progressMs: number;
}

export class BackupDownload {
  readonly state = signal<BackupState>({ kind: 'none' });
  readonly #parts: BackupParts;
  readonly #limits: BackupLimits;
  #running: AbortController | undefined;

  constructor(parts: BackupParts, given: BackupLimits = limits) {
    this.#parts = parts;
    this.#limits = given;
  }

  async start(): Promise<void> {
    if (this.#running !== undefined) return;
    const running = new AbortController();
    this.#running = running;
    this.state.value = { kind: 'running', bytes: 0 };
    try {
      const file = await this.#read(running.signal);
      if (running.signal.aborted) return;
      if (file === undefined) {
        running.abort();
        this.state.value = { kind: 'tooLong' };
      } else {
        this.#parts.save(file);
        this.state.value = { kind: 'saved', bytes: file.size };
      }
    } catch (error) {
      if (!running.signal.aborted) this.state.value = { kind: 'failed', failure: failureOf(error) };
    } finally {
      if (this.#running === running) this.#running = undefined;
    }
  }

  cancel(): void {
    if (this.#running === undefined) return;
    this.#running.abort();
    this.#running = undefined;
    this.state.value = { kind: 'none' };
  }

  /** @returns `undefined`: it is too long. */
  async #read(signal: AbortSignal): Promise<Blob | undefined> {
    const { backupBytes, backupPartBytes, progressMs } = this.#limits;
    const parts: Blob[] = [];
    let pieces: Uint8Array<ArrayBuffer>[] = [];
    let pieceBytes = 0;
    let bytes = 0;
    let toldAtMs = this.#parts.nowMs();
    for await (const { data } of this.#parts.open(signal)) {
      signal.throwIfAborted();
      bytes += data.length;
      if (bytes > backupBytes) return undefined;
      // A copy, so that the message it came in is not kept.
      pieces.push(new Uint8Array(data));
      pieceBytes += data.length;
      if (pieceBytes >= backupPartBytes) {
        parts.push(new Blob(pieces));
        [pieces, pieceBytes] = [[], 0];
      }
      const nowMs = this.#parts.nowMs();
      if (nowMs - toldAtMs >= progressMs) {
        toldAtMs = nowMs;
        this.state.value = { kind: 'running', bytes };
      }
    }
    return new Blob([...parts, ...pieces], { type: 'application/octet-stream' });
  }
}
