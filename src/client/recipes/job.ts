/** A job that a worker has taken. */
import type { Compare, KeyOperation } from '../../api.ts';
import { noOptions } from '../../arguments/shape.ts';
import { plainOptions } from '../calls/call-arguments.ts';
import { KelpError } from '../errors/error.ts';
import { refuse } from '../errors/refuse.ts';
import type { CallOptions } from '../messages/types.ts';
import type { Codec } from '../namespace/codec.ts';
import { decodeBy } from '../namespace/given-codec.ts';
import { answered } from './answered.ts';
import { nackOptions } from './arguments.ts';
import type { RecipeHost } from './host.ts';
import { type QueueKeys, claimKeysOf } from './queue-keys.ts';
import type { NackOptions } from './types.ts';

const ackOptions = plainOptions('ack');

/** What the store says of a job that was claimed. */
export interface ClaimedJob {
  readonly id: string;
  /** As it is in the store. */
  readonly bytes: Uint8Array;
  readonly attempt: number;
  /** The `createRevision` of its claim. */
  readonly token: number;
}

/** How often a job is taken at most, and how long it is kept when that is over. */
export interface Retirement {
  readonly attemptsMax: number;
  readonly deadTtlMs: number;
}

/** @internal */
export interface JobParts<Read> {
  readonly host: RecipeHost;
  readonly keys: QueueKeys;
  readonly codec: Codec<Read, never>;
  readonly retirement: Retirement;
  /** Of the worker's lease. */
  readonly signal: AbortSignal;
  /** The worker has given it back, or it was done. */
  readonly onSettled: () => void;
}

export class Job<Read> {
  /** Of its key in the queue. Ids sort in the order in which jobs were enqueued. */
  readonly id: string;
  /** How often it was taken, this time included. */
  readonly attempt: number;
  /** The fencing token of this attempt: that of a later one is higher. */
  readonly token: number;
  /**
   * Aborted when the lease of the worker is lost, or the client closed: another worker may have the job by now. What holds of a lock
   * (`Held`) holds of a job.
   */
  readonly signal: AbortSignal;
  readonly #parts: JobParts<Read>;
  readonly #bytes: Uint8Array;

  /** @internal */
  constructor(parts: JobParts<Read>, { id, bytes, attempt, token }: ClaimedJob) {
    this.id = id;
    this.attempt = attempt;
    this.token = token;
    this.signal = parts.signal;
    this.#parts = parts;
    this.#bytes = bytes;
  }

  /** Throws a `CodecError` when it holds something else: give such a job back, and it becomes a dead letter in the end. */
  get value(): Read {
    const { codec, keys } = this.#parts;
    return decodeBy(codec, keys.jobs + this.id, this.#bytes);
  }

  /** A condition for a transaction: that this worker still has the job when it runs. */
  get guard(): Compare {
    const { claim } = claimKeysOf(this.#parts.keys, this.id);
    return {
      subject: { key: claim },
      relation: 'equal',
      operand: { kind: 'createRevision', value: this.token },
    };
  }

  /**
   * What `ack` does, for a transaction of your own: with `guard` among its conditions the job is done and its effects are there, or neither.
   *
   * ```ts
   * await client.txn({ compares: [job.guard], success: [{ kind: 'increment', key: 'sum', delta: job.value }, ...job.done] });
   * ```
   */
  get done(): KeyOperation[] {
    const { keys } = this.#parts;
    const { claim } = claimKeysOf(keys, this.id);
    return [keys.jobs + this.id, keys.attempts + this.id, claim].map((key) => ({ kind: 'delete', key }));
  }

  /** The job is done, and goes. Rejects with `leaseNotFound` when this worker does not have it any more: another one has it, or will. */
  async ack(options: CallOptions = noOptions): Promise<void> {
    refuse(ackOptions(options));
    const { host, keys, onSettled } = this.#parts;
    const request = {
      compares: [this.guard],
      success: this.done,
      failure: [
        { kind: 'get', key: keys.jobs + this.id },
        { kind: 'get', key: keys.dead + this.id },
      ],
    } as const;
    const { succeeded, results } = await answered(
      host.caller,
      () => host.keys.txn(request, options),
      options.signal,
      options.deadlineMs,
    );
    onSettled();
    // Without a job it is done: a try before this one was without an answer.
    if (succeeded || results.every((result) => result.kind === 'get' && result.entry === undefined)) return;
    throw new KelpError('leaseNotFound', `the job ${this.id} is not this worker's any more`, undefined);
  }

  /**
   * Gives the job back: it is taken again, by whichever worker, or becomes a dead letter when this was its last attempt. One that this worker does not
   * have any more is left as it is.
   */
  async nack(options: NackOptions = noOptions): Promise<void> {
    refuse(nackOptions(options));
    const { delayMs = 0, signal } = options;
    const { host, keys, onSettled, retirement } = this.#parts;
    const { claim, later } = claimKeysOf(keys, this.id);
    const giveBack: KeyOperation[] = [
      { kind: 'delete', key: claim },
      ...(delayMs > 0 ? [{ kind: 'put', key: later, value: '', ttlMs: delayMs } as const] : []),
    ];
    const success = this.attempt >= retirement.attemptsMax ? this.#buried() : giveBack;
    const request = { compares: [this.guard], success };
    await answered(host.caller, () => host.keys.txn(request, signal ? { signal } : {}), signal);
    onSettled();
  }

  /** @internal Makes a dead letter of it, unless the worker has lost it. */
  async bury(signal: AbortSignal): Promise<void> {
    const { host, onSettled } = this.#parts;
    const request = { compares: [this.guard], success: this.#buried() };
    await answered(host.caller, () => host.keys.txn(request, { signal }), signal);
    onSettled();
  }

  #buried(): KeyOperation[] {
    const { keys, retirement } = this.#parts;
    const dead = {
      kind: 'put',
      key: keys.dead + this.id,
      value: this.#bytes,
      ttlMs: retirement.deadTtlMs,
    } as const;
    return [...this.done, dead];
  }
}
