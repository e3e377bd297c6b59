/** What commands have done since the server started, or CONFIG RESETSTAT: for INFO's `commandstats`, `errorstats` and `stats`. */
import { serverFixed } from '../../../limits.ts';

export interface CommandStat {
  callCount: number;
  /** Of all calls together. */
  micros: number;
  /** Calls that were answered with an error. */
  failedCount: number;
}

export class CommandStats {
  readonly #statByName = new Map<string, CommandStat>();
  readonly #errorCounts = new Map<string, number>();
  /** Of the command that runs. */
  #running: CommandStat | undefined;
  callCount = 0;
  errorCount = 0;

  /** A command is about to run. @param name `config|get`. */
  ran(name: string): void {
    let stat = this.#statByName.get(name);
    if (stat === undefined) {
      stat = { callCount: 0, micros: 0, failedCount: 0 };
      this.#statByName.set(name, stat);
    }
    stat.callCount++;
    this.callCount++;
    this.#running = stat;
  }

  /** A call is answered with an error. @param text its first word counts. */
  failed(text: string): void {
    this.errorCount++;
    if (this.#running !== undefined) this.#running.failedCount++;
    this.#running = undefined;
    const end = text.indexOf(' ');
    const code = end === -1 ? text : text.slice(0, end);
    const count = this.#errorCounts.get(code);
    if (count === undefined && this.#errorCounts.size >= serverFixed.redisErrorCodesMax) return;
    this.#errorCounts.set(code, (count ?? 0) + 1);
  }

  ended(name: string, micros: number): void {
    this.#running = undefined;
    const stat = this.#statByName.get(name);
    if (stat !== undefined) stat.micros += micros;
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
    this.#running = undefined;
    this.callCount = this.errorCount = 0;
  }
}
