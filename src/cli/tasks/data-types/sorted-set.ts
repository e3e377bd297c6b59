/** The work of the commands of `kelp zset`. */
import { given } from '../../../arguments/shape.ts';
import type {
  BoundedRange,
  ScoreAggregate,
  ScoredMember,
  SetOperation,
  SortedSetRange,
} from '../../../collections/types.ts';
import type { Bytes } from '../../../collections/bytes.ts';
import { anyNumber } from '../../command-line/argument.ts';
import type { KeyForm } from '../../command-line/key-form.ts';
import { type ExitCode, exitCode } from '../../process/exit-code.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import type { Session } from '../../session/session.ts';
import { displayKey } from '../../terminal/display.ts';
import { Table } from '../../terminal/table.ts';
import { nameJson, pairsIn, shownName } from './printing.ts';

export interface ScoredAddFlags {
  readonly ifAbsent?: boolean;
  readonly ifExists?: boolean;
  readonly ifGreater?: boolean;
  readonly ifLess?: boolean;
  readonly ttl?: number;
}

export async function add(
  session: Session,
  key: string,
  typed: string[],
  flags: ScoredAddFlags,
): Promise<void> {
  const { client, output, isJson, keys } = session;
  const pairs = pairsIn(typed, 'a score and a member');
  const members = pairs.map(([score, member]) => [keys.read(member), scoreOf(score)] as const);
  const { scores: _, ...result } = await client.sortedSet.add(
    keys.read(key),
    members,
    given({
      onlyIfAbsent: flags.ifAbsent,
      onlyIfExists: flags.ifExists,
      onlyIfGreater: flags.ifGreater,
      onlyIfLess: flags.ifLess,
      ttlMs: flags.ttl,
    }),
  );
  const { addedCount, changedCount, count, revision } = result;
  if (isJson) await output.writeJson(result);
  else await output.writeLine(`${addedCount} new of ${count}, ${changedCount} changed, revision ${revision}`);
}

function scoreOf(typed: string): number {
  try {
    return anyNumber(typed);
  } catch (error) {
    throw new UsageError(`${typed} is no score; give a score before each member`, { cause: error });
  }
}

export async function increment(
  session: Session,
  key: string,
  member: string,
  delta: number | undefined,
  flags: { readonly ttl?: number },
): Promise<void> {
  const { client, output, isJson, keys } = session;
  const options = given({ ttlMs: flags.ttl });
  const { score, revision } = await client.sortedSet.increment(
    keys.read(key),
    keys.read(member),
    delta ?? 1,
    options,
  );
  if (isJson) await output.writeJson({ score: scoreJson(score), revision });
  else await output.writeLine(scoreText(score));
}

export async function remove(session: Session, key: string, members: string[]): Promise<ExitCode> {
  const { client, output, isJson, keys } = session;
  const result = await client.sortedSet.remove(keys.read(key), members.map(keys.read));
  const { removedCount, count, revision } = result;
  if (isJson) await output.writeJson(result);
  else await output.writeLine(`removed ${removedCount}, ${count} left, revision ${revision}`);
  return removedCount > 0 ? exitCode.ok : exitCode.no;
}

export async function score(
  session: Session,
  key: string,
  members: string[],
  flags: { readonly revision?: number },
): Promise<ExitCode> {
  const { client, output, isJson, keys } = session;
  const result = await client.sortedSet.score(keys.read(key), members.map(keys.read), given(flags));
  const { scores } = result;
  if (isJson) {
    await output.writeJson({ ...result, scores: scores.map(scoreJson) });
  } else {
    const table = new Table([{ title: 'MEMBER' }, { title: 'SCORE', isNumber: true }]);
    await output.write(
      await table.format(members.map((member, place) => [displayKey(member), scoreText(scores[place])])),
    );
  }
  return scores.includes(undefined) ? exitCode.no : exitCode.ok;
}

export async function rank(
  session: Session,
  key: string,
  member: string,
  flags: { readonly reverse?: boolean },
): Promise<ExitCode> {
  const { client, output, isJson, keys } = session;
  const { rank, score, count, revision } = await client.sortedSet.rank(
    keys.read(key),
    keys.read(member),
    given(flags),
  );
  if (isJson) {
    const found = rank !== undefined && { rank, score: scoreJson(score) };
    await output.writeJson({ ...found, count, revision });
  } else if (rank === undefined) {
    output.note(`there is no member ${displayKey(member)}`);
  } else {
    await output.writeLine(String(rank));
  }
  return rank === undefined ? exitCode.no : exitCode.ok;
}

/** How much of a sorted set is meant. */
export interface BoundsFlags {
  readonly start?: number;
  readonly stop?: number;
  readonly minScore?: number;
  readonly maxScore?: number;
  readonly minMember?: string;
  readonly maxMember?: string;
  readonly excludeMin?: boolean;
  readonly excludeMax?: boolean;
}

export interface ScoredRangeFlags extends BoundsFlags {
  readonly reverse?: boolean;
  readonly limit?: number;
  readonly revision?: number;
}

