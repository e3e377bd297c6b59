/** `log`. */
import { type Command, Option } from 'commander';
import { wholeNumber } from '../command-line/argument.ts';
import { runOffline } from '../session/offline-task.ts';
import type { SessionRunner } from '../session/session.ts';
import type { LogFlags } from '../tasks/offline/log.ts';

const tasks = () => import('../tasks/offline/log.ts');

export function addLogCommand(program: Command, runner: SessionRunner): void {
  program
    .command('log')
    .argument('<path>', 'a data directory that no server is using, a folder of segments, or one segment')
    .description('print the records of a log')
    .configureHelp({ showGlobalOptions: false })
    .addOption(new Option('--from <revision>', 'begin with this revision').argParser(wholeNumber))
    .addOption(new Option('--to <revision>', 'end with this revision').argParser(wholeNumber))
    .option('--values', 'print values, not only their length')
    .option('--json', 'print JSON, one record in a line')
    .addHelpText('after', help)
    .action((path: string, flags: LogFlags, command: Command) =>
      runOffline(runner, command, async (task) => (await tasks()).printLog(path, flags, task)),
    );
}

const help = `
A line for each effect: revision, time, what happened. Notes, such as the renewal of a lease, take no revision and
have a "-" instead. Ends with 1 and a message where the log is damaged.

Examples:
  kelp log ./data
  kelp log ./data --from 100 --to 120 --values
  kelp log ./data/log/00000000000000000001.log --json`;
