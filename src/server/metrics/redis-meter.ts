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
  'NOSCRIPT',
  'BUSYKEY',
  'NOPROTO',
  'UNBLOCKED',
  'LOADING',
] as const;

export type RedisErrorCode = (typeof codes)[number] | 'other';

export const redisErrorCodes: readonly RedisErrorCode[] = [...codes, 'other'];

export class RedisMeter {
  readonly commandCounts = new Map<string, number>();
  readonly errorCounts = new Map<RedisErrorCode, number>();

  /** @param name of a command of the table. */
  ran(name: string, count = 1): void {
    this.commandCounts.set(name, (this.commandCounts.get(name) ?? 0) + count);
  }

  /** @param text of an error, which begins with its code. */
  failed(text: string): void {
    const code = codes.find((each) => text.startsWith(`${each} `)) ?? 'other';
    this.errorCounts.set(code, (this.errorCounts.get(code) ?? 0) + 1);
  }
}
