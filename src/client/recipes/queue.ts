/**
 * A queue of jobs that workers take, each by one at a time, in the order in which they were enqueued.
 *
 * A job that is not done when the lease of its worker ends, or that the worker gives back, is taken again: so each is run at least once, and
 * what it does must bear that, or be fenced by its token or `guard`. After some attempts it becomes a dead letter. The keys are in `queue-keys.ts`.
 */
import type { Value } from '../../api.ts';
import { named, text } from '../../arguments/check.ts';
import { noOptions } from '../../arguments/shape.ts';
import { client as limits } from '../../limits.ts';
import { type PagedList, refusedList } from '../../paged-list.ts';
import { plainOptions } from '../calls/call-arguments.ts';
import { KelpError } from '../errors/error.ts';
import { invalidArgument, refuse } from '../errors/refuse.ts';
import type { CallOptions, ListOptions } from '../messages/types.ts';
import { type Codec, json } from '../namespace/codec.ts';
import { decodeBy, encodeBy } from '../namespace/given-codec.ts';
import { answered } from './answered.ts';
import { deadLettersOptions, enqueueOptions, takeOptions } from './arguments.ts';
import { type Endable, endable } from './endable.ts';
import { type RecipeHost, newest } from './host.ts';
import type { Job, Retirement } from './job.ts';
import { giveUp, keptLease } from './leases.ts';
import { randomId } from './names.ts';
import { type QueueKeys, claimKeysOf, exists, jobIdOf, queueKeysOf } from './queue-keys.ts';
import type { EnqueueOptions, QueueOptions, WorkerOptions } from './types.ts';
import { Worker } from './worker.ts';

const countOptions = plainOptions('count');
const reviveOptions = plainOptions('revive');

/** A job that was taken too often. */
export interface DeadLetter<Read> {
  readonly id: string;
  /** Throws a `CodecError` when it holds something else. */
  readonly value: Read;
}

export class Queue<Read, Given = Read> {
  readonly name: string;
  readonly #host: RecipeHost;
  readonly #keys: QueueKeys;
  readonly #codec: Codec<Read, Given>;
  readonly #retirement: Retirement;
  #calls = 0;

