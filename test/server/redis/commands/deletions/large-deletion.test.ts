/**
 * What takes a large collection away costs no more than for a small one, by what it does and not by its time: a few visits, two
 * changes, a short record. Its elements go afterwards, so many in a turn of the loop, without records of their own.
 *
 * LARGE_ELEMENTS is how many elements each of the large ones has: `LARGE_ELEMENTS=1000000 npx vitest run test/server/redis/commands/deletions`.
 */
import { describe, expect, test } from 'vitest';
import type { Engine } from '../../../../../src/engine/engine.ts';
import { MemoryEngine } from '../../../../../src/engine/memory/memory-engine.ts';
import { fixed } from '../../../../../src/limits.ts';
import { redisRows } from '../../../../../src/server/redis/redis-rows.ts';
import type { ManualClock } from '../../../../support/manual-clock.ts';
import { counts, goOn } from '../../../../store/collections/collections.ts';
import { LOG_DIR } from '../../../../store/model/store-harness.ts';
import { RedisHarness } from '../../support/redis-harness.ts';

const SET_ELEMENTS = Number(process.env['LARGE_ELEMENTS'] ?? 200_000);
const OTHER_ELEMENTS = Number(process.env['LARGE_ELEMENTS'] ?? 40_000);
const AT_ONCE = 2000;
/** Of a command that reads a few keys and writes two. */
const VISITS_MAX = 30;
const LOG_BYTES_MAX = 400;
/** A turn of the loop does a few pieces of the store's work. */
const FORGOTTEN_IN_TURN_MAX = 8 * fixed.sweptAtOnceMax;

type Words = readonly string[];

/** Commands that add elements, from one number on. */
const fillers: readonly [type: string, count: number, add: (from: number) => Words][] = [
  ['set', SET_ELEMENTS, (from) => ['SADD', 'large', ...names(from)]],
  ['hash', OTHER_ELEMENTS, (from) => ['HSET', 'large', ...names(from).flatMap((name) => [name, 'value'])]],
  [
    'sorted set',
    OTHER_ELEMENTS,
    (from) => ['ZADD', 'large', ...names(from).flatMap((name, index) => [`${from + index}`, name])],
  ],
  ['list', OTHER_ELEMENTS, (from) => ['RPUSH', 'large', ...names(from)]],
];

/** All that leaves a collection without its key. */
const endings: readonly [what: string, end: Words][] = [
  ['UNLINK', ['UNLINK', 'large']],
  ['SET in its place', ['SET', 'large', 'plain']],
  ['RENAME of another to it', ['RENAME', 'other', 'large']],
  ['a deadline in the past', ['PEXPIREAT', 'large', '1']],
  ['a combination stored over it', ['SUNIONSTORE', 'large', 'none']],
  ['DEL among other keys', ['DEL', 'none', 'large', 'none']],
];

describe('a large collection', () => {
  test.each(fillers)(
    'is deleted at once, and swept in slices: a %s of %i elements',
    async (_type, count, add) => {
      const watched = await Watched.open();
      await watched.fill(add, count);
      await watched.takeAway(['DEL', 'large']);
      await watched.sweep();
    },
    600_000,
  );
});

describe('a collection', () => {
  test.each(endings)('goes as cheaply, by %s', async (_what, end) => {
    const watched = await Watched.open();
    await watched.fill((from) => ['SADD', 'large', ...names(from)], 10 * AT_ONCE);
    watched.redis.run('SADD', 'other', 'a');
    await watched.takeAway(end);
    await watched.sweep();
  });
});

/** Counts what a store does. */
class Watched {
  readonly redis: RedisHarness;
  readonly #forgotten: ForgottenCount;

  private constructor(redis: RedisHarness, forgotten: ForgottenCount) {
    this.redis = redis;
    this.#forgotten = forgotten;
  }

  static async open(): Promise<Watched> {
    const forgotten = new ForgottenCount();
    const makeEngine = (): Engine => forgotten.countIn(new MemoryEngine());
    const redis = await RedisHarness.open(redisRows, { makeEngine, limits: { historyRevisionsMax: 2 } });
    forgotten.countTurns(redis.clock);
    return new Watched(redis, forgotten);
  }

  async fill(add: (from: number) => Words, count: number): Promise<void> {
    for (let from = 0; from < count; from += AT_ONCE) this.redis.run(...add(from));
    await this.redis.store.whenDurable(undefined, false);
    expect(counts(this.redis.store).marks).toBe(0);
  }

  async takeAway(words: Words): Promise<void> {
    const { store } = this.redis;
    const elements = counts(store).elements;
    const changes: number[] = [];
    const stop = store.onCommitted((committed) => void changes.push(committed.length));
    const logBytes = await this.#logBytes();
    const visits = this.redis.countVisits();
    this.#forgotten.total = 0;
    this.redis.run(...words);
    expect(visits()).toBeGreaterThan(0);
    expect(visits()).toBeLessThan(VISITS_MAX);
    expect(changes).toEqual([expect.toSatisfy((count: number) => count <= 3)]);
    expect(this.#forgotten.total).toBe(0);
    expect(counts(store)).toEqual({ elements, marks: 1 });
    stop();
    await store.whenDurable(undefined, false);
    expect((await this.#logBytes()) - logBytes).toBeLessThan(LOG_BYTES_MAX);
  }

  /** All that was ever written to the log, without the zeros ahead of it. */
  async #logBytes(): Promise<number> {
    const { disk } = this.redis;
    let sum = 0;
    for (const name of await disk.list(LOG_DIR))
      sum += disk.contentOf(`${LOG_DIR}/${name}`).findLastIndex((byte) => byte !== 0) + 1;
    return sum;
  }

  /** History goes on, and other commands with it. */
  async sweep(): Promise<void> {
    const { store, clock } = this.redis;
    const { elements } = counts(store);
    const logBytes = await this.#logBytes();
    this.#forgotten.mostInTurn = 0;
    await goOn(store, clock);
    expect(counts(store)).toEqual({ elements: 0, marks: 0 });
    expect(this.#forgotten.total).toBeGreaterThanOrEqual(elements);
    expect(this.#forgotten.mostInTurn).toBeLessThanOrEqual(FORGOTTEN_IN_TURN_MAX);
    expect((await this.#logBytes()) - logBytes).toBeLessThan(10 * LOG_BYTES_MAX);
  }
}

/** How many keys an engine forgets, and in one turn of the loop. */
class ForgottenCount {
  total = 0;
  mostInTurn = 0;
  #inTurn = 0;

  countIn(engine: Engine): Engine {
    const forget = engine.forget.bind(engine);
    engine.forget = (range, limit) => {
      const count = forget(range, limit);
      this.total += count;
      this.#inTurn += count;
      this.mostInTurn = Math.max(this.mostInTurn, this.#inTurn);
      return count;
    };
    return engine;
  }

  countTurns(clock: ManualClock): void {
    const yieldNow = clock.yieldNow.bind(clock);
    clock.yieldNow = (callback) =>
      yieldNow(() => {
        this.#inTurn = 0;
        callback();
        this.#inTurn = 0;
      });
  }
}

function names(from: number): string[] {
  return Array.from({ length: AT_ONCE }, (_, index) => `member-${from + index}`);
}
