/** `shell`. */
import { type Command, Option } from 'commander';
import { UsageError } from '../../shell-words/usage-error.ts';
import { runOffline } from '../session/offline-task.ts';
import type { SessionRunner } from '../session/session.ts';
import { progressOn } from '../terminal/progress.ts';

const shell = () => import('../shell/shell.ts');

export function addShellCommand(program: Command, runner: SessionRunner): void {
  const { stdin, output, environment } = runner.surroundings;
  program
    .command('shell')
    .description('a prompt for commands such as SET and GET, or a script of them on standard input')
    .addOption(
      new Option(
        '--data-dir <folder>',
        'use the store in this folder, with no server at all; it is made if need be',
      ),
    )
    .addHelpText('after', help)
    .action((flags: { dataDir?: string }, command: Command) => {
      const { dataDir } = flags;
      if (command.getOptionValueSourceWithGlobals('hexKeys') === 'cli') {
        throw new UsageError(
          "kelp shell has no option --hex-keys; in it a key that is not UTF-8 is $'\\xff'",
        );
      }
      if (dataDir !== undefined) {
        refuseServerOptions(program);
        return runOffline(runner, command, async ({ isJson, onProgress }) => {
          const { openEmbeddedStore } = await import('../shell/store/embedded-store.ts');
          const { runShell } = await shell();
          await using store = await openEmbeddedStore(dataDir, onProgress);
          return await runShell(store, { stdin, output, environment, isJson, onProgress });
        });
      }
      return runner.run(command, async ({ client, isJson, askedFor }) => {
        const { ClientStore } = await import('../shell/store/client-store.ts');
        const { runShell } = await shell();
        const { address } = command.optsWithGlobals<{ readonly address: string }>();
        const store = new ClientStore(client, address, askedFor);
        const onProgress = progressOn(output, isJson);
        return runShell(store, { stdin, output, environment, isJson, onProgress });
      });
    });
}

function refuseServerOptions(program: Command): void {
  for (const option of program.options) {
    const name = option.attributeName();
    if (name !== 'json' && program.getOptionValueSource(name) === 'cli') {
      throw new UsageError(`${option.long} is for a server; with --data-dir there is none`);
    }
  }
}

const help = `
On a terminal it prompts, also as kelp alone. HELP lists the commands. The history of the lines that were typed is in
~/.local/state/kelp/history; lines that begin with a blank are left out.

A script on standard input has a command in each line; a line that begins with # is a comment. All of them run, and the
exit code is that of the first that failed: 1 where the answer is no, as when there is no such key. With --json each
command prints one line, {"error": ...} where it failed.

Examples:
  kelp shell
  kelp shell --data-dir ./data
  kelp shell --json < commands`;
