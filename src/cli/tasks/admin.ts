/** The work of `snapshot`, `compact`. */
import { UsageError } from '../../shell-words/usage-error.ts';
import { displaySize } from '../terminal/display.ts';
import { storageSizesText } from './storage-text.ts';
import type { Session } from '../session/session.ts';

export async function snapshot({ client, output, isJson, askedFor }: Session): Promise<void> {
  const result = await client.admin.snapshot(askedFor);
  if (isJson) await output.writeJson(result);
  else await output.writeLine(`revision ${result.revision}, ${displaySize(result.bytes)}`);
}

export interface CompactFlags {
  readonly storage?: boolean;
}

export async function compact(
  session: Session,
  revision: number | undefined,
  { storage = false }: CompactFlags,
): Promise<void> {
  if (storage) {
    if (revision !== undefined)
      throw new UsageError('--storage takes no revision: it merges files, and drops no history');
    return compactStorage(session);
  }
  if (revision === undefined) throw new UsageError('name the oldest revision to keep, or give --storage');
  return dropHistory(session, revision);
}

async function compactStorage({ client, output, isJson, askedFor }: Session): Promise<void> {
  const result = await client.admin.compactStorage(askedFor);
  if (isJson) return output.writeJson(result);
  await output.writeLine(storageSizesText(result));
}

async function dropHistory({ client, output, isJson, askedFor }: Session, revision: number): Promise<void> {
  const result = await client.admin.compact(revision, askedFor);
  if (isJson) await output.writeJson(result);
  else await output.writeLine(`readable from revision ${result.oldestRevision} on`);
}
