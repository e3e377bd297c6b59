/**
 * What programs that work together need, built of keys, leases, transactions and watches:
 *
 * ```ts
 * await using lock = await client.recipes.lock('locks/deploy');
 * await deploy(lock.signal);
 * await client.txn({ compares: [lock.guard], success: [{ kind: 'put', key: 'deployed', value: '7' }] });
 * ```
 *
 * All of it is in keys below its name (`names.ts`), for anybody to look at who may read them. What a process held that died is free when the
 * time to live of its lease has passed. No wait has an end of its own: a `signal` gives it one.
 */
import { nothingMore } from '../../arguments/calls.ts';
import { callback, named } from '../../arguments/check.ts';
import { noOptions } from '../../arguments/shape.ts';
import { client as limits } from '../../limits.ts';
import { refuse } from '../errors/refuse.ts';
import { json } from '../namespace/codec.ts';
import { optionsByRecipe, permits as isPermits } from './arguments.ts';
import { Counter } from './counter.ts';
import { type Leader, Leadership, leaderValue, leadersOf } from './election.ts';
import { type Endable, endable } from './endable.ts';
import { Held, type Wanted, hold, tryToHold } from './held.ts';
import type { GrantedLease, RecipeHost } from './host.ts';
import type { Place } from './line.ts';
import { prefixOf, recipeName } from './names.ts';
import { runOnce } from './once.ts';
import { Queue } from './queue.ts';
import type {
  ElectOptions,
  LeadersOptions,
  LockOptions,
  OnceOptions,
  OnceRun,
  QueueOptions,
} from './types.ts';

const isFunction = callback();

export class Recipes {
  readonly #host: RecipeHost;

  /** @internal */
  constructor(host: RecipeHost) {
    this.#host = host;
  }

  /**
   * Waits for a lock that one holds at a time, in the order in which they came; see `Held` for what is safe under it. It is no lock that its
   * holder may take twice: the second waits for the first. Rejects with `canceled`; with what its lease was lost by while it waited
   * (`unavailable`, `leaseNotFound`, ...); with `limitReached` when 10,000 hold or wait already.
   * @param name up to 1024 bytes, without `/~`; its keys begin with it.
   */
  async lock(name: string, options: LockOptions = noOptions): Promise<Held> {
    refuse(named('name', recipeName(name)) ?? optionsByRecipe.lock(options));
    return hold(this.#host, lockOf(name, options), this.#heldAs(name));
  }

  /** The lock, if it is free and none waits for it; else `undefined`, without a wait. */
  async tryLock(name: string, options: LockOptions = noOptions): Promise<Held | undefined> {
    refuse(named('name', recipeName(name)) ?? optionsByRecipe.tryLock(options));
    return tryToHold(this.#host, lockOf(name, options), this.#heldAs(name));
  }

  /**
   * Waits for one of some permits, as `lock` does for the one.
   * @param permits how many hold one at a time, 1 to 100. All must give the same number: who gives a higher one has its turn earlier.
   */
  async semaphore(name: string, permits: number, options: LockOptions = noOptions): Promise<Held> {
    refuse(
      named('name', recipeName(name)) ??
        named('permits', isPermits(permits)) ??
        optionsByRecipe.semaphore(options),
    );
    return hold(this.#host, permitOf(name, permits, options), this.#heldAs(name));
  }

  /** A permit, if there is one at once; else `undefined`. */
  async trySemaphore(
    name: string,
    permits: number,
    options: LockOptions = noOptions,
  ): Promise<Held | undefined> {
    refuse(
      named('name', recipeName(name)) ??
        named('permits', isPermits(permits)) ??
        optionsByRecipe.trySemaphore(options),
    );
    return tryToHold(this.#host, permitOf(name, permits, options), this.#heldAs(name));
  }

  /**
   * Waits until it leads, in the order in which candidates came; see `Leadership`. Rejects as `lock` does, and with `invalidArgument` when the
   * codec can't write the value.
   */
  async elect<Given>(name: string, options: ElectOptions<Given>): Promise<Leadership<Given>> {
    refuse(named('name', recipeName(name)) ?? optionsByRecipe.elect(options));
    const codec = options.codec ?? json<unknown, Given>();
    const value = leaderValue(codec, options.value);
    const wanted = { ...timesOf(options), line: { prefix: prefixOf(name, 'candidate'), width: 1 }, value };
    return hold(this.#host, wanted, (place, lease) => new Leadership(this.#host, name, place, lease, codec));
  }

  /**
   * The leaders of an election: the present one, then each that comes and each value that one proclaims; `undefined` while there is none. Over
   * broken connections and restarts it goes on; where what has been is not kept any more it goes on with what is. Throws a `CodecError` where
   * a candidate's value is something else.
   */
  leaders<Read = unknown>(
    name: string,
    options: LeadersOptions<Read> = noOptions,
  ): Endable<Leader<Read> | undefined> {
    const wrong = named('name', recipeName(name)) ?? optionsByRecipe.leaders(options);
    const { codec = json<Read>(), signal }: LeadersOptions<Read> = wrong === undefined ? options : noOptions;
    const host = this.#host;
    return endable((ended) => leadersOf(host, prefixOf(name, 'candidate'), codec, ended), signal, wrong);
  }

  /**
   * The result of a function that is run for a key once: the first call runs it and records what it gives, all others get that. One at a
   * time runs it. What it throws is the error of its call; nothing is recorded then, and the next call runs it.
   *
   * When the process dies, or the lease is lost, before the result is recorded, it is run anew: at least once, with one result. Rejects as `lock` does;
   * with what the lease was lost by, when nothing could be recorded; with `invalidArgument` when the codec can't write the result.
   * @param key that holds the result: up to 1024 bytes, without `/~`. Deleting it forgets the result.
   */
  async once<Result>(
    key: string,
    run: (run: OnceRun) => Result | Promise<Result>,
    options: OnceOptions<Result> = noOptions,
  ): Promise<Result> {
    refuse(named('key', recipeName(key)) ?? named('run', isFunction(run)) ?? optionsByRecipe.once(options));
    return runOnce(this.#host, key, run, options);
  }

  /** See `Counter`. Throws `invalidArgument`. @param key of the number: up to 1024 bytes, without `/~`. */
  counter(key: string, ...surplus: never[]): Counter {
    refuse(named('key', recipeName(key)) ?? nothingMore('counter', surplus));
    return new Counter(this.#host, key);
  }

  /** See `Queue`. Throws `invalidArgument`. @param name up to 1024 bytes, without `/~`; its keys begin with it. */
  queue<Read, Given = Read>(
    name: string,
    options: QueueOptions<Read, Given> = noOptions,
  ): Queue<Read, Given> {
    refuse(named('name', recipeName(name)) ?? optionsByRecipe.queue(options));
    return new Queue(this.#host, name, options);
  }

  #heldAs(name: string): (place: Place, lease: GrantedLease) => Held {
    return (place, lease) => new Held(this.#host, name, place, lease);
  }
}

function lockOf(name: string, options: LockOptions): Wanted {
  return { ...timesOf(options), line: { prefix: prefixOf(name, 'lock'), width: 1 }, value: '' };
}

function permitOf(name: string, permits: number, options: LockOptions): Wanted {
  return { ...timesOf(options), line: { prefix: prefixOf(name, 'permit'), width: permits }, value: '' };
}

function timesOf({ ttlMs = limits.recipes.ttlMs, signal }: LockOptions): Pick<Wanted, 'ttlMs' | 'signal'> {
  return { ttlMs, signal };
}
