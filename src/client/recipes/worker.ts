/**
 * A worker of a queue: takes one job after the other, under one lease.
 *
 * It looks for jobs in their order and claims the first that has no claim, by a transaction. Where another worker was faster it goes on with the
 * next that it has seen, and looks anew when that has happened a few times.
 *
 * Workers that find nothing stand in a line, of which the first alone looks and watches: a job that comes wakes one worker, not all. When that one
 * has a job it leaves the line, and the next one looks.
 */
import { client as limits } from '../../limits.ts';
import { untilSettled } from '../../until-aborted.ts';
import { backoffMs } from '../calls/pace.ts';
import { incompleteReply, isKelpError } from '../errors/error.ts';
import type { WatchEvent } from '../messages/types.ts';
import { answered, mayHaveNoAnswer } from './answered.ts';
import { type GrantedLease, newest } from './host.ts';
import { type ClaimedJob, Job, type JobParts } from './job.ts';
import { type Line, Place, type Waiter, endOf, whyEnded } from './line.ts';
import { claimKeysOf, exists } from './queue-keys.ts';

type WorkerParts<Read> = Omit<JobParts<Read>, 'signal' | 'onSettled'>;

/** What a look at the queue has found, or from which revision on it is to be watched. */
interface Look {
  readonly ids: string[];
  readonly revision: number;
}

export class Worker<Read> {
  readonly #parts: WorkerParts<Read>;
  readonly #lease: GrantedLease;
  readonly #waiter: Waiter;
  readonly #ended: AbortSignal;
  readonly #idleLine: Line;
  /** Jobs that had no claim when it looked, in their order. */
  #seen: string[] = [];
  #openCount = 0;
  #onSettled = (): void => undefined;
  /** Of its jobs. */
  readonly #lost: AbortSignal;

  constructor(parts: WorkerParts<Read>, waiter: Waiter) {
    this.#parts = parts;
    this.#lease = waiter.lease;
    this.#waiter = waiter;
    this.#ended = endOf(parts.host, waiter);
    this.#lost = AbortSignal.any([waiter.lease.signal, parts.host.caller.closed]);
    this.#idleLine = { prefix: parts.keys.idle, width: 1 };
  }

