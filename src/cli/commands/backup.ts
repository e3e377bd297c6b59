/** `backup`. */
import type { Command } from 'commander';
import { displayCount, displaySize } from '../display.ts';
import { UsageError } from '../exit-code.ts';
import { progressNotes } from '../offline-task.ts';
import type { Session, SessionRunner } from '../session.ts';

export function addBackupCommand(program: Command, runner: SessionRunner): void {
  program
    .command('backup')
    .argument('<file>', 'where to write it; - for standard output')
    .description('write a backup of the whole store, at one revision, while writes go on')
    .addHelpText('after', help)
    .action((path: string, _: unknown, command: Command) =>
      runner.run(command, (session) => backup(session, path)),
    );
}

async function backup({ client, output, isJson, askedFor }: Session, path: string): Promise<void> {
  const pieces = client.admin.backup(askedFor);
  const onProgress = progressNotes(output);
  if (path === '-') {
    if (output.isTerminal) throw new UsageError('a backup is no text; redirect or pipe it, or name a file');
    let doneBytes = 0;
    for await (const piece of pieces) {
      await output.write(piece);
      doneBytes += piece.length;
      onProgress({ work: 'writing the backup', doneBytes, totalBytes: 0 });
    }
    return;
  }
  const { writeBackupFile } = await import('../../offline/backup-file.ts');
  const info = await writeBackupFile(path, pieces, onProgress);
  if (isJson) await output.writeJson(info);
  else {
    const keys = displayCount(info.versionCount, 'key');
    const leases = displayCount(info.leaseCount, 'lease');
    await output.writeLine(`revision ${info.revision}, ${keys}, ${leases}, ${displaySize(info.bytes)}`);
  }
}

const help = `
The file is written under another name, read back, verified and only then given its name; an existing one is never
overwritten. What goes to standard output can be verified later, with kelp verify.

Examples:
  kelp backup kelp.backup
  kelp backup - | gzip -1 > kelp.backup.gz`;
