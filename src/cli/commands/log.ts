/** `log`. */
import { type Command, Option } from 'commander';
import { wholeNumber } from '../argument.ts';
import { UsageError } from '../exit-code.ts';
import { recordJson, recordLines } from '../log-lines.ts';
import { type OfflineTask, runOffline } from '../offline-task.ts';
import type { SessionRunner } from '../session.ts';

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
      runOffline(runner, command, (task) => printLog(path, flags, task)),
    );
}

interface LogFlags {
  readonly from?: number;
  readonly to?: number;
  readonly values?: boolean;
}

/** Lines are gathered up to this length before they are written. */
const GATHERED_CHARACTERS_MAX = 64 * 1024;

async function printLog(
  path: string,
  { from, to, values = false }: LogFlags,
  { output, isJson }: OfflineTask,
): Promise<void> {
  if (from !== undefined && to !== undefined && from > to) throw new UsageError('--from is above --to');
  const { readLog } = await import('../../offline/log-records.ts');
  let gathered = '';
  const request = {
    path,
    ...(from !== undefined && { fromRevision: from }),
    ...(to !== undefined && { toRevision: to }),
  };
  try {
    const { torn, firstRevision } = await readLog(request, (record) => {
      gathered += isJson ? `${JSON.stringify(recordJson(record, values))}\n` : recordLines(record, values);
      if (gathered.length < GATHERED_CHARACTERS_MAX) return undefined;
      const lines = gathered;
      gathered = '';
      return output.write(lines);
    });
    if (from !== undefined && from < firstRevision)
      output.note(`the log begins at revision ${firstRevision}`);
    if (torn !== undefined) {
      const { file, offset, bytes } = torn;
      output.note(
        `behind the end, at ${file}, offset ${offset}, are ${bytes} bytes of a write that was never acknowledged`,
      );
    }
  } finally {
    // Also what stands before damage.
    await output.write(gathered);
  }
}

const help = `
A line for each effect: revision, time, what happened. Notes, such as the renewal of a lease, take no revision and
have a "-" instead. Ends with 1 and a message where the log is damaged.

Examples:
  kelp log ./data
  kelp log ./data --from 100 --to 120 --values
  kelp log ./data/log/00000000000000000001.log --json`;
