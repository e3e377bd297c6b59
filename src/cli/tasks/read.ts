/** The work of `get`, `exists`, `keys`, `scan`. */
import type { Entry } from '../../client/messages/entry.ts';
import { canonicalKey, keyOf, namedKey } from '../../arguments/key.ts';
import { displayTimeLeft, displayValue, writeValue } from '../terminal/display.ts';
import { type ExitCode, exitCode } from '../process/exit-code.ts';
import { entryJson, keyJson } from '../../api-json.ts';
import type { KeyForm } from '../command-line/key-form.ts';
import { type RangeFlags, rangeOf } from '../command-line/range-options.ts';
import type { Session } from '../session/session.ts';
import { type Column, Table } from '../terminal/table.ts';

const typeNotes = () => import('./data-types/type-notes.ts');

export interface GetFlags {
  readonly revision?: number;
  readonly refreshTtl?: boolean;
}

export async function get(
  { client, output, isJson, keys }: Session,
  typed: string,
  flags: GetFlags,
): Promise<ExitCode> {
  const key = keys.read(typed);
  const { entry, revision } = await client.get(key, flags);
  if (isJson) await output.writeJson({ ...(entry && { entry: entryJson(entry) }), revision });
  else if (entry === undefined) output.note(`there is no key ${keys.show(key)}`);
  else if (entry.type !== undefined) throw (await typeNotes()).notPlain(typed, entry.type);
  else await writeValue(output, entry.value);
  return entry === undefined ? exitCode.no : exitCode.ok;
}

export async function exists({ client, output, isJson, keys }: Session, typed: string[]): Promise<ExitCode> {
  const asked = typed.map(keys.read);
  const { exists, revision } = await client.exists(asked);
  const answers = asked.map((key, index) => ({ key, exists: exists[index] === true }));
  if (isJson) {
    await output.writeJson({
      keys: answers.map(({ key, exists }) => ({ ...keyJson(namedKey(canonicalKey(key))), exists })),
      revision,
    });
  } else {
    const table = new Table([{ title: 'KEY' }, { title: 'EXISTS' }]);
    await output.write(
      await table.format(answers.map(({ key, exists }) => [keys.show(key), exists ? 'yes' : 'no'])),
    );
  }
  return answers.every(({ exists }) => exists) ? exitCode.ok : exitCode.no;
}

export async function keys(
  { client, output, isJson, keys: form }: Session,
  pattern: string | undefined,
  flags: { limit?: number },
): Promise<void> {
  for await (const { items } of client.keys(pattern, flags).pages()) {
    await output.write(
      items.map((key) => `${isJson ? JSON.stringify(keyJson(namedKey(key))) : form.show(key)}\n`).join(''),
    );
  }
}

export interface ScanFlags extends RangeFlags {
  readonly limit?: number;
  readonly revision?: number;
  readonly reverse?: boolean;
  readonly keysOnly?: boolean;
  readonly count?: boolean;
}

export async function scan({ client, output, isJson, keys }: Session, flags: ScanFlags): Promise<void> {
  const range = rangeOf(flags, keys);
  const { prefix: _prefix, start: _start, end: _end, count, ...options } = flags;
  if (count) {
    const answer = await client.count(range, options);
    return isJson ? output.writeJson(answer) : output.writeLine(String(answer.count));
  }
  const { keysOnly = false } = options;
  const table = new Table(entryColumns);
  for await (const { items } of client.scan(range, options).pages()) {
    if (isJson)
      await output.write(items.map((entry) => `${JSON.stringify(entryJson(entry, !keysOnly))}\n`).join(''));
    else if (keysOnly) await output.write(items.map((entry) => `${keys.show(keyOf(entry))}\n`).join(''));
    else if (items.length > 0)
      await output.write(await table.format(items.map((entry) => entryRow(entry, keys))));
  }
}

const entryColumns: readonly Column[] = [
  { title: 'KEY' },
  { title: 'VALUE' },
  { title: 'REVISION', isNumber: true },
  { title: 'VERSION', isNumber: true },
  { title: 'LEASE', isNumber: true },
  { title: 'EXPIRES IN' },
];

function entryRow(entry: Entry, { show }: KeyForm): string[] {
  const { type, value, modRevision, version, leaseId, expireTimeMs } = entry;
  return [
    show(keyOf(entry)),
    type === undefined ? displayValue(value) : `(${type})`,
    String(modRevision),
    String(version),
    leaseId === 0 ? '-' : String(leaseId),
    displayTimeLeft(expireTimeMs),
  ];
}
