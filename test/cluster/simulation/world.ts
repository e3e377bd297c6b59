/** The shared log of a simulated cluster, and what is held against it. */
import { SeededRandom } from '../../support/random.ts';
import { SimulatedLogSystem } from '../../support/simulated-log-storage.ts';
import { StoredLog } from '../../../src/shared-log/stored-log.ts';
import { storeId } from '../../shared-log/world.ts';
import { Process } from './process.ts';
import { SimulatedTime } from './simulated-time.ts';
import { Truth } from './truth.ts';

const LOG_MS_MAX = 2;

/** One that tells what is put there. */
class ToldLogSystem extends SimulatedLogSystem {
  /** How often it was asked for its head. */
  headCount = 0;
  onPut: (position: number, bytes: Uint8Array) => void = () => undefined;

  override put(position: number, bytes: Uint8Array): void {
    super.put(position, bytes);
    this.onPut(position, bytes);
  }
}

export class World {
  readonly random: SeededRandom;
  readonly time: SimulatedTime;
  readonly system: ToldLogSystem;
  readonly truth = new Truth();
  /** How long the log takes for a call, at most: half of it to get there, half to come back. */
  logMsMax = LOG_MS_MAX;
  /** Calls stand still until then. */
  #stalledUntilMs = 0;
  #failure: Error | undefined;
  readonly #trace: string[] | undefined;
  readonly #winnerByEpoch = new Map<number, string>();

  constructor(seed: number, isTraced = false) {
    this.random = new SeededRandom(seed);
    this.time = new SimulatedTime(this.random);
    this.#trace = isTraced ? [] : undefined;
    this.system = new ToldLogSystem({
      random: this.random,
      schedule: (action) => this.#onItsWay(action),
    });
    this.system.onPut = (position, bytes) => this.checked(() => this.truth.take(position, bytes));
  }

  get trace(): readonly string[] {
    return this.#trace ?? [];
  }

  note(text: () => string): void {
    this.#trace?.push(`${this.time.nowMs.toFixed(2).padStart(9)} ${text()}`);
  }

  /** Something is wrong: the run ends with the first. */
  readonly fail = (reason: unknown): void => {
    const error = reason instanceof Error ? reason : new Error(String(reason));
    if (this.#failure === undefined) this.note(() => `WRONG: ${error.message}`);
    this.#failure ??= error;
  };

  checked(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.fail(error);
    }
  }

  /** The shared log, as somebody sees it who is not of the cluster. */
  observer(): StoredLog {
    const { clock } = new Process(this.time, { wallMs: 0, monotonicMs: 0 });
    const random = { bytes: (count: number) => this.random.bytes(count) };
    return new StoredLog({ storage: this.system.open(), clock, random, storeId });
  }

  /** A node says that it has won an epoch. */
  wins(epoch: number, name: string): void {
    const other = this.#winnerByEpoch.get(epoch);
    if (other !== undefined) this.fail(`epoch ${epoch} was won by ${other} and by ${name}`);
    this.#winnerByEpoch.set(epoch, name);
  }

  async init(): Promise<void> {
    await this.answer(this.observer().init(storeId));
  }

  /** The log answers no one for so long. */
  stall(ms: number): void {
    this.note(() => `the log stalls for ${ms} ms`);
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, this.time.nowMs + ms);
  }

  get isStalled(): boolean {
    return this.time.nowMs < this.#stalledUntilMs;
  }

  /** Lets time pass until then. Throws what is wrong, also when it never comes to that. */
  async until(isDone: () => boolean, msMax = 120_000): Promise<void> {
    const endMs = this.time.nowMs + msMax;
    await this.time.runUntil(() => {
      if (this.#failure !== undefined) return true;
      if (this.time.nowMs > endMs) throw new Error(`it has not come to that in ${msMax} ms`);
      return isDone();
    });
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Lets time pass until a call is answered. */
  async answer<Result>(call: Promise<Result>, msMax?: number): Promise<Result> {
    let isAnswered = false;
    const answered = (): void => void (isAnswered = true);
    call.then(answered, answered);
    await this.until(() => isAnswered, msMax);
    return call;
  }

  async pass(ms: number): Promise<void> {
    const endMs = this.time.nowMs + ms;
    await this.until(() => this.time.nowMs >= endMs, ms + 1000);
  }

  #onItsWay(action: () => void): void {
    this.time.within(this.logMsMax, () => {
      const waitMs = this.#stalledUntilMs - this.time.nowMs;
      if (waitMs <= 0) action();
      else this.time.in(waitMs, () => this.#onItsWay(action));
    });
  }
}
