/** SLOWLOG: the last commands that took longer than `slowlog-log-slower-than`, newest first. A ring of a bounded length. */
import { serverFixed } from '../../../limits.ts';
import type { Arguments } from '../commands/command.ts';
import type { ClientSession } from '../commands/session-command.ts';
import { toldWord } from './told-words.ts';

export interface SlowCommand {
  readonly id: number;
  /** By the wall clock. */
  readonly timeMs: number;
  readonly micros: number;
  /** Latin-1. */
  readonly words: readonly string[];
  readonly address: string;
  readonly clientName: string;
}

export class SlowLog {
  /** Commands that took so long or longer are kept; negative: none is. */
  slowerThanMicros: number = serverFixed.redisSlowerThanMicrosDefault;
  #lengthMax: number = serverFixed.redisSlowLogLengthDefault;
  /** Newest last. */
  #commands: SlowCommand[] = [];
  #lastId = -1;

  get lengthMax(): number {
    return this.#lengthMax;
  }

  set lengthMax(lengthMax: number) {
    this.#lengthMax = lengthMax;
    this.#cut();
  }

  isSlow(micros: number): boolean {
    return this.slowerThanMicros >= 0 && micros >= this.slowerThanMicros;
  }

  /** @param name as the table has it. */
  add(name: string, args: Arguments, session: ClientSession, timeMs: number, micros: number): void {
    if (this.#lengthMax === 0) return;
    this.#commands.push({
      id: ++this.#lastId,
      timeMs,
      micros: Math.round(micros),
      words: wordsOf(name, args),
      address: session.address,
      clientName: session.name,
    });
    this.#cut();
  }

  get length(): number {
    return this.#commands.length;
  }

  /** The newest first. */
  newest(count: number): readonly SlowCommand[] {
    return this.#commands.slice(Math.max(0, this.#commands.length - count)).reverse();
  }

  reset(): void {
    this.#commands = [];
  }

  #cut(): void {
    const tooMany = this.#commands.length - this.#lengthMax;
    if (tooMany > 0) this.#commands.splice(0, tooMany);
  }
}

function wordsOf(name: string, args: Arguments): string[] {
  const { redisSlowLogWordsMax, redisSlowLogWordBytesMax } = serverFixed;
  const count = Math.min(args.count, redisSlowLogWordsMax);
  const words: string[] = [];
  for (let index = 0; index < count; index++) {
    // The last one says how many are left out.
    const leftOut = args.count - index;
    words.push(
      index === count - 1 && leftOut > 1
        ? `... (${leftOut} more arguments)`
        : toldWord(
            name,
            args,
            index,
            redisSlowLogWordBytesMax,
            (head, bytes) => `${head}... (${bytes} more bytes)`,
          ),
    );
  }
  return words;
}
