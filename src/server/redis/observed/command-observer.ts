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

  /** A command has run, in so long: its words are still there. */
  readonly after = (
    session: ClientSession,
    { name, flags }: CommandFacts,
    args: Arguments,
    durationMs: number,
  ): void => {
    const { stats, slowLog, monitors } = this;
    const micros = durationMs * 1000;
    stats.ended(name, micros);
    if (slowLog.isSlow(micros) && !flags.includes('skip_slowlog'))
      slowLog.add(name, args, session, this.#clock.nowMs(), micros);
    if (!monitors.isEmpty && !flags.includes('skip_monitor') && !flags.includes('admin'))
      monitors.tell(name, args, session, this.#clock.nowMs());
  };
}