export async function range(session: Session, key: string, flags: ScoredRangeFlags): Promise<void> {
  const { client, output, isJson, keys } = session;
  const { reverse, limit, revision } = flags;
  const options = given({ reverse, limit, revision });
  const table = memberTable();
  for await (const { items } of client.sortedSet
    .range(keys.read(key), rangeOf(flags, keys), options)
    .pages()) {
    if (isJson) await output.write(items.map((each) => `${JSON.stringify(memberJson(each))}\n`).join(''));
    else if (items.length > 0) await output.write(await table.format(items.map(rowIn(session))));
  }
}

export async function count(session: Session, key: string, flags: BoundsFlags): Promise<void> {
  const { client, output, isJson, keys } = session;
  const answer = await client.sortedSet.count(keys.read(key), rangeOf(flags, keys));
  if (isJson) await output.writeJson(answer);
  else await output.writeLine(String(answer.count));
}

export async function removeRange(session: Session, key: string, flags: BoundsFlags): Promise<void> {
  const { client, output, isJson, keys } = session;
  const bounds = boundsOf(flags, keys);
  if (bounds === undefined) throw new UsageError('say which; kelp delete takes the whole set away');
  const result = await client.sortedSet.removeRange(keys.read(key), bounds);
  const { removedCount, count, revision } = result;
  if (isJson) await output.writeJson(result);
  else await output.writeLine(`removed ${removedCount}, ${count} left, revision ${revision}`);
}

function rangeOf(flags: BoundsFlags, keys: KeyForm): SortedSetRange {
  return boundsOf(flags, keys) ?? {};
}

function boundsOf(flags: BoundsFlags, { read }: KeyForm): BoundedRange | undefined {
  const { start, stop, minScore, maxScore, minMember, maxMember, excludeMin, excludeMax } = flags;
  const exclusive = given({ minExclusive: excludeMin, maxExclusive: excludeMax });
  if (minScore !== undefined || maxScore !== undefined) {
    return { score: { ...given({ min: minScore, max: maxScore }), ...exclusive } };
  }
  if (minMember !== undefined || maxMember !== undefined) {
    const [min, max] = [minMember, maxMember].map((typed) => (typed === undefined ? undefined : read(typed)));
    return { member: { ...given({ min, max }), ...exclusive } };
  }
  if (excludeMin || excludeMax)
    throw new UsageError('--exclude-min and --exclude-max are for scores and members');
  return start === undefined && stop === undefined ? undefined : { rank: given({ start, stop }) };
}

export interface ScoredPopFlags {
  readonly highest?: boolean;
  readonly count?: number;
}

export async function pop(session: Session, key: string, flags: ScoredPopFlags): Promise<ExitCode> {
  const { client, output, isJson, keys } = session;
  const options = given({ highest: flags.highest, limit: flags.count });
  const result = await client.sortedSet.pop(keys.read(key), options);
  if (isJson) await output.writeJson({ ...result, members: result.members.map(memberJson) });
  else if (result.members.length > 0) await writeMembers(session, result.members);
  return result.members.length > 0 ? exitCode.ok : exitCode.no;
}

export interface ScoredCombineFlags {
  readonly store?: string;
  readonly weights?: number[];
  readonly aggregate?: ScoreAggregate;
}

export async function combine(
  session: Session,
  operation: SetOperation,
  typed: string[],
  { store, weights, aggregate }: ScoredCombineFlags,
): Promise<void> {
  const { client, output, isJson, keys } = session;
  const destination = store === undefined ? undefined : keys.read(store);
  const options = given({ destination, weights, aggregate });
  const result = await client.sortedSet.combine(operation, typed.map(keys.read), options);
  if (isJson) await output.writeJson({ ...result, members: result.members.map(memberJson) });
  else if (store === undefined) await writeMembers(session, result.members);
  else await output.writeLine(`${result.count} members, revision ${result.revision}`);
}

async function writeMembers(session: Session, members: readonly ScoredMember[]): Promise<void> {
  await session.output.write(await memberTable().format(members.map(rowIn(session))));
}

function memberTable(): Table {
  return new Table([{ title: 'MEMBER' }, { title: 'SCORE', isNumber: true }]);
}

function rowIn(session: Session): (scored: ScoredMember) => string[] {
  return ({ member, score }) => [shownName(member, session), scoreText(score)];
}

function memberJson({ member, score }: { readonly member: Bytes; readonly score: number }): object {
  return { member: nameJson(member), score: scoreJson(score) };
}

/** JSON has no infinite numbers: there they are the texts that they are in the JSON of Protobuf. */
function scoreJson(score: number | undefined): number | string | null {
  if (score === undefined) return null;
  return Number.isFinite(score) ? score : String(score);
}

/** As it can be typed. */
function scoreText(score: number | undefined): string {
  if (score === undefined) return '-';
  return Number.isFinite(score) ? String(score) : score > 0 ? 'inf' : '-inf';
}
