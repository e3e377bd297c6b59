/**
 * MONITOR: each command that has run, as a line, to those who asked for it. A line is made once for all of them, and long words are
 * cut; a client that does not read is broken off, and so is one whose user is no admin any more.
 */
import { serverFixed } from '../../../limits.ts';
import type { Arguments } from '../commands/command.ts';
import type { ClientSession } from '../commands/session-command.ts';
import { monitorsExceeded } from '../replies/errors.ts';
import { quoted, toldWord } from './told-words.ts';

export class Monitors {
  readonly #sessions = new Set<ClientSession>();

  get isEmpty(): boolean {
    return this.#sessions.size === 0;
  }

  /** Throws a `ReplyError` when there are too many. */
  add(session: ClientSession): void {
    if (this.#sessions.has(session)) return;
    if (this.#sessions.size >= serverFixed.redisMonitorsMax) throw monitorsExceeded();
    this.#sessions.add(session);
    session.isMonitor = true;
    session.onClose(() => this.#sessions.delete(session));
  }

  /** @param name as the table has it. @param timeMs by the wall clock, with a fraction. */
  tell(name: string, args: Arguments, session: ClientSession, timeMs: number): void {
    const line = Buffer.from(lineOf(name, args, session, timeMs), 'latin1');
    for (const monitor of this.#sessions) {
      // RESET ends it.
      if (!monitor.isMonitor) this.#sessions.delete(monitor);
      else if (
        monitor.rights()?.isAdmin !== true ||
        monitor.figures.outputBytes > serverFixed.redisPubsubUnsentBytesMax
      )
        monitor.kill('now');
      else monitor.push(line);
    }
  }
}

function lineOf(name: string, args: Arguments, { database, address }: ClientSession, timeMs: number): string {
  const words: string[] = [];
  let bytesLeft: number = serverFixed.redisMonitorLineBytesMax;
  for (let index = 0; index < args.count; index++) {
    if (bytesLeft <= 0) {
      words.push('...');
      break;
    }
    const word = toldWord(name, args, index, bytesLeft, (head) => `${head}...`);
    bytesLeft -= word.length + 3;
    words.push(quoted(word));
  }
  return `+${(timeMs / 1000).toFixed(6)} [${database} ${address}] ${words.join(' ')}\r\n`;
}
