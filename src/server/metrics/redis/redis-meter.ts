/**
 * What clients of Redis have run, by command, and what was refused, by the code of the error. Both are closed sets: commands are those of
 * the table, and of codes only those that the server itself has.
 */

const codes = [
  'ERR',
  'WRONGTYPE',
  'NOAUTH',
  'WRONGPASS',
  'NOPERM',
  'EXECABORT',
  'OOM',
  'MISCONF',
  'TRYAGAIN',
  'NOSCRIPT',
  'BUSYKEY',
  'NOPROTO',
  'UNBLOCKED',
  'LOADING',
] as const;

export type RedisErrorCode = (typeof codes)[number] | 'other';

export const redisErrorCodes: readonly RedisErrorCode[] = [...codes, 'other'];

/** What the Redis door holds at a moment. */
export interface RedisGauges {
  readonly blockedCount: number;
  readonly channelCount: number;
  readonly patternCount: number;
  readonly slowLogLength: number;
}

const NO_GAUGES: RedisGauges = { blockedCount: 0, channelCount: 0, patternCount: 0, slowLogLength: 0 };

export class RedisMeter {
  readonly commandCounts = new Map<string, number>();
  /** Calls that have run and were answered with an error, by command. */
  readonly failedCounts = new Map<string, number>();
  readonly errorCounts = new Map<RedisErrorCode, number>();
  #readGauges = (): RedisGauges => NO_GAUGES;

  /** The door is open: where its gauges are read from. */
  watch(readGauges: () => RedisGauges): void {
    this.#readGauges = readGauges;
  }

  get gauges(): RedisGauges {
    return this.#readGauges();
  }

  /** @param name of a command of the table. */
  ran(name: string, count = 1): void {
    this.commandCounts.set(name, (this.commandCounts.get(name) ?? 0) + count);
  }

  /** A call has run, and is answered with an error. */
  failed(text: string, name: string): void {
    this.failedCounts.set(name, (this.failedCounts.get(name) ?? 0) + 1);
    this.refused(text);
  }

  /** A call did not run. @param text of an error, which begins with its code. */
  refused(text: string): void {
    const code = codes.find((each) => text.startsWith(`${each} `)) ?? 'other';
    this.errorCounts.set(code, (this.errorCounts.get(code) ?? 0) + 1);
  }
}
