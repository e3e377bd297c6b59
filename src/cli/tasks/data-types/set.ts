/** The work of `set add`, `remove`, `contains`, `members`, `pop`, `union`, `intersect`, `difference`. */
import { given } from '../../../arguments/shape.ts';
import type { SetOperation } from '../../../collections/types.ts';
import { type ExitCode, exitCode } from '../../process/exit-code.ts';
import type { Session } from '../../session/session.ts';
import { elementLines, nameJson, writeAnswers, writeElements } from './printing.ts';

export interface SetAddFlags {
  readonly ttl?: number;
}

export async function add(
  session: Session,
  key: string,
  members: string[],
  flags: SetAddFlags,
): Promise<void> {
  const { client, output, isJson, keys } = session;
  const options = given({ ttlMs: flags.ttl });
  const result = await client.set.add(keys.read(key), members.map(keys.read), options);
  if (isJson) await output.writeJson(result);
  else await output.writeLine(`${result.addedCount} new of ${result.count}, revision ${result.revision}`);
}

export async function remove(session: Session, key: string, members: string[]): Promise<ExitCode> {
  const { client, output, isJson, keys } = session;
  const result = await client.set.remove(keys.read(key), members.map(keys.read));
  const { removedCount, count, revision } = result;
  if (isJson) await output.writeJson(result);
  else await output.writeLine(`removed ${removedCount}, ${count} left, revision ${revision}`);
  return removedCount > 0 ? exitCode.ok : exitCode.no;
}

export async function contains(
  session: Session,
  key: string,
  members: string[],
  flags: { readonly revision?: number },
): Promise<ExitCode> {
  const { client, keys } = session;
  const result = await client.set.contains(keys.read(key), members.map(keys.read), given(flags));
  const { contained } = result;
  await writeAnswers(
    session,
    { typed: members, answers: contained, titles: ['MEMBER', 'CONTAINED'] },
    result,
  );
  return contained.every(Boolean) ? exitCode.ok : exitCode.no;
}

export interface MembersFlags {
  readonly limit?: number;
  readonly revision?: number;
}

export async function members(session: Session, key: string, flags: MembersFlags): Promise<void> {
  await writeElements(session, session.client.set.scan(session.keys.read(key), given(flags)), true);
}

export interface TakeFlags {
  readonly count?: number;
}

export async function pop(session: Session, key: string, flags: TakeFlags): Promise<ExitCode> {
  const { client, output, isJson, keys } = session;
  const result = await client.set.pop(keys.read(key), given({ limit: flags.count }));
  if (isJson) await output.writeJson({ ...result, members: result.members.map(nameJson) });
  else await output.write(elementLines(result.members, session, true));
  return result.members.length > 0 ? exitCode.ok : exitCode.no;
}

export interface CombineFlags {
  readonly store?: string;
}

export async function combine(
  session: Session,
  operation: SetOperation,
  typed: string[],
  flags: CombineFlags,
): Promise<void> {
  const { client, output, isJson, keys } = session;
  const options = flags.store === undefined ? {} : { destination: keys.read(flags.store) };
  const result = await client.set.combine(operation, typed.map(keys.read), options);
  const { members, count, revision } = result;
  if (isJson) await output.writeJson({ ...result, members: members.map(nameJson) });
  else if (flags.store === undefined) await output.write(elementLines(members, session, true));
  else await output.writeLine(`${count} members, revision ${revision}`);
}