  /** @internal */
  constructor(host: RecipeHost, name: string, options: QueueOptions<Read, Given>) {
    const { attemptsMax, deadTtlMs } = limits.recipes;
    this.name = name;
    this.#host = host;
    this.#keys = queueKeysOf(name);
    this.#codec = options.codec ?? json<Read, Given>();
    this.#retirement = {
      attemptsMax: options.attemptsMax ?? attemptsMax,
      deadTtlMs: options.deadTtlMs ?? deadTtlMs,
    };
  }

  /**
   * Puts a job into the queue, once, also when an answer was lost; resolves with its id. One that was enqueued before this call began is
   * taken before. Rejects with `limitReached` when 100,000 jobs are there; with `invalidArgument` when the codec can't write the value; with
   * an error that `mayHaveTakenEffect` when it could not be known in time whether it is there.
   */
  async enqueue(value: Given, options: EnqueueOptions = noOptions): Promise<string> {
    refuse(enqueueOptions(options));
    const { delayMs = 0, signal } = options;
    const bytes = encodeBy(this.#codec, value);
    const given = signal ? { signal } : {};
    const call = this.#calls++;
    const { count, revision } = await this.#host.keys.count(
      { prefix: this.#keys.jobs },
      { ...newest, ...given },
    );
    const { jobsMax } = limits.recipes;
    if (count >= jobsMax) {
      throw new KelpError(
        'limitReached',
        `the queue ${this.name} has ${count} jobs, and may have ${jobsMax}: wait until some are done`,
        undefined,
      );
    }
    const id = jobIdOf(revision, call, randomId());
    await answered(this.#host.caller, () => this.#put(id, bytes, delayMs, given), signal);
    return id;
  }

  async #put(id: string, value: Value, delayMs: number, options: CallOptions): Promise<void> {
    const { jobs, seen } = this.#keys;
    const { later } = claimKeysOf(this.#keys, id);
    await this.#host.keys.txn(
      {
        // The job itself may be done by the time of a second try.
        compares: [exists(seen + id, false)],
        success: [
          { kind: 'put', key: jobs + id, value },
          { kind: 'put', key: seen + id, value: '', ttlMs: limits.recipes.ownIdTtlMs },
          ...(delayMs > 0 ? [{ kind: 'put', key: later, value: '', ttlMs: delayMs } as const] : []),
        ],
      },
      options,
    );
  }

  /**
   * Takes one job after the other, and waits when there is none:
   *
   * ```ts
   * for await (const job of queue.take({ signal })) {
   *   await run(job.value, job.signal);
   *   await job.ack();
   * }
   * ```
   *
   * The reader may ask for the next one before it has done the last; with 100 neither done nor given back it waits. Leaving the loop, or
   * aborting `signal`, which ends it without an error, gives back at once what is not done. It throws what the lease was lost by: begin anew.
   */
  take(options: WorkerOptions = noOptions): Endable<Job<Read>> {
    const wrong = takeOptions(options);
    return endable(
      (ended) => this.#jobs(options, ended),
      wrong === undefined ? options.signal : undefined,
      wrong,
    );
  }

  async *#jobs(
    { ttlMs = limits.recipes.ttlMs }: WorkerOptions,
    ended: AbortSignal,
  ): AsyncGenerator<Job<Read>, undefined, undefined> {
    if (ended.aborted) return undefined;
    const host = this.#host;
    try {
      const lease = await keptLease(host, ttlMs, ended);
      try {
        const parts = { host, keys: this.#keys, codec: this.#codec, retirement: this.#retirement };
        const worker = new Worker(parts, { lease, signal: ended });
        for (;;) yield await worker.next();
      } finally {
        await giveUp(host, lease);
      }
    } catch (error) {
      if (ended.aborted) return undefined;
      throw error;
    }
  }

  /** How many jobs there are: those that wait, those that are put off, and those that workers have. */
  async count(options: CallOptions = noOptions): Promise<number> {
    refuse(countOptions(options));
    const { count } = await this.#host.keys.count({ prefix: this.#keys.jobs }, { ...newest, ...options });
    return count;
  }

  /** The jobs that were taken too often, in the order in which they were enqueued. */
  deadLetters(options: ListOptions = noOptions): PagedList<DeadLetter<Read>> {
    const wrong = deadLettersOptions(options);
    if (wrong !== undefined) return refusedList(invalidArgument(wrong));
    const { dead } = this.#keys;
    const codec = this.#codec;
    return this.#host.keys.scan({ prefix: dead }, { ...newest, ...options }).map(({ key, value }) => ({
      id: key.slice(dead.length),
      get value(): Read {
        return decodeBy(codec, key, value);
      },
    }));
  }

  /**
   * Makes a job of a dead letter again, in its old place and with all its attempts. @returns false when there is no such letter.
   */
  async revive(id: string, options: CallOptions = noOptions): Promise<boolean> {
    refuse(named('id', text(id)) ?? reviveOptions(options));
    const { keys, caller } = this.#host;
    const [dead, job] = [this.#keys.dead + id, this.#keys.jobs + id];
    const { entry } = await keys.get(dead, { ...newest, ...options });
    if (entry === undefined) return false;
    const unchanged = { kind: 'modRevision', value: entry.modRevision } as const;
    const request = {
      compares: [{ subject: { key: dead }, relation: 'equal', operand: unchanged }],
      success: [
        { kind: 'delete', key: dead },
        { kind: 'put', key: job, value: entry.value },
      ],
      // Where the answer to a first try was lost, it is a job by now.
      failure: [{ kind: 'get', key: job }],
    } as const;
    const { succeeded, results } = await answered(
      caller,
      () => keys.txn(request, options),
      options.signal,
      options.deadlineMs,
    );
    return succeeded || results.some((result) => result.kind === 'get' && result.entry !== undefined);
  }
}
