/** Operations at random, such that those of several clients get in each other's way. */
import type { SeededRandom } from '../support/random.ts';
import { ABSENT, PRESENT } from './operation.ts';
import type { Operation, Outcome, Seen, Write } from './operation.ts';

const TEXT_KEYS = ['a', 'b', 'c'] as const;
const COUNTERS = ['m', 'n'] as const;
export const KEYS: readonly string[] = [...TEXT_KEYS, ...COUNTERS];

type Condition = Operation['conditions'][number];

interface WorkloadOptions {
  /** Without, counters are put as all other keys are. */
  readonly hasIncrements?: boolean;
  /** Whether one transaction may write a key more than once. */
  readonly mayRepeatKeys?: boolean;
}

export class Workload {
  readonly #random: SeededRandom;
  readonly #hasIncrements: boolean;
  readonly #mayRepeatKeys: boolean;
  #valueCount = 0;
  /** What somebody saw last. */
  readonly #seenByKey = new Map<string, Seen>();
  #newestRevision = 0;

  constructor(random: SeededRandom, { hasIncrements = true, mayRepeatKeys = true }: WorkloadOptions = {}) {
    this.#random = random;
    this.#hasIncrements = hasIncrements;
    this.#mayRepeatKeys = mayRepeatKeys;
  }

  /** Takes note of an answer, so that later operations can refer to it. */
  notice({ writes, pastRevision }: Operation, { isMet, revision = 0, seen, sums }: Outcome): void {
    if (pastRevision !== undefined) return;
    this.#newestRevision = Math.max(this.#newestRevision, revision);
    for (const [key, what] of seen) this.#seenByKey.set(key, what);
    if (!isMet) return;
    for (const write of writes) {
      const { key } = write;
      const value = write.kind === 'put' ? write.value : sums.get(key);
      this.#seenByKey.set(key, write.kind === 'delete' ? ABSENT : { value, modRevision: revision });
    }
  }

  draw(): Operation {
    const random = this.#random;
    const draw = random.below(100);
    if (draw < 20) return reading('get', [random.pick(KEYS)]);
    if (draw < 28) return reading('get', [random.pick(KEYS)], this.#pastRevision());
    if (draw < 33) return reading('scan', KEYS);
    if (draw < 36) return reading('scan', KEYS, this.#pastRevision());
    if (draw < 60) return this.#drawPut();
    if (draw < 68) {
      const key = random.pick(KEYS);
      return { ...reading('delete', [key]), writes: [{ kind: 'delete', key }] };
    }
    if (draw < 80 && this.#hasIncrements)
      return { ...reading('increment', []), writes: [this.#increment(random.pick(COUNTERS))] };
    return this.#drawTxn();
  }

  #drawPut(): Operation {
    const random = this.#random;
    const key = random.pick(TEXT_KEYS);
    const modRevision = this.#modRevisionOf(key);
    const exact: Seen[] = modRevision === undefined ? [] : [{ value: undefined, modRevision }];
    const expected = random.pick<readonly Seen[]>([[], [], [ABSENT], [PRESENT], exact]);
    const conditions = expected.map((expected) => ({ key, expected }));
    return { ...reading('put', []), conditions, writes: [this.#put(key)] };
  }

  #drawTxn(): Operation {
    const random = this.#random;
    const conditions = random.chance(0.5) ? this.#someOf(KEYS).map((key) => this.#condition(key)) : [];
    // Keys may come twice and thrice.
    const written = [...this.#someOf(KEYS), ...(random.chance(0.4) ? this.#someOf(KEYS) : [])];
    const again = written.filter(() => random.chance(0.2));
    const keys = [...written, ...again];
    const writes = (this.#mayRepeatKeys ? keys : [...new Set(keys)]).map((key): Write => {
      if (random.chance(0.2)) return { kind: 'delete', key };
      const isCounter = this.#hasIncrements && COUNTERS.some((counter) => counter === key);
      return isCounter ? this.#increment(key) : this.#put(key);
    });
    const deleted = writes.filter(({ kind }) => kind === 'delete').map(({ key }) => key);
    const reads = new Set([...this.#someOf(KEYS), ...deleted]);
    return { ...reading('txn', [...reads]), conditions, writes };
  }

  /** One that was so lately. */
  #condition(key: string): Condition {
    const seen = this.#seenByKey.get(key) ?? ABSENT;
    if (seen === ABSENT) return { key, expected: ABSENT };
    const { value, modRevision } = seen;
    return {
      key,
      expected: this.#random.pick<Seen>([
        PRESENT,
        { value, modRevision: undefined },
        { value: undefined, modRevision },
      ]),
    };
  }

  #modRevisionOf(key: string): number | undefined {
    const seen = this.#seenByKey.get(key) ?? ABSENT;
    return seen === ABSENT ? undefined : seen.modRevision;
  }

  #put(key: string): Write {
    return { kind: 'put', key, value: `v${++this.#valueCount}` };
  }

  #increment(key: string): Write {
    return { kind: 'increment', key, delta: this.#random.between(1, 3) };
  }

  /** At least one. */
  #someOf(keys: readonly string[]): string[] {
    const some = keys.filter(() => this.#random.chance(0.4));
    return some.length > 0 ? some : [this.#random.pick(keys)];
  }

  /** Mostly a late one: what is far back was the same for long. `undefined` when there is none yet. */
  #pastRevision(): number | undefined {
    const newest = this.#newestRevision;
    if (newest === 0) return undefined;
    return this.#random.between(this.#random.chance(0.5) ? Math.max(1, newest - 10) : 1, newest);
  }
}

function reading(method: Operation['method'], reads: readonly string[], pastRevision?: number): Operation {
  return { method, pastRevision, conditions: [], reads, writes: [] };
}
