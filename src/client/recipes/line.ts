/**
 * A line in which some wait until it is their turn, by keys below one prefix, each attached to the lease of the one who waits.
 *
 * - Who comes earlier has the lower `createRevision`: the order is that in which the store took the keys.
 * - It is the turn of the first `width` in the line. A key that is there never moves back, since none comes before it any more; so what is found
 *   to have its turn has it until its key is gone.
 * - A key goes when its owner leaves, or with its lease. Nothing else is needed when a process dies.
 * - Each watches only the `width` keys before its own: one of these has to go before its turn can come. So who leaves wakes as many at
 *   most, and one where the width is 1, however many wait.
 *
 * The name of a key is that of its lease, which no other has. So a put whose answer was lost is made again under the condition that the key
 * is not there yet, and finds what the first has done.
 */
import { client as limits } from '../../limits.ts';
import { backoffMs } from '../calls/pace.ts';
import { KelpError, isKelpError } from '../errors/error.ts';
import type { Value } from '../../api.ts';
import { answered, mayHaveNoAnswer } from './answered.ts';
import { type GrantedLease, type RecipeHost, newest } from './host.ts';
import { sortable } from './names.ts';

export interface Line {
  readonly prefix: string;
  /** How many have their turn at a time. */
  readonly width: number;
}

/** Whose lease is gone while it waits, or who gives up: both end what is under way. */
export interface Waiter {
  readonly lease: GrantedLease;
  /** Of the one who waits. */
  readonly signal: AbortSignal | undefined;
}

interface Look {
  /** The keys before the own one, the nearest last. */
  readonly before: readonly string[];
  readonly revision: number;
}

export class Place {
  readonly key: string;
  /** The `createRevision` of its key: whose turn comes later has a higher one. */
  readonly token: number;
  readonly #host: RecipeHost;
  readonly #line: Line;
  readonly #waiter: Waiter;
  readonly #ended: AbortSignal;

  private constructor(host: RecipeHost, line: Line, waiter: Waiter, token: number) {
    this.#host = host;
    this.#line = line;
    this.#waiter = waiter;
    this.#ended = endOf(host, waiter);
    this.key = keyIn(line, waiter);
    this.token = token;
  }

  /** Takes the last place. Rejects with `limitReached` when there are too many before it. */
  static async take(host: RecipeHost, line: Line, waiter: Waiter, value: Value): Promise<Place> {
    const signal = endOf(host, waiter);
    const key = keyIn(line, waiter);
    try {
      await checkLength(host, line, signal);
      const token = await answered(host.caller, () => put(host, key, waiter, value, signal), signal);
      return new Place(host, line, waiter, token);
    } catch (error) {
      throw whyEnded(host, waiter) ?? error;
    }
  }

