/** The work of `snapshot`, `compact`. */
import { displaySize } from '../terminal/display.ts';
import type { Session } from '../session/session.ts';

export async function snapshot({ client, output, isJson, askedFor }: Session): Promise<void> {
  const result = await client.admin.snapshot(askedFor);
  if (isJson) await output.writeJson(result);
  else await output.writeLine(`revision ${result.revision}, ${displaySize(result.bytes)}`);
}

export async function compact(
  { client, output, isJson, askedFor }: Session,
  revision: number,
): Promise<void> {
  const result = await client.admin.compact(revision, askedFor);
  if (isJson) await output.writeJson(result);
  else await output.writeLine(`readable from revision ${result.oldestRevision} on`);
}
