/** The work of `put`, `delete`, `incr`, `touch`. */
import type { Condition } from '../../api.ts';
import type { DeleteResult, PutResult } from '../../client/messages/types.ts';
import { displayTimeLeft, displayValue } from '../terminal/display.ts';
import { type ExitCode, exitCode } from '../process/exit-code.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import { readInput } from '../command-line/input.ts';
import { entryJson, previousJson } from '../../api-json.ts';
import type { Output } from '../terminal/output.ts';
import { type RangeFlags, rangeOf } from '../command-line/range-options.ts';
import type { Session } from '../session/session.ts';

interface ConditionFlags {
  readonly ifAbsent?: boolean;
  readonly ifExists?: boolean;
  readonly ifRevision?: number;
}

function conditionOf({ ifAbsent, ifExists, ifRevision }: ConditionFlags): { readonly condition?: Condition } {
  if (ifAbsent) return { condition: { kind: 'mustNotExist' } };
  if (ifExists) return { condition: { kind: 'mustExist' } };
  if (ifRevision !== undefined) return { condition: { kind: 'modRevisionEquals', modRevision: ifRevision } };
  return {};
}

export interface PutFlags extends ConditionFlags {
  readonly file?: string;
  readonly ttl?: number;
  readonly lease?: number;
  readonly previous?: boolean;
}

export async function put(
  { client, output, stdin, isJson, keys }: Session,
  typed: string,
  value: string | undefined,
  flags: PutFlags,
): Promise<void> {
  if ((value === undefined) === (flags.file === undefined)) {
    throw new UsageError('give one value: as an argument, - for standard input, or --file');
  }
  const key = keys.read(typed);
  const path = flags.file ?? (value === '-' ? value : undefined);
  const result = await client.put(key, path === undefined ? (value ?? '') : await readInput(path, stdin), {
    ...conditionOf(flags),
    ...(flags.ttl !== undefined && { ttlMs: flags.ttl }),
    ...(flags.lease !== undefined && { leaseId: flags.lease }),
    returnPrevious: flags.previous ?? false,
  });
  if (isJson) return output.writeJson({ revision: result.revision, ...previousJson(result.previous) });
  await output.writeLine(`revision ${result.revision}`);
  if (flags.previous) await writePrevious(output, result);
}

async function writePrevious(output: Output, { previous }: PutResult | DeleteResult): Promise<void> {
  const text =
    previous === undefined ? 'none' : `${displayValue(previous.value)} of revision ${previous.modRevision}`;
  await output.writeLine(`previous ${text}`);
}

export interface DeleteFlags extends RangeFlags {
  readonly all?: boolean;
  readonly inParts?: boolean;
  readonly ifRevision?: number;
  readonly previous?: boolean;
}

export async function deleteKey(
  { client, output, isJson, keys }: Session,
  typed: string,
  flags: DeleteFlags,
): Promise<ExitCode> {
  const { prefix, start, end, all } = flags;
  if ([prefix, start, end, all].some((flag) => flag !== undefined)) {
    throw new UsageError('give either a key or a range');
  }
  if (flags.inParts) throw new UsageError('--in-parts is for a range, not for one key');
  const key = keys.read(typed);
  const result = await client.delete(key, { ...conditionOf(flags), returnPrevious: flags.previous ?? false });
  const { revision, deleted, previous } = result;
  if (isJson) {
    await output.writeJson({ revision, deleted, ...previousJson(previous) });
  } else if (deleted) {
    await output.writeLine(`revision ${revision}`);
    if (flags.previous) await writePrevious(output, result);
  } else {
    output.note(`there is no key ${keys.show(key)}`);
  }
  return deleted ? exitCode.ok : exitCode.no;
}

export async function deleteRange(
  { client, output, isJson, keys, askedFor }: Session,
  flags: DeleteFlags,
): Promise<void> {
  const range = rangeOf(flags, keys, 'give --all');
  const isAll = Object.keys(range).length === 0;
  if (isAll !== (flags.all === true)) {
    throw new UsageError('give a key, --prefix, --start and/or --end, or --all for all keys there are');
  }
  if (flags.ifRevision !== undefined || flags.previous) {
    throw new UsageError('--if-revision and --previous are for one key, not for a range');
  }
  const { inParts = false } = flags;
  const options = { inParts, ...askedFor };
  const result = await client.deleteRange(isAll ? { all: true } : range, options);
  const { deletedCount, firstRevision, revision } = result;
  if (isJson) return output.writeJson({ deletedCount, firstRevision, revision });
  const revisions =
    firstRevision === revision ? `revision ${revision}` : `revisions ${firstRevision} to ${revision}`;
  await output.writeLine(`deleted ${deletedCount}, ${revisions}`);
}

export async function increment(
  { client, output, isJson, keys }: Session,
  key: string,
  delta: bigint,
  ttlMs: number | undefined,
): Promise<void> {
  const { value, revision } = await client.increment(
    keys.read(key),
    delta,
    ttlMs === undefined ? {} : { ttlMs },
  );
  if (isJson) await output.writeJson({ value: String(value), revision });
  else await output.writeLine(String(value));
}

export interface TouchFlags {
  readonly ttl?: number;
  readonly forever?: boolean;
}

export async function touch(
  { client, output, isJson, keys }: Session,
  key: string,
  flags: TouchFlags,
): Promise<void> {
  const ttlMs = flags.forever ? 0 : flags.ttl;
  const { revision, entry } = await client.touch(keys.read(key), ttlMs === undefined ? {} : { ttlMs });
  if (isJson) return output.writeJson({ revision, entry: entryJson(entry, false) });
  const life =
    entry.expireTimeMs === 0 ? 'lives for ever' : `expires in ${displayTimeLeft(entry.expireTimeMs)}`;
  await output.writeLine(`revision ${revision}, ${life}`);
}
