/** The work of `hash set`, `get`, `scan`, `delete`, `incr`. */
import { given } from '../../../arguments/shape.ts';
import type { Key } from '../../../api.ts';
import { valueJson } from '../../../api-json.ts';
import type { HashField } from '../../../collections/hash-fields.ts';
import { bigNumber } from '../../command-line/argument.ts';
import { displayValue, writeValue } from '../../terminal/display.ts';
import { type ExitCode, exitCode } from '../../process/exit-code.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import type { Session } from '../../session/session.ts';
import { type Column, Table } from '../../terminal/table.ts';
import { nameJson, pairsIn, shownName } from './printing.ts';

export interface HashSetFlags {
  readonly ifAbsent?: boolean;
  readonly ttl?: number;
}

export async function set(
  session: Session,
  key: string,
  typed: string[],
  flags: HashSetFlags,
): Promise<void> {
  const { client, output, isJson, keys } = session;
  const pairs = pairsIn(typed, 'a name and a value');
  const fields = pairs.map(([name, value]) => [keys.read(name), value] as const);
  const options = given({ onlyIfAbsent: flags.ifAbsent, ttlMs: flags.ttl });
  const result = await client.hash.set(keys.read(key), fields, options);
  if (isJson) await output.writeJson(result);
  else await output.writeLine(`${result.addedCount} new of ${result.count}, revision ${result.revision}`);
}

export interface HashGetFlags {
  readonly revision?: number;
  readonly refreshTtl?: boolean;
}

export async function get(
  session: Session,
  key: string,
  names: string[],
  flags: HashGetFlags,
): Promise<ExitCode> {
  const { client, output, isJson, keys } = session;
  const asked = names.map(keys.read);
  const options = { ...given(flags), ...(asked.length > 0 && { names: asked }) };
  const { fields, count, revision } = await client.hash.get(keys.read(key), options);
  const [only] = fields;
  if (isJson) await output.writeJson({ fields: [...fields].map(fieldJson), count, revision });
  else if (count === 0) output.note(`there is no hash ${keys.show(keys.read(key))}`);
  else if (names.length !== 1) await output.write(await fieldTable().format([...fields].map(rowIn(session))));
  else if (only === undefined) output.note(`there is no field ${keys.show(asked[0] ?? '')}`);
  else await writeValue(output, only.value.bytes);
  return fields.size > 0 ? exitCode.ok : exitCode.no;
}

export interface HashScanFlags {
  readonly limit?: number;
  readonly revision?: number;
  readonly namesOnly?: boolean;
}

export async function scan(session: Session, key: string, flags: HashScanFlags): Promise<void> {
  const { client, output, isJson, keys } = session;
  const { namesOnly = false } = flags;
  const table = fieldTable();
  for await (const { items } of client.hash.scan(keys.read(key), given(flags)).pages()) {
    if (isJson)
      await output.write(items.map((field) => `${JSON.stringify(jsonOf(field, namesOnly))}\n`).join(''));
    else if (namesOnly) await output.write(items.map(({ name }) => `${shownName(name, session)}\n`).join(''));
    else if (items.length > 0) await output.write(await table.format(items.map(rowIn(session))));
  }
}

const columns: readonly Column[] = [{ title: 'FIELD' }, { title: 'VALUE' }];
const fieldTable = (): Table => new Table(columns);
const fieldJson = (field: HashField): object => jsonOf(field, false);

function jsonOf({ name, value }: HashField, namesOnly: boolean): object {
  return { name: nameJson(name), ...(!namesOnly && { value: valueJson(value.bytes) }) };
}

function rowIn(session: Session): (field: HashField) => string[] {
  return ({ name, value }) => [shownName(name, session), displayValue(value.bytes)];
}

export async function deleteFields(session: Session, key: string, names: string[]): Promise<ExitCode> {
  const { client, output, isJson, keys } = session;
  const result = await client.hash.delete(keys.read(key), names.map(keys.read));
  const { deletedCount, count, revision } = result;
  if (isJson) await output.writeJson(result);
  else await output.writeLine(`deleted ${deletedCount}, ${count} left, revision ${revision}`);
  return deletedCount > 0 ? exitCode.ok : exitCode.no;
}

export interface HashIncrementFlags {
  readonly float?: boolean;
  readonly ttl?: number;
}

export async function increment(
  session: Session,
  key: string,
  name: string,
  delta: string | undefined,
  flags: HashIncrementFlags,
): Promise<void> {
  const { client, output, isJson, keys } = session;
  const [hash, field, options] = [keys.read(key), keys.read(name), given({ ttlMs: flags.ttl })];
  const { value, revision } = flags.float
    ? await incrementFloat(client, hash, field, delta, options)
    : await client.hash.increment(hash, field, wholeDelta(delta), options);
  if (isJson) await output.writeJson({ value: String(value), revision });
  else await output.writeLine(String(value));
}

/** The sum as the field has it: a number may have fewer digits. */
async function incrementFloat(
  client: Session['client'],
  key: Key,
  name: Key,
  typed: string | undefined,
  options: { readonly ttlMs?: number },
): Promise<{ readonly value: string; readonly revision: number }> {
  const delta = Number(typed ?? 1);
  if (!Number.isFinite(delta) || typed?.trim() === '') throw new UsageError(`${typed} is no number`);
  const { text, revision } = await client.hash.incrementFloat(key, name, delta, options);
  return { value: text, revision };
}

function wholeDelta(typed: string | undefined): bigint {
  if (typed === undefined) return 1n;
  try {
    return bigNumber(typed);
  } catch (error) {
    throw new UsageError(`${typed} is no whole number of 64 bits; with --float any number is added`, {
      cause: error,
    });
  }
}
