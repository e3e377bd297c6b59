/** What is told of each command that runs: to the counts, to SLOWLOG and to those who MONITOR. */
import type { Clock } from '../../../clock.ts';
import type { Arguments, CommandFacts } from '../commands/command.ts';
import type { ClientSession } from '../commands/session-command.ts';
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
