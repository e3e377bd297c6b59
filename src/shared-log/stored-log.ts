/**
 * The shared log over a storage. Its writes are one step each, "if the head is exactly this one, put that one and a record", which
 * may be tried as often as wanted:
 *
 * - done: it was this try.
 * - The head is another one. Then what lies at the record's place decides, which never changes: the very same record is one of
 *   an earlier try, since an epoch has one writer. Any other says that this place is taken for ever, so that no try that is still
 *   on its way can take effect.
 * - No answer: the same step again.
 */
import type { Clock, Random } from '../clock.ts';
import { assert } from '../errors.ts';
import { sharedLog as limits } from '../limits.ts';
import { Attempts } from './attempts.ts';
import { NONCE_BYTES, STORE_ID_BYTES, decodeHead, encodeHead, hexOf } from './head-format.ts';
import { missingAt, readRecords } from './log-reader.ts';
import { LogState } from './log-state.ts';
import type { Advance, Found, LogStorage } from './log-storage.ts';
import { decodeRecord, recordBehind } from './record-format.ts';
import type { LogBeginning, LogCall, LogHead, LogRecord, SharedLog } from './shared-log.ts';
import { SharedLogError } from './shared-log-error.ts';

export interface StoredLogOptions {
  readonly storage: LogStorage;
  readonly clock: Clock;
  readonly random: Random;
  /** That the log must have; left out: that of the head that is seen first. */
  readonly storeId?: Uint8Array | undefined;
}

export class StoredLog implements SharedLog {
  readonly #storage: LogStorage;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #attempts: Attempts;
  readonly #state: LogState;

  constructor({ storage, clock, random, storeId }: StoredLogOptions) {
    this.#storage = storage;
    this.#clock = clock;
    this.#random = random;
    this.#attempts = new Attempts(clock, random);
    this.#state = new LogState(storeId);
  }

