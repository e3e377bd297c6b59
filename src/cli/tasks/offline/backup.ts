/** The work of `backup`. */
import { writeBackupFile } from '../../../offline/backup-file.ts';
import { displayHeld, displaySize } from '../../terminal/display.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import { interruptedBy, untilInterrupted } from '../../process/interrupt.ts';
import { progressOn } from '../../terminal/progress.ts';
import type { Session } from '../../session/session.ts';

export async function backup({ client, output, isJson, askedFor }: Session, path: string): Promise<void> {
  const onProgress = progressOn(output, isJson);
  if (path === '-') {
    if (output.isTerminal) throw new UsageError('a backup is no text; redirect or pipe it, or name a file');
    let doneBytes = 0;
    for await (const piece of client.admin.backup(askedFor)) {
      await output.write(piece);
      doneBytes += piece.length;
      onProgress({ work: 'writing the backup', doneBytes, totalBytes: 0 });
    }
    return;
  }
  const info = await untilInterrupted((signal) =>
    writeBackupFile(path, client.admin.backup({ ...askedFor, signal }), interruptedBy(signal, onProgress)),
  );
  if (isJson) await output.writeJson(info);
  else {
    const held = displayHeld(info, 'key');
    await output.writeLine(`revision ${info.revision}, ${held}, ${displaySize(info.bytes)}`);
  }
}