  /** Resolves when there is one. Rejects with what the lease was lost by, `canceled` or `closed`. */
  async next(): Promise<Job<Read>> {
    try {
      await this.#room();
      const found = await this.#patiently(() => this.#find());
      return found.job ?? (await this.#wait());
    } catch (error) {
      throw whyEnded(this.#parts.host, this.#waiter) ?? error;
    }
  }

  /** Waits until there are few enough jobs that are neither done nor given back. */
  async #room(): Promise<void> {
    while (this.#openCount >= limits.recipes.openJobsMax) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onSettled = resolve;
      await untilSettled(promise, this.#ended);
    }
  }

  /** In the line of those that have found nothing. */
  async #wait(): Promise<Job<Read>> {
    const { host } = this.#parts;
    const place = await this.#patiently(() => Place.take(host, this.#idleLine, this.#waiter, ''));
    await place.turn();
    for (;;) {
      const { job, revision } = await this.#patiently(() => this.#find());
      if (job === undefined) {
        await this.#patiently(() => this.#changed(revision));
        continue;
      }
      await this.#patiently(() => place.leave());
      return job;
    }
  }

  /** @returns a job, or the revision behind which one may have come. */
  async #find(): Promise<{ readonly job: Job<Read> | undefined; readonly revision: number }> {
    for (;;) {
      const first = this.#seen.length === 0 ? await this.#look() : undefined;
      if (first !== undefined) {
        if (first.ids.length === 0) return { job: undefined, revision: first.revision };
        this.#seen = first.ids;
      }
      let conflicts = 0;
      while (this.#seen.length > 0 && conflicts < limits.recipes.conflictsMax) {
        // It stays the first until it is known what became of it: a claim without an answer may be there.
        const [id = ''] = this.#seen;
        const claimed = await this.#claim(id);
        const isTooOften = claimed !== undefined && claimed.attempt > this.#parts.retirement.attemptsMax;
        // Each worker that has had it died of it, or with it.
        if (isTooOften) await this.#jobOf(claimed, () => undefined).bury(this.#ended);
        this.#seen.shift();
        if (claimed === undefined) conflicts++;
        else if (!isTooOften) return { job: this.#opened(claimed), revision: 0 };
      }
      this.#seen = [];
    }
  }

  /** Some of the first jobs without a claim; none: there was none at the revision. */
  async #look(): Promise<Look> {
    const { host, keys } = this.#parts;
    const { jobsLookedAt: limit } = limits.recipes;
    const options = { ...newest, signal: this.#ended };
    let revision = 0;
    const list = host.keys.scan({ prefix: keys.jobs }, { ...options, keysOnly: true, pageSize: limit });
    for await (const page of list.pages()) {
      revision = page.revision;
      const ids = page.items.map(({ key }) => key.slice(keys.jobs.length));
      if (ids.length === 0) continue;
      const claimKeys = ids.map((id) => claimKeysOf(keys, id));
      const { exists: areThere } = await host.keys.exists(
        claimKeys.flatMap(({ claim, later }) => [claim, later]),
        options,
      );
      const free = ids.filter((_, index) => !areThere[2 * index] && !areThere[2 * index + 1]);
      if (free.length > 0) return { ids: free, revision };
    }
    return { ids: [], revision };
  }

  /** @returns `undefined`: another worker has it, or it is done or put off. */
  async #claim(id: string): Promise<ClaimedJob | undefined> {
    const { host, keys } = this.#parts;
    const { claim, later } = claimKeysOf(keys, id);
    const [job, attempts] = [keys.jobs + id, keys.attempts + id];
    const request = {
      compares: [exists(job, true), exists(claim, false), exists(later, false)],
      success: [
        { kind: 'put', key: claim, value: '', leaseId: this.#lease.id },
        { kind: 'increment', key: attempts, delta: 1 },
        { kind: 'get', key: job },
      ],
      // Where the answer to a first try was lost, what it did.
      failure: [
        { kind: 'get', key: claim },
        { kind: 'get', key: attempts },
        { kind: 'get', key: job },
      ],
    } as const;
    const { results, revision } = await answered(
      host.caller,
      () => host.keys.txn(request, { signal: this.#ended }),
      this.#ended,
    );
    const [claimed, taken, found] = results;
    if (found?.kind !== 'get') throw incompleteReply('the job');
    const bytes = found.entry?.value;
    if (taken?.kind === 'increment' && bytes !== undefined) {
      return { id, bytes, attempt: Number(taken.value), token: revision };
    }
    const isOwn = claimed?.kind === 'get' && claimed.entry?.leaseId === this.#lease.id;
    if (!isOwn || taken?.kind !== 'get' || bytes === undefined) return undefined;
    const attempt = Number(taken.entry?.text() ?? 1);
    return { id, bytes, attempt, token: claimed.entry?.createRevision ?? 0 };
  }

  #opened(claimed: ClaimedJob): Job<Read> {
    this.#openCount++;
    let isOpen = true;
    return this.#jobOf(claimed, () => {
      if (isOpen) this.#openCount--;
      isOpen = false;
      this.#onSettled();
    });
  }

  #jobOf(claimed: ClaimedJob, onSettled: () => void): Job<Read> {
    return new Job({ ...this.#parts, signal: this.#lost, onSettled }, claimed);
  }

  /** Resolves when a job has come since, or a claim has gone. */
  async #changed(revision: number): Promise<void> {
    const { host, keys } = this.#parts;
    const watch = host.keys.watch({
      ranges: [{ prefix: keys.jobs }, { prefix: keys.claims }],
      startRevision: revision + 1,
      restartWhenLost: true,
      keysOnly: true,
      signal: this.#ended,
    });
    for await (const message of watch) {
      if (message.kind === 'restarted') return;
      if (message.kind !== 'events') continue;
      if (this.#isNews(message.events)) return;
    }
    this.#ended.throwIfAborted();
  }

  /** All of one revision. That a claim goes together with its job is none. */
  #isNews(events: readonly WatchEvent[]): boolean {
    const { jobs, claims } = this.#parts.keys;
    const deleted = new Set(events.flatMap((event) => (event.type === 'delete' ? [event.key] : [])));
    return events.some((event) =>
      event.type === 'delete'
        ? event.key.startsWith(claims) && !deleted.has(jobs + event.key.slice(claims.length))
        : event.entry.key.startsWith(jobs),
    );
  }

  /** Outlasts what passes by itself, for as long as the lease lives. */
  async #patiently<Result>(run: () => Promise<Result>): Promise<Result> {
    const { pace } = this.#parts.host.caller;
    for (let failures = 1; ; failures++) {
      try {
        return await run();
      } catch (error) {
        if (this.#ended.aborted || !isKelpError(error) || !mayHaveNoAnswer(error)) throw error;
        await pace.wait(backoffMs(failures, pace), this.#ended);
      }
    }
  }
}
