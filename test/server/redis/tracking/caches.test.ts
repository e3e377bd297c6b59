/**
 * Clients that cache by what they are told, while many doors write: no cache keeps what is older than a write that was acknowledged to
 * anyone before the client's last word with the server, none goes back in time, and in the end each has what the store has.
 */
import { describe, expect, onTestFinished, test } from 'vitest';
import { createClient, type KelpClient } from '../../../../src/client/client.ts';
import { SeededRandom } from '../../../support/random.ts';
import { startTestServer } from '../../../support/test-server.ts';
import type { DecodedReply } from '../support/decoded-reply.ts';
import { RedisClient } from '../support/redis-client.ts';
import { namesOf } from './tracked-clients.ts';

const KEYS = Array.from({ length: 12 }, (_, index) => `k${index}`);
const WRITERS = 4;
const WRITES = 150;
const READS = 300;

/** A connection in RESP3 whose cache follows what comes, in the order in which it comes. */
class CachingClient {
  readonly cache = new Map<string, number>();
  readonly #client: RedisClient;
  readonly #waiting: ((reply: DecodedReply) => void)[] = [];
  readonly #newest = new Map<string, number>();
  hitCount = 0;
  toldCount = 0;

  private constructor(client: RedisClient) {
    this.#client = client;
    void this.#follow();
  }

  static async open(address: string, mode: readonly string[]): Promise<CachingClient> {
    const client = await RedisClient.open(address);
    await client.run('HELLO', '3');
    await client.run('CLIENT', 'TRACKING', 'ON', ...mode);
    return new CachingClient(client);
  }

  run(...words: string[]): Promise<DecodedReply> {
    return this.#send(words, () => undefined);
  }

  /** Several in one piece. @returns once the last one is answered. */
  async get(...keys: readonly string[]): Promise<void> {
    const sent: Promise<DecodedReply>[] = [];
    for (const key of keys) {
      if (this.cache.has(key)) this.hitCount++;
      else sent.push(this.#send(['GET', key], (reply) => this.#keep(key, reply)));
    }
    await Promise.all(sent);
  }

  /** Behind a write of its own, and within a transaction. */
  async getWithin(key: string, own: string): Promise<void> {
    const calls = [['MULTI'], ['GET', key], ['INCR', own], ['EXEC']];
    const keep = (reply: DecodedReply): void =>
      this.#keep(key, (reply as readonly DecodedReply[])[0] ?? null);
    await Promise.all(calls.map((words) => this.#send(words, words[0] === 'EXEC' ? keep : () => undefined)));
  }

  #keep(key: string, reply: DecodedReply): void {
    // Deleted, or past its deadline.
    if (reply === null) return;
    const value = Number(reply);
    expect(value).toBeGreaterThanOrEqual(this.#newest.get(key) ?? 0);
    this.#newest.set(key, value);
    this.cache.set(key, value);
  }

  #send(words: readonly string[], take: (reply: DecodedReply) => void): Promise<DecodedReply> {
    const { promise, resolve } = Promise.withResolvers<DecodedReply>();
    this.#waiting.push((reply) => {
      take(reply);
      resolve(reply);
    });
    this.#client.send(...words);
    return promise;
  }

  async #follow(): Promise<void> {
    for (;;) {
      const next = await this.#client.next();
      const names = namesOf(next);
      if (names === undefined) this.#waiting.shift()?.(next);
      else {
        this.toldCount++;
        if (names.includes('*')) this.cache.clear();
        for (const name of names) this.cache.delete(name);
      }
    }
  }
}

interface Doors {
  readonly redis: RedisClient;
  readonly client: KelpClient;
  readonly caching: readonly CachingClient[];
}

/** The keys of one writer are changed by it alone, one write behind the other, so that their values go up. */
async function write(writer: number, { redis, client, caching }: Doors, random: SeededRandom): Promise<void> {
  const own = KEYS.filter((_, index) => index % WRITERS === writer);
  for (let count = 1; count <= WRITES; count++) {
    const key = random.pick(own);
    const value = String(count);
    const one = random.pick(caching);
    switch (random.below(8)) {
      case 0:
        await redis.run('SET', key, value, 'PX', String(random.between(1, 30)));
        break;
      case 1:
        await redis.run('MSET', ...own.flatMap((each) => [each, value]));
        break;
      case 2:
        await client.put(key, value);
        break;
      case 3:
        await client.delete(key);
        await client.put(key, value);
        break;
      case 4:
        await one.run('SET', key, value);
        break;
      case 5:
        await Promise.all([one.run('SET', 'other', value), one.run('SET', key, value), one.get(key)]);
        break;
      default:
        await redis.run('SET', key, value);
    }
    const reader = random.pick(caching);
    await reader.run('PING');
    const cached = reader.cache.get(key);
    if (cached !== undefined) expect(cached).toBe(count);
  }
}

async function read(caching: CachingClient, random: SeededRandom): Promise<void> {
  for (let count = 0; count < READS; count++) {
    if (random.below(5) === 0) await caching.getWithin(random.pick(KEYS), 'counter');
    else await caching.get(...Array.from({ length: random.between(1, 4) }, () => random.pick(KEYS)));
  }
}

describe.each(['always', 'never'])('with fsync %s', (fsync) => {
  test.each([1, 2])('caches have what the store has, with seed %i', { timeout: 120_000 }, async (seed) => {
    const random = new SeededRandom(seed);
    const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0', fsync } });
    const client = createClient({ address: server.address });
    onTestFinished(() => client.close());
    const caching = await Promise.all(
      [[], ['BCAST'], ['OPTOUT']].map((mode) => CachingClient.open(server.redisAddress, mode)),
    );
    const redis = await RedisClient.open(server.redisAddress);
    await Promise.all([
      ...Array.from({ length: WRITERS }, async (_, writer) => {
        const own = await RedisClient.open(server.redisAddress);
        await write(writer, { redis: own, client, caching }, new SeededRandom(seed * 100 + writer));
      }),
      ...caching.map((one, index) => read(one, new SeededRandom(seed * 1000 + index))),
    ]);
    // What is past its deadline goes by itself.
    for (const key of KEYS) while (((await redis.run('PTTL', key)) as number) >= 0);
    for (const one of caching) {
      await one.get(...KEYS);
      await redis.run(
        'MSET',
        ...KEYS.filter(() => random.chance(0.3)).flatMap((key) => [key, '100000']),
        'x',
        '1',
      );
      await one.run('PING');
      await one.get(...KEYS);
      for (const key of KEYS) {
        const value = await redis.run('GET', key);
        expect([key, one.cache.get(key)]).toEqual([key, value === null ? undefined : Number(value)]);
      }
      expect(one.hitCount).toBeGreaterThan(0);
      expect(one.toldCount).toBeGreaterThan(0);
    }
  });
});
