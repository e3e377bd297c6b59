/** `backup`. */
import type { Command } from 'commander';
import type { SessionRunner } from '../session/session.ts';

const tasks = () => import('../tasks/offline/backup.ts');

export function addBackupCommand(program: Command, runner: SessionRunner): void {
  program
    .command('backup')
    .argument('<file>', 'where to write it; - for standard output')
    .description('write a backup of the whole store, at one revision, while writes go on')
    .addHelpText('after', help)
    .action((path: string, _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).backup(session, path)),
    );
}

const help = `
The file is written under another name, read back, verified and only then given its name; an existing one is never
overwritten. A signal, such as that of Ctrl-C, breaks it off and leaves nothing behind. What goes to standard output
can be verified later, with kelp verify.

With an engine on disk it is of a checkpoint, which ends history: older revisions can't be read any more. Watches go on.

Examples:
  kelp backup kelp.backup
  kelp backup - | gzip -1 > kelp.backup.gz`;
