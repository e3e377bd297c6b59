/**
 * Several clients that contend for what one holds at a time, and write to a register under it, while servers die.
 *
 * Each holder writes its token to the register, under its guard. Then, whatever happened:
 *
 * - no write of an older holder comes after one of a newer: the tokens in the register never fall;
 * - a write that was acknowledged is there;
 * - who gets the lock finds that all before it know that they have lost it, by their own clocks;
 * - who has lost it writes nothing, however late it tries.
 */
import { expect } from 'vitest';
import type { KelpClient } from '../../../../src/client/client.ts';
import { isKelpError } from '../../../../src/client/errors/error.ts';
import type { Held } from '../../../../src/client/recipes/held.ts';
import type { SeededRandom } from '../../../support/random.ts';

const NAME = 'locks/register';
const REGISTER = 'register';
const CONTENDERS = 4;

/** What holders hold, by the name of the recipe. */
export const ways: Readonly<Record<string, (client: KelpClient, ttlMs: number) => Promise<Held>>> = {
  lock: (client, ttlMs) => client.recipes.lock(NAME, { ttlMs }),
  election: (client, ttlMs) => client.recipes.elect(NAME, { value: 'me', ttlMs }),
};

export interface ContestOptions {
  readonly newClient: () => KelpClient;
  readonly hold: (client: KelpClient) => Promise<Held>;
  readonly random: SeededRandom;
  /** It is over then. */
  readonly turnsMax: number;
  /** How often a holder dies in place of giving back, from 0 to 1. */
  readonly deathChance: number;
  /** What deaths of servers explain. */
  readonly codes: readonly string[];
}

export class Contest {
  deaths = 0;
  readonly #options: ContestOptions;
  readonly #witness: KelpClient;
  readonly #register: Promise<readonly RegisterWrite[]>;
  readonly #held: Held[] = [];
  readonly #acknowledged: number[] = [];
  readonly #contenders: Promise<unknown>;
  #reached = (): void => undefined;

  constructor(options: ContestOptions) {
    this.#options = options;
    this.#witness = options.newClient();
    this.#register = registerOf(this.#witness);
    // `check` tells; where the contest itself went wrong, its end is no news.
    this.#register.catch(() => undefined);
    this.#contenders = Promise.all(Array.from({ length: CONTENDERS }, () => this.#contend()));
  }

  /** Resolves when it was held so many times, or the contest is over; rejects when it went wrong. */
  async turns(count: number): Promise<void> {
    const reached = new Promise<void>((resolve) => {
      this.#reached = () => {
        if (this.#held.length >= count) resolve();
      };
      this.#reached();
    });
    await Promise.race([reached, this.#contenders]);
  }

  /** Waits for the end, and holds what was written against what must be. @returns how many writes were acknowledged. */
  async check(): Promise<number> {
    await this.#contenders;
    await this.#witness.put(REGISTER, 'end');
    const writes = await this.#register;
    const tokens = writes.map(({ value }) => Number(value));
    expect(tokens).toEqual(tokens.toSorted((one, other) => one - other));
    expect(writes.map((each) => each.revision)).toEqual(expect.arrayContaining(this.#acknowledged));
    return this.#acknowledged.length;
  }

  async #contend(): Promise<void> {
    const { newClient, hold, random, turnsMax, deathChance, codes } = this.#options;
    const held = this.#held;
    let client = newClient();
    while (held.length < turnsMax) {
      try {
        const lock = await hold(client);
        expect(held.filter((each) => each.isHeld).map(({ token }) => token)).toEqual([]);
        expect(held.every(({ token }) => token < lock.token)).toBe(true);
        held.push(lock);
        this.#reached();
        await this.#write(client, lock);
        const late = random.pick(held);
        if (late !== lock) expect(await this.#write(client, late)).toBe(false);
        if (random.chance(1 - deathChance)) {
          await lock.release();
        } else {
          this.deaths++;
          client.close();
          client = newClient();
        }
      } catch (error) {
        if (!isKelpError(error)) throw error;
        expect(codes).toContain(error.code);
        // What it may still hold would be renewed for as long as its client lives, and none would get it any more.
        client.close();
        client = newClient();
      }
    }
    client.close();
  }

  async #write(client: KelpClient, { guard, token }: Held): Promise<boolean> {
    const put = { kind: 'put', key: REGISTER, value: String(token) } as const;
    const { succeeded, revision } = await client.txn({ compares: [guard], success: [put] });
    if (succeeded) this.#acknowledged.push(revision);
    return succeeded;
  }
}

interface RegisterWrite {
  readonly revision: number;
  readonly value: string;
}

/** All that is ever written to the register until "end" is, over the lives of the servers. */
async function registerOf(client: KelpClient): Promise<RegisterWrite[]> {
  const writes: RegisterWrite[] = [];
  for await (const message of client.watch({ ranges: [{ key: REGISTER }], startRevision: 1 })) {
    if (message.kind !== 'events') continue;
    for (const event of message.events) {
      if (event.type !== 'put') throw new Error(`the register saw a ${event.type}`);
      const value = event.entry.text();
      if (value === 'end') return writes;
      writes.push({ revision: message.revision, value });
    }
  }
  throw new Error('the watch has ended');
}
