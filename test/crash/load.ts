/**
 * Clients that write all at once, each to keys and leases of its own, and keep the ledgers: single puts, plain and
 * conditional, deletes, increments, transactions over several keys, leases with keys.
 *
 * A worker stops at the first sign that the server is gone or going; a call that only took too long does not stop it,
 * but the key is left alone, since nobody knows when that write may still take effect.
 */
import type { KelpClient } from '../../src/client/client.ts';
import type { KelpErrorCode } from '../../src/client/errors/error.ts';
import { SeededRandom } from '../support/random.ts';
import type { Ledgers } from './audit.ts';
import { LeaseWorker } from './lease-worker.ts';
import type { Change } from './ledger.ts';
import { failureOf, type Step, Workplace } from './workplace.ts';

export interface LoadOptions {
  /** The workers share them evenly. They must not repeat calls by themselves. */
  readonly clients: readonly KelpClient[];
  readonly ledgers: Ledgers;
  readonly seed: number;
  /** Sets the keys of this load apart from those of others; default none. */
  readonly prefix?: string;
  /** How long the keys live that have a time to live at all: longer than the test by the server's clock. Default 1 hour. */
  readonly longTtlMs?: number;
}

/** Keys that a worker goes through; those whose outcome is open are replaced by others. */
const KEYS_PER_WORKER = 8;

const WORKERS = 16;

export class Load {
  /** How many calls failed with each code. */
  readonly failures = new Map<KelpErrorCode, number>();
  /** Calls that succeeded. */
  doneCount = 0;
  readonly #stopped = new AbortController();
  readonly #workers: Promise<void>[];
  #wake: (() => void)[] = [];

  constructor({ clients, ledgers, seed, prefix = '', longTtlMs = 3_600_000 }: LoadOptions) {
    this.#workers = Array.from({ length: WORKERS }, async (_, index) => {
      const client = clients[index % clients.length];
      if (client === undefined) throw new Error('a load needs a client');
      const place = new Workplace(client, ledgers, new SeededRandom(seed * 1000 + index));
      await this.#run(stepOf(`${prefix}/${index}`, index, place, longTtlMs));
    });
  }

  /** Resolves when so many calls have succeeded, or when all workers have stopped. */
  done(count: number): Promise<void> {
    return this.#until(() => this.doneCount >= count);
  }

  /** Resolves when so many calls have failed, or when all workers have stopped. */
  failed(count: number): Promise<void> {
    return this.#until(() => [...this.failures.values()].reduce((sum, each) => sum + each, 0) >= count);
  }

  /** Resolves when every worker has ended its call under way. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#workers);
  }

  async #until(holds: () => boolean): Promise<void> {
    const ended = Promise.all(this.#workers).then(() => 'ended');
    while (!holds()) {
      const more = new Promise<void>((resolve) => this.#wake.push(resolve));
      if ((await Promise.race([more, ended])) === 'ended') return;
    }
  }

  async #run(step: Step): Promise<void> {
    for (let round = 0; !this.#stopped.signal.aborted; round++) {
      const error = await step(round);
      if (error === undefined) this.doneCount++;
      else this.failures.set(error.code, (this.failures.get(error.code) ?? 0) + 1);
      for (const wake of this.#wake.splice(0)) wake();
      if (error !== undefined && error.code !== 'deadlineExceeded') return;
    }
  }
}

function stepOf(name: string, index: number, place: Workplace, longTtlMs: number): Step {
  switch (index % 4) {
    case 0:
      return singleKeys(`single${name}`, place, longTtlMs);
    case 1:
      return increments(`count${name}`, place);
    case 2:
      return transactions(`txn${name}`, place);
    default: {
      const worker = new LeaseWorker(`lease${name}`, place);
      return () => worker.step();
    }
  }
}

/** A key that no open write may change. */
function freeKey(prefix: string, { ledgers, random }: Workplace): string {
  let number = random.below(KEYS_PER_WORKER);
  while (ledgers.keys.isOpen(`${prefix}/${number}`)) number += KEYS_PER_WORKER;
  return `${prefix}/${number}`;
}

function singleKeys(prefix: string, place: Workplace, ttlMs: number): Step {
  const { client, ledgers, random } = place;
  return (round) => {
    const key = freeKey(prefix, place);
    const stands = ledgers.keys.value(key);
    const modRevision = ledgers.keys.modRevision(key);
    switch (random.below(5)) {
      case 0:
        return failureOf(async () => {
          const { entry } = await client.get(key);
          if (entry?.text() !== stands || (entry?.modRevision ?? 0) !== modRevision) {
            ledgers.keys.note(`${key}: "${stands}" of ${modRevision} stands, read ${JSON.stringify(entry)}`);
          }
        });
      case 1:
        if (stands === undefined) break;
        return place.write([{ key, value: undefined }], async () => {
          const { revision, deleted } = await client.delete(key);
          return { revision, fault: deleted ? undefined : `${key}: was not there to be deleted` };
        });
      case 2: {
        // Nobody else writes the key, so the condition holds, or a write was lost or made twice.
        const value = valueOf(round, random);
        const condition = { kind: 'modRevisionEquals', modRevision } as const;
        return place.write([{ key, value }], () => client.put(key, value, { condition }));
      }
      case 3: {
        const value = valueOf(round, random);
        return place.write([{ key, value }], () => client.put(key, value, { ttlMs }));
      }
      default:
    }
    const value = valueOf(round, random);
    return place.write([{ key, value }], () => client.put(key, value));
  };
}

function increments(prefix: string, place: Workplace): Step {
  const { client, ledgers, random } = place;
  return () => {
    const key = freeKey(prefix, place);
    const delta = 1 + random.below(9);
    const sum = String(Number(ledgers.keys.value(key) ?? 0) + delta);
    return place.write([{ key, value: sum }], async () => {
      const { revision, value } = await client.increment(key, delta);
      const fault = String(value) === sum ? undefined : `${key}: incremented to ${value}, not to ${sum}`;
      return { revision, fault };
    });
  };
}

/** Two keys that are written together, one that is deleted or made, and a count of the transactions. */
function transactions(prefix: string, place: Workplace): Step {
  const { client, ledgers, random } = place;
  return (round) => {
    const key = freeKey(prefix, place);
    const [left, right, sometimes, count] = [`${key}/left`, `${key}/right`, `${key}/sometimes`, key];
    const value = valueOf(round, random);
    const isThere = ledgers.keys.value(sometimes) !== undefined;
    const sum = String(Number(ledgers.keys.value(count) ?? 0) + 1);
    const changes: Change[] = [
      { key: left, value },
      { key: right, value },
      { key: sometimes, value: isThere ? undefined : value },
      { key: count, value: sum },
    ];
    return place.write(changes, async () => {
      const { revision, succeeded } = await client.txn({
        compares: [
          { subject: { key: sometimes }, relation: 'equal', operand: { kind: 'exists', value: isThere } },
        ],
        success: [
          { kind: 'put', key: left, value },
          { kind: 'put', key: right, value },
          isThere ? { kind: 'delete', key: sometimes } : { kind: 'put', key: sometimes, value },
          { kind: 'increment', key: count, delta: 1n },
        ],
      });
      const fault = succeeded ? undefined : `${sometimes}: the transaction found what does not stand`;
      return { revision, fault };
    });
  };
}

/** Text that is never the same twice for a key, and now and then long. */
function valueOf(round: number, random: SeededRandom): string {
  const text = `${round}-${random.uint32()}`;
  return random.chance(0.05) ? text.padEnd(20_000, '.') : text;
}
