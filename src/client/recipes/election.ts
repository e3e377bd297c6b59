/**
 * An election: candidates stand in a line, and the first of it leads. Its key holds what it tells of itself.
 *
 * Observers watch the keys of all candidates, so each sees every leader in order, with the value that it had.
 */
import type { Value } from '../../api.ts';
import { noOptions } from '../../arguments/shape.ts';
import { bytesOf } from '../../arguments/value.ts';
import { client as limits } from '../../limits.ts';
import { plainOptions } from '../calls/call-arguments.ts';
import { KelpError } from '../errors/error.ts';
import { refuse } from '../errors/refuse.ts';
import type { Entry } from '../messages/entry.ts';
import type { CallOptions } from '../messages/types.ts';
import type { Codec } from '../namespace/codec.ts';
import { decodeBy, encodeBy } from '../namespace/given-codec.ts';
import { answered } from './answered.ts';
import { Held } from './held.ts';
import type { GrantedLease, RecipeHost } from './host.ts';
import type { Place } from './line.ts';

/** Who leads, as an observer sees it. */
export interface Leader<Read> {
  /** As it was when it was elected, or as it has proclaimed since. */
  readonly value: Read;
  /** The fencing token: each later leader has a higher one. */
  readonly token: number;
}

const proclaimOptions = plainOptions('proclaim');

/** Leads until it resigns or its lease is lost; what holds of a lock (`Held`) holds of it. */
export class Leadership<Given> extends Held {
  readonly #host: RecipeHost;
  readonly #leaseId: number;
  readonly #codec: Codec<unknown, Given>;
  /** Of its key, as far as it knows. */
  #modRevision: number;
  /** They take effect one after the other, in the order in which they were made. */
  #last: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(
    host: RecipeHost,
    name: string,
    place: Place,
    lease: GrantedLease,
    codec: Codec<unknown, Given>,
  ) {
    super(host, name, place, lease);
    this.#host = host;
    this.#leaseId = lease.id;
    this.#codec = codec;
    this.#modRevision = place.token;
  }

  /**
   * Tells observers a new value, as the leader that it is. Rejects with `leaseNotFound` when it leads no more; with `invalidArgument` when the
   * codec can't write the value.
   */
  async proclaim(value: Given, options: CallOptions = noOptions): Promise<void> {
    refuse(proclaimOptions(options));
    const written = leaderValue(this.#codec, value);
    const proclaimed = this.#last.then(() => this.#put(written, options));
    this.#last = proclaimed.catch(() => undefined);
    await proclaimed;
  }

  /** Lets another one lead: see `release`. */
  resign(options: CallOptions = noOptions): Promise<void> {
    return this.release(options);
  }

  async #put(value: Value, options: CallOptions): Promise<void> {
    const { key, guard, token } = this;
    for (;;) {
      // One that was on its way for long can't take the place of a later one.
      const unchanged = { kind: 'modRevision', value: this.#modRevision } as const;
      const request = {
        compares: [guard, { subject: { key }, relation: 'equal', operand: unchanged }],
        success: [{ kind: 'put', key, value, leaseId: this.#leaseId }],
        failure: [{ kind: 'get', key }],
      } as const;
      const { caller, keys } = this.#host;
      const { succeeded, results, revision } = await answered(
        caller,
        () => keys.txn(request, options),
        options.signal,
        options.deadlineMs,
      );
      const [found] = results;
      const entry = found?.kind === 'get' ? found.entry : undefined;
      if (succeeded) this.#modRevision = revision;
      else if (entry?.createRevision === token) this.#modRevision = entry.modRevision;
      else throw new KelpError('leaseNotFound', `this candidate leads ${this.name} no more`, undefined);
      // Nothing else writes the key: it is this value whose answer was lost, or one before it.
      if (succeeded || (entry !== undefined && Buffer.compare(entry.value, bytesOf(value)) === 0)) return;
    }
  }
}

/** @throws KelpError `invalidArgument`, `limitReached`. */
export function leaderValue<Given>(codec: Codec<unknown, Given>, value: Given): Value {
  const { leaderValueBytesMax } = limits.recipes;
  const written = encodeBy(codec, value);
  const byteCount = bytesOf(written).length;
  if (byteCount <= leaderValueBytesMax) return written;
  throw new KelpError(
    'limitReached',
    `the value of a leader has ${byteCount} bytes, and may have ${leaderValueBytesMax}: put it under a key, and tell that`,
    undefined,
  );
}

/** What an observer was told last. */
type Shown = Entry | 'nothing yet' | undefined;

/** @internal Each leader that comes, and each value that it proclaims; `undefined`: there is none now. */
export async function* leadersOf<Read>(
  host: RecipeHost,
  prefix: string,
  codec: Codec<Read, never>,
  signal: AbortSignal,
): AsyncGenerator<Leader<Read> | undefined, undefined, undefined> {
  const candidates = new Map<string, Entry>();
  let shown = 'nothing yet' as Shown;
  let isSynced = false;
  const request = { ranges: [{ prefix }], includeCurrent: true, restartWhenLost: true, signal };
  for await (const message of host.keys.watch(request)) {
    switch (message.kind) {
      case 'restarted':
        candidates.clear();
        isSynced = false;
        break;
      case 'current':
        for (const entry of message.entries) candidates.set(entry.key, entry);
        break;
      case 'events':
        for (const event of message.events) {
          if (event.type === 'delete') candidates.delete(event.key);
          else if (event.type === 'put') candidates.set(event.entry.key, event.entry);
        }
        break;
      case 'synced':
        isSynced = true;
        break;
      case 'progress':
      case 'compacted':
        break;
    }
    const first: Shown = isSynced ? firstOf(candidates.values()) : shown;
    if (isSameLeader(first, shown)) continue;
    shown = first;
    if (first === 'nothing yet') continue;
    yield first && { value: decodeBy(codec, first.key, first.value), token: first.createRevision };
  }
  return undefined;
}

function firstOf(candidates: Iterable<Entry>): Entry | undefined {
  let first: Entry | undefined;
  for (const each of candidates) {
    if (first === undefined || each.createRevision < first.createRevision) first = each;
  }
  return first;
}

function isSameLeader(one: Shown, other: Shown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object') return one === other;
  return one.createRevision === other.createRevision && one.modRevision === other.modRevision;
}
