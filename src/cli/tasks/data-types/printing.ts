/** How the elements of collections are typed and printed: names of fields and members as keys are, see `key-form.ts`. */
import { listedKeyJson, valueJson } from '../../../api-json.ts';
import { canonicalKey } from '../../../arguments/key.ts';
import type { Bytes } from '../../../collections/bytes.ts';
import type { PagedList } from '../../../paged-list.ts';
import { displayKey } from '../../terminal/display.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import type { Session } from '../../session/session.ts';
import { Table } from '../../terminal/table.ts';

/** What was typed as a list of pairs. @param what of the two of a pair, for messages. */
export function pairsIn(typed: readonly string[], what: string): [first: string, second: string][] {
  if (typed.length % 2 !== 0) throw new UsageError(`give pairs of ${what}: ${typed.length} words are none`);
  const pairs: [string, string][] = [];
  for (let place = 0; place < typed.length; place += 2)
    pairs.push([typed[place] ?? '', typed[place + 1] ?? '']);
  return pairs;
}

/** A name or a member for people. */
export function shownName({ bytes }: Bytes, { keys }: Session): string {
  return keys.show(canonicalKey(bytes));
}

export function nameJson({ bytes }: Bytes): unknown {
  return listedKeyJson(canonicalKey(bytes));
}

/** Elements, one in a line. */
export function elementLines(
  elements: readonly Bytes[],
  { isJson, keys }: Session,
  areNames: boolean,
): string {
  return elements
    .map(({ bytes }) => {
      if (isJson) return `${JSON.stringify(valueJson(bytes))}\n`;
      const key = canonicalKey(bytes);
      return `${areNames ? keys.show(key) : displayKey(key)}\n`;
    })
    .join('');
}

/** Prints a list as it comes. @param areNames whether they are typed and printed as keys are. */
export async function writeElements(
  session: Session,
  list: PagedList<Bytes>,
  areNames: boolean,
): Promise<void> {
  for await (const { items } of list.pages())
    await session.output.write(elementLines(items, session, areNames));
}

export interface Answers {
  /** The names, as they were typed. */
  readonly typed: readonly string[];
  /** For each its answer. */
  readonly answers: readonly boolean[];
  /** Over the columns of a table. */
  readonly titles: readonly [name: string, answer: string];
}

export async function writeAnswers(
  { output, isJson }: Session,
  { typed, answers, titles }: Answers,
  json: object,
): Promise<void> {
  if (isJson) return output.writeJson(json);
  const table = new Table(titles.map((title) => ({ title })));
  await output.write(
    await table.format(
      typed.map((name, place) => [displayKey(name), answers[place] === true ? 'yes' : 'no']),
    ),
  );
}
