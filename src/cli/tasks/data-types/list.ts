/** The work of `list push`, `pop`, `range`, `set`, `insert`, `remove`, `trim`, `move`. */
import { given } from '../../../arguments/shape.ts';
import { valueJson } from '../../../api-json.ts';
import type { CountedChangeResult } from '../../../collections/types.ts';
import { type ExitCode, exitCode } from '../../process/exit-code.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import type { Session } from '../../session/session.ts';
import { elementLines, writeElements } from './printing.ts';

export interface PushFlags {
  readonly head?: boolean;
  readonly ifExists?: boolean;
  readonly ttl?: number;
}

export async function push(
  session: Session,
  key: string,
  elements: string[],
  flags: PushFlags,
): Promise<ExitCode> {
  const { client, keys } = session;
  const result = await client.list.push(keys.read(key), elements, {
    end: flags.head ? 'head' : 'tail',
    ...given({ onlyIfExists: flags.ifExists, ttlMs: flags.ttl }),
  });
  await writeCount(session, result);
  return result.count > 0 ? exitCode.ok : exitCode.no;
}

async function writeCount({ output, isJson }: Session, result: CountedChangeResult): Promise<void> {
  if (isJson) await output.writeJson(result);
  else await output.writeLine(`${result.count} elements, revision ${result.revision}`);
}

export interface PopFlags {
  readonly tail?: boolean;
  readonly count?: number;
}

export async function pop(session: Session, key: string, flags: PopFlags): Promise<ExitCode> {
  const { client, output, isJson, keys } = session;
  const { elements, count, revision } = await client.list.pop(keys.read(key), {
    end: flags.tail ? 'tail' : 'head',
    ...given({ limit: flags.count }),
  });
  if (isJson) {
    await output.writeJson({ elements: elements.map(({ bytes }) => valueJson(bytes)), count, revision });
  } else {
    await output.write(elementLines(elements, session, false));
  }
  return elements.length > 0 ? exitCode.ok : exitCode.no;
}

export interface ListRangeFlags {
  readonly limit?: number;
  readonly revision?: number;
}

export async function range(
  session: Session,
  key: string,
  places: { readonly start: number | undefined; readonly stop: number | undefined },
  flags: ListRangeFlags,
): Promise<void> {
  const { client, keys } = session;
  const list = client.list.scan(keys.read(key), { ...given(places), ...given(flags) });
  await writeElements(session, list, false);
}

export async function set(session: Session, key: string, index: number, element: string): Promise<void> {
  const { client, output, isJson, keys } = session;
  const result = await client.list.set(keys.read(key), index, element);
  if (isJson) await output.writeJson(result);
  else await output.writeLine(`revision ${result.revision}`);
}

export interface InsertFlags {
  readonly before?: string;
  readonly behind?: string;
}

export async function insert(
  session: Session,
  key: string,
  element: string,
  flags: InsertFlags,
): Promise<ExitCode> {
  const { client, output, isJson, keys } = session;
  if (flags.before === undefined && flags.behind === undefined) {
    throw new UsageError('say where: --before or --behind another element');
  }
  const result = await client.list.insert(keys.read(key), element, given(flags));
  if (isJson) await output.writeJson(result);
  else if (result.inserted) await output.writeLine(`${result.count} elements, revision ${result.revision}`);
  else output.note('there is no such element');
  return result.inserted ? exitCode.ok : exitCode.no;
}

export interface RemoveFlags {
  readonly count?: number;
}

export async function remove(
  session: Session,
  key: string,
  element: string,
  flags: RemoveFlags,
): Promise<ExitCode> {
  const { client, output, isJson, keys } = session;
  const result = await client.list.remove(keys.read(key), element, given({ limit: flags.count }));
  const { removedCount, count, revision } = result;
  if (isJson) await output.writeJson(result);
  else await output.writeLine(`removed ${removedCount}, ${count} left, revision ${revision}`);
  return removedCount > 0 ? exitCode.ok : exitCode.no;
}

export async function trim(
  session: Session,
  key: string,
  places: { readonly start: number; readonly stop: number },
): Promise<void> {
  const { client, keys } = session;
  await writeCount(session, await client.list.trim(keys.read(key), places));
}

export interface MoveFlags {
  readonly fromTail?: boolean;
  readonly toHead?: boolean;
}

export async function move(
  session: Session,
  key: string,
  destination: string,
  flags: MoveFlags,
): Promise<ExitCode> {
  const { client, output, isJson, keys } = session;
  const { element, revision } = await client.list.move(keys.read(key), keys.read(destination), {
    from: flags.fromTail ? 'tail' : 'head',
    to: flags.toHead ? 'head' : 'tail',
  });
  if (isJson) {
    await output.writeJson({ ...(element !== undefined && { element: valueJson(element.bytes) }), revision });
  } else if (element !== undefined) {
    await output.write(elementLines([element], session, false));
  }
  return element === undefined ? exitCode.no : exitCode.ok;
}
