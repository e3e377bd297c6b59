/** What is told of each command that runs: to the counts, to SLOWLOG and to those who MONITOR. */
import type { Clock } from '../../../clock.ts';
import type { Arguments, CommandFacts } from '../commands/command.ts';
import type { ClientSession } from '../commands/session-command.ts';
import { serverFixed } from '../../../limits.ts';
import { CommandStats } from './command-stats.ts';
import { Monitors } from './monitors.ts';
import { SlowLog } from './slow-log.ts';

export class CommandObserver {
  readonly stats = new CommandStats();
  readonly slowLog = new SlowLog();
  readonly monitors = new Monitors();
  readonly #clock: Pick<Clock, 'nowMs'>;

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** Calls of a command have run together: none was slow enough to be told of. */
  readonly afterRow = ({ name }: CommandFacts, _count: number, durationMs: number): void =>
    this.stats.ended(name, durationMs * 1000);

  /** Whether MONITOR, or SLOWLOG with a low bound, is to be told of each call. */
  readonly wantsEach = (): boolean =>
    !this.monitors.isEmpty || this.slowLog.isSlow(serverFixed.redisMeasuredMicrosMax);

  /** A command has run, or begun to: its words are still there. */
  readonly ran = (session: ClientSession, { name, flags }: CommandFacts, args: Arguments): void => {
    const { monitors } = this;
    if (!monitors.isEmpty && !flags.includes('skip_monitor') && !flags.includes('admin'))
      monitors.tell(name, args, session, this.#clock.nowMs());
  };

  /** A command has come to its end: its words are still there. */
  readonly ended = (
    session: ClientSession,
    { name, flags }: CommandFacts,
    args: Arguments,
    durationMs: number,
  ): void => {
    const { stats, slowLog } = this;
    const micros = durationMs * 1000;
    stats.ended(name, micros);
    if (slowLog.isSlow(micros) && !flags.includes('skip_slowlog'))
      slowLog.add(name, args, session, this.#clock.nowMs(), micros);
  };
}