  /** Whether it is its turn. Rejects with `leaseNotFound` when its key is gone. */
  async hasTurn(): Promise<boolean> {
    try {
      return (await this.#look()).before.length < this.#line.width;
    } catch (error) {
      throw whyEnded(this.#host, this.#waiter) ?? error;
    }
  }

  /**
   * Resolves when it is its turn. It outlasts what passes by itself, such as a restart of the server, for as long as the lease lives. Rejects
   * with what the lease was lost by, `canceled`, or `leaseNotFound` when its key is gone.
   */
  async turn(): Promise<void> {
    const { pace } = this.#host.caller;
    let failures = 0;
    for (;;) {
      try {
        const { before, revision } = await this.#look();
        if (before.length < this.#line.width) break;
        failures = 0;
        await this.#oneGone(before.slice(-this.#line.width), revision);
      } catch (error) {
        if (this.#ended.aborted) break;
        if (!isKelpError(error) || !mayHaveNoAnswer(error)) throw error;
        await pace.wait(backoffMs(++failures, pace), this.#ended);
      }
      if (this.#ended.aborted) break;
    }
    const reason = whyEnded(this.#host, this.#waiter);
    if (reason !== undefined) throw reason;
  }

  /** Gives the place to the next one; the lease lives on. */
  async leave(): Promise<void> {
    const { key, token } = this;
    const isOwn = {
      subject: { key },
      relation: 'equal',
      operand: { kind: 'createRevision', value: token },
    } as const;
    const request = { compares: [isOwn], success: [{ kind: 'delete', key }] } as const;
    const { caller, keys } = this.#host;
    await answered(caller, () => keys.txn(request, { signal: this.#ended }), this.#ended);
  }

  async #look(): Promise<Look> {
    const { prefix } = this.#line;
    const list = this.#host.keys.scan({ prefix }, { ...newest, keysOnly: true, signal: this.#ended });
    const found: { readonly key: string; readonly createRevision: number }[] = [];
    let revision = 0;
    for await (const page of list.pages()) {
      revision = page.revision;
      for (const { key, createRevision } of page.items) found.push({ key, createRevision });
    }
    if (!found.some(({ key, createRevision }) => key === this.key && createRevision === this.token)) {
      throw new KelpError(
        'leaseNotFound',
        `the key ${this.key} is gone, and the place in line with it`,
        undefined,
      );
    }
    const before = found
      .filter(({ createRevision }) => createRevision < this.token)
      .sort((one, other) => one.createRevision - other.createRevision)
      .map(({ key }) => key);
    return { before, revision };
  }

  /** Resolves when one of the keys may be gone that were there at a revision. */
  async #oneGone(keys: readonly string[], revision: number): Promise<void> {
    const watch = this.#host.keys.watch({
      ranges: keys.map((key) => ({ key })),
      startRevision: revision + 1,
      eventTypes: ['delete'],
      // Where those changes are not kept any more, a new look tells just as well.
      restartWhenLost: true,
      signal: this.#ended,
    });
    for await (const { kind } of watch) {
      if (kind === 'events' || kind === 'restarted') return;
    }
  }
}

function keyIn({ prefix }: Line, { lease }: Waiter): string {
  return prefix + sortable(lease.id);
}

export function endOf({ caller }: RecipeHost, { lease, signal }: Waiter): AbortSignal {
  return AbortSignal.any([lease.signal, caller.closed, ...(signal ? [signal] : [])]);
}

/** @returns the error of one who gave up, or whose lease is lost; `undefined`: neither. */
export function whyEnded({ caller }: RecipeHost, { lease, signal }: Waiter): KelpError | undefined {
  if (signal?.aborted === true || caller.closed.aborted) return caller.errorOf(undefined, false, signal);
  return lease.signal.aborted ? (lease.signal.reason as KelpError) : undefined;
}

async function checkLength(host: RecipeHost, { prefix }: Line, signal: AbortSignal): Promise<void> {
  const { lineMax } = limits.recipes;
  const { count } = await host.keys.count({ prefix }, { ...newest, signal });
  if (count < lineMax) return;
  throw new KelpError(
    'limitReached',
    `${count} hold or wait already, and ${lineMax} may: try again later`,
    undefined,
  );
}

/** @returns the `createRevision` of the own key, which is put unless it is there. */
async function put(
  { keys }: RecipeHost,
  key: string,
  { lease }: Waiter,
  value: Value,
  signal: AbortSignal,
): Promise<number> {
  const { succeeded, results, revision } = await keys.txn(
    {
      compares: [{ subject: { key }, relation: 'equal', operand: { kind: 'exists', value: false } }],
      success: [{ kind: 'put', key, value, leaseId: lease.id }],
      failure: [{ kind: 'get', key }],
    },
    { signal },
  );
  if (succeeded) return revision;
  const [found] = results;
  if (found?.kind === 'get' && found.entry?.leaseId === lease.id) return found.entry.createRevision;
  throw new KelpError(
    'internal',
    `the key ${key} is not attached to the lease that it is named for`,
    undefined,
  );
}
