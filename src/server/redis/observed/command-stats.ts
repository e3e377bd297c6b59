/** What commands have done since the server started, or CONFIG RESETSTAT: for INFO's `commandstats`, `errorstats` and `stats`. */
import { serverFixed } from '../../../limits.ts';

/** A code that is longer counts as `ERR`. */
const CODE_BYTES_MAX = 32;

export interface CommandStat {
  callCount: number;
  /** Of all calls together. */
  micros: number;
  /** Calls that were answered with an error. */
  failedCount: number;
  /** Calls that were refused before they ran; they count as no calls. */
  refusedCount: number;
}

export class CommandStats {
  readonly #statByName = new Map<string, CommandStat>();
  readonly #errorCounts = new Map<string, number>();
  callCount = 0;
  errorCount = 0;

  /** A command runs, or several calls of it. @param name `config|get`. */
  ran(name: string, count = 1): void {
    this.#statOf(name).callCount += count;
    this.callCount += count;
  }

  /** A call has run, and is answered with an error. @param text its first word counts. */
  failed(text: string, name: string): void {
    this.#statOf(name).failedCount++;
    this.#countError(text);
  }

  /** A call did not run. @param name `undefined`: there is no such command. */
  refused(text: string, name: string | undefined): void {
    if (name !== undefined) this.#statOf(name).refusedCount++;
    this.#countError(text);
  }

  ended(name: string, micros: number): void {
    this.#statOf(name).micros += micros;
  }

  /** Commands that were called, by name. */
  get commands(): Iterable<readonly [name: string, stat: Readonly<CommandStat>]> {
    return this.#statByName;
  }

  get errorCounts(): ReadonlyMap<string, number> {
    return this.#errorCounts;
  }

  reset(): void {
    this.#statByName.clear();
    this.#errorCounts.clear();
    this.callCount = this.errorCount = 0;
  }

  #statOf(name: string): CommandStat {
    let stat = this.#statByName.get(name);
    if (stat === undefined) {
      stat = { callCount: 0, micros: 0, failedCount: 0, refusedCount: 0 };
      this.#statByName.set(name, stat);
    }
    return stat;
  }

  #countError(text: string): void {
    this.errorCount++;
    const end = text.indexOf(' ');
    const word = end === -1 ? text : text.slice(0, end);
    // Scripts make errors with codes of their own.
    const code = word.length > CODE_BYTES_MAX ? 'ERR' : word;
    const count = this.#errorCounts.get(code);
    if (count === undefined && this.#errorCounts.size >= serverFixed.redisErrorCodesMax) return;
    this.#errorCounts.set(code, (count ?? 0) + 1);
  }
}
