/**
 * Commands of the server's table for clients of Redis that the shell has, too. The number of their words, their syntax and what they
 * do are the table's; what they change is an operation of a transaction, so that it goes to a server as it does to an embedded store.
 */
import type { CollectionKind, CollectionOperation, CollectionResult } from '../../../api-collections.ts';
import { assert } from '../../../errors.ts';
import { exitCode } from '../../process/exit-code.ts';
import type { CommandGroup } from '../../../shell-words/word-facts.ts';
import { type ShellCommand, type ShellSession, command } from '../command.ts';
import { type Reply, reply } from '../reply.ts';
import { showValue } from '../values.ts';
import { valueJson } from '../../../api-json.ts';
import { type TableFact, tableFacts } from '../../../shell-words/table-facts.ts';
import type { Word } from '../../../shell-words/split-words.ts';

const factByName: ReadonlyMap<string, TableFact> = new Map(tableFacts.map((fact) => [fact.name, fact]));

/** What the table says of a command, whether the shell has it or not. */
export function tableFactOf(name: string): TableFact | undefined {
  return factByName.get(name);
}

/** More words than any line has. */
const WORDS_MAX = 1_000_000;

/** @param parse makes the request of the words behind the name; throws a `UsageError`. */
export function redisWord<Request>(
  group: CommandGroup,
  name: string,
  parse: (words: readonly Word[]) => Request,
  run: (request: Request, session: ShellSession) => Promise<Reply>,
): ShellCommand {
  const fact = factByName.get(name);
  assert(fact !== undefined, 'a command of the shell stands in the table that its facts are from');
  const { arity, syntax, summary } = fact;
  return command(
    {
      names: [name],
      usage: syntax,
      summary: summary.charAt(0).toLowerCase() + summary.slice(1),
      group,
      wordsMin: Math.abs(arity) - 1,
      wordsMax: arity < 0 ? WORDS_MAX : arity - 1,
      completes: ['key', 'other'],
      inTransaction: 'never',
    },
    parse,
    run,
  );
}

/** Makes one change. */
export async function change<Kind extends CollectionKind>(
  { store }: ShellSession,
  operation: CollectionOperation<Kind>,
): Promise<CollectionResult<Kind>> {
  const { results } = await store.txn({ success: [operation as CollectionOperation] });
  return results[0] as CollectionResult<Kind>;
}

export function counted(count: number): Reply {
  return reply(String(count), { count });
}

/** Exits with 1 when there was nothing to do. */
export function countedOrNone(count: number): Reply {
  return reply(String(count), { count }, count > 0 ? exitCode.ok : exitCode.no);
}

/** A value, or that there is none. @param missing for people. */
export function valueOrNone(value: Uint8Array | undefined, isTerminal: boolean, missing: string): Reply {
  if (value === undefined) return reply(missing, {}, exitCode.no);
  return reply(showValue(value, isTerminal), { value: valueJson(value) });
}

export function yesOrNo(isSo: boolean): Reply {
  return reply(isSo ? 'yes' : 'no', { contained: isSo }, isSo ? exitCode.ok : exitCode.no);
}