  init(storeId: Uint8Array, call: LogCall = {}): Promise<LogHead | 'exists'> {
    if (storeId.length !== STORE_ID_BYTES)
      throw new RangeError(`the id of a store has ${STORE_ID_BYTES} bytes`);
    const made: LogHead = {
      storeId,
      epoch: 0,
      position: 0,
      checksum: 0,
      logBytes: 0,
      nonce: this.#newNonce(),
    };
    return this.#attempts.until('make itself', call, async (signal) => {
      const found = await this.#storage.create(encodeHead(made), signal);
      if (found === 'done') return made;
      if (found.head === undefined) {
        throw new SharedLogError(
          'damaged',
          'there is no head, but something else lies where the shared log is to be made',
        );
      }
      // Another attempt in a race has drawn another one.
      return decodeHead(found.head).nonce === made.nonce ? made : 'exists';
    });
  }

  head(call: LogCall = {}): Promise<LogHead> {
    const read = async (signal: AbortSignal): Promise<LogHead> => {
      const { reached } = this.#state;
      return this.#state.headOf(await this.#storage.head(signal), reached);
    };
    return this.#attempts.until('tell its head', call, read, 'read');
  }

  append(after: LogHead, bytes: Uint8Array, call: LogCall = {}): Promise<LogHead | 'fenced'> {
    if (after.epoch === 0) throw new RangeError('there is no writer yet: take over before the first append');
    if (bytes.length === 0 || bytes.length > limits.batchBytesMax) {
      throw new RangeError(`a batch has 1 to ${limits.batchBytesMax} bytes, not ${bytes.length}`);
    }
    const { epoch, nonce } = after;
    const { record, head: stored } = recordBehind(after, { kind: 'batch', epoch, bytes }, nonce);
    const advance = advanceOf(after, stored, record);
    return this.#attempts.until('store a batch', call, async (signal) => {
      this.#state.learn(after);
      const found = await this.#storage.advance(advance, signal);
      if (found === 'done') return this.#learned(stored);
      return (await this.#isStored(record, after, found, signal)) ? stored : 'fenced';
    });
  }

  takeOver(seen: LogHead, address: string, call: LogCall = {}): Promise<LogHead | 'lost'> {
    const addressBytes = Buffer.byteLength(address);
    if (addressBytes === 0 || addressBytes > limits.addressBytesMax) {
      throw new RangeError(`an address has 1 to ${limits.addressBytesMax} bytes, not ${addressBytes}`);
    }
    const epoch = seen.epoch + 1;
    const { record, head: won } = recordBehind(seen, { kind: 'takeOver', epoch, address }, this.#newNonce());
    const advance = advanceOf(seen, won, record);
    return this.#attempts.until('change its writer', call, async (signal) => {
      this.#state.learn(seen);
      const found = await this.#storage.advance(advance, signal);
      if (found === 'done') return this.#learned(won);
      const head = this.#state.headOf(found.head, seen);
      // One that was won by an earlier try and is overtaken already is lost, too.
      return head.nonce === won.nonce && head.epoch === epoch ? won : 'lost';
    });
  }

  read(from: number, signal: AbortSignal): AsyncIterable<LogRecord> {
    if (!Number.isSafeInteger(from) || from < 1) throw new RangeError(`positions begin with 1, not ${from}`);
    const parts = {
      storage: this.#storage,
      clock: this.#clock,
      attempts: this.#attempts,
      state: this.#state,
    };
    return readRecords(parts, from, signal);
  }

  trim(before: number, call: LogCall = {}): Promise<void> {
    return this.#attempts.until('trim itself', call, async (signal) => {
      const { reached } = this.#state;
      const { position } = this.#state.headOf(await this.#storage.head(signal), reached);
      if (before > position) {
        throw new RangeError(`the newest record, ${position}, is not trimmed: not before ${before}`);
      }
      // From 1 on all below the head have lain there: where one is missing there is nothing below.
      if (before > 1) await this.#storage.trim(before, signal);
    });
  }

  beginning(call: LogCall = {}): Promise<LogBeginning> {
    const ask = async (signal: AbortSignal): Promise<LogBeginning> => {
      for (;;) {
        const { reached } = this.#state;
        const oldest = await this.#storage.oldest(signal);
        const head = this.#state.headOf(oldest.head, reached);
        if (head.position === 0) return { position: 1, bytesBefore: 0 };
        if (oldest.position === undefined) throw missingAt(head.position, oldest, head);
        const [first] = (await this.#storage.list(oldest.position, 1, signal)).records;
        // Else it was trimmed meanwhile.
        if (first !== undefined) return decodeRecord(first, head.storeId);
      }
    };
    return this.#attempts.until('tell where it begins', call, ask, 'read');
  }

  close(): void {
    this.#attempts.close();
    this.#storage.close();
  }

  /** What became of a record that was to be put behind a head, when that head is not the newest any more. */
  async #isStored(record: Uint8Array, after: LogHead, found: Found, signal: AbortSignal): Promise<boolean> {
    const head = this.#state.headOf(found.head, after);
    const position = after.position + 1;
    const isSameWriter = head.epoch === after.epoch && head.nonce === after.nonce;
    if (found.record !== undefined) {
      if (Buffer.compare(found.record, record) === 0) return true;
      if (!isSameWriter) return false;
      throw new SharedLogError('placeTaken', `another batch of this writer lies at position ${position}`);
    }
    // A place that another writer has not come to yet is one behind its head, not behind this one.
    if (head.position < position && !isSameWriter) return false;
    const error = missingAt(position, await this.#storage.oldest(signal), head);
    throw error.code === 'trimmed' ? error.leftOpen() : error;
  }

  #learned(head: LogHead): LogHead {
    this.#state.learn(head);
    return head;
  }

  #newNonce(): string {
    const bytes = this.#random.bytes(NONCE_BYTES);
    assert(bytes.length === NONCE_BYTES, 'as many bytes as were asked for');
    return hexOf(bytes);
  }
}

function advanceOf(before: LogHead, after: LogHead, record: Uint8Array): Advance {
  return { expected: encodeHead(before), head: encodeHead(after), position: after.position, record };
}
