/** What a command answers: lines for people, one line of JSON for programs, and what it means for the exit code of a script. */
import { type ExitCode, exitCode } from '../process/exit-code.ts';
import type { Output } from '../terminal/output.ts';

export type Reply = TextReply | ListReply;

export interface TextReply {
  readonly kind: 'text';
  /** Whole lines. */
  readonly text: string;
  readonly json: object;
  readonly exitCode: ExitCode;
}

/** Items that are printed as they come, so that their number does not matter. */
export interface ListReply {
  readonly kind: 'list';
  /** Of the array in JSON. */
  readonly name: string;
  readonly pages: AsyncIterable<ListedPage>;
  /** In place of a list without items, on a terminal. */
  readonly emptyText: string;
}

export interface ListedPage {
  /** Whole lines. */
  readonly text: string;
  readonly items: readonly unknown[];
}

export function reply(text: string, json: object, code: ExitCode = exitCode.ok): TextReply {
  return { kind: 'text', text: `${text}\n`, json, exitCode: code };
}

export function list(name: string, emptyText: string, pages: AsyncIterable<ListedPage>): ListReply {
  return { kind: 'list', name, pages, emptyText };
}

/** What a shell says at its end. */
export function farewell(hasTransaction: boolean): string {
  return hasTransaction
    ? 'The open transaction is dropped: nothing of it was written.\nGoodbye!'
    : 'Goodbye!';
}

export const KEY_NOT_FOUND = 'key not found';

/** @param failureJson writes what a list ends with that can't be read to its end: its line is begun by then. */
export async function printReply(
  answer: Reply,
  output: Pick<Output, 'write' | 'writeJson' | 'isTerminal'>,
  isJson: boolean,
  failureJson: (error: unknown) => object,
): Promise<void> {
  if (answer.kind === 'text') {
    await (isJson ? output.writeJson(answer.json) : output.write(answer.text));
  } else if (isJson) {
    await printJsonList(answer, output, failureJson);
  } else {
    let hasItems = false;
    for await (const { text, items } of answer.pages) {
      hasItems ||= items.length > 0;
      await output.write(text);
    }
    if (!hasItems && output.isTerminal) await output.write(`${answer.emptyText}\n`);
  }
}

/** `{"keys":["a","b"]}`, and where reading them fails `{"keys":["a"],"error":{...}}`: one line, whatever happens. */
async function printJsonList(
  { name, pages }: ListReply,
  output: Pick<Output, 'write'>,
  failureJson: (error: unknown) => object,
): Promise<void> {
  let hasItems = false;
  let failure: { readonly error: unknown } | undefined;
  await output.write(`{${JSON.stringify(name)}:[`);
  try {
    for await (const { items } of pages) {
      if (items.length === 0) continue;
      const texts = items.map((item) => JSON.stringify(item)).join(',');
      await output.write(hasItems ? `,${texts}` : texts);
      hasItems = true;
    }
  } catch (error) {
    failure = { error };
  }
  const rest = failure === undefined ? '' : `,${JSON.stringify(failureJson(failure.error)).slice(1, -1)}`;
  await output.write(`]${rest}}\n`);
  if (failure !== undefined) throw new ToldError(failure.error);
}

/** A failure that its line of JSON has told already. */
export class ToldError extends Error {
  override readonly name = 'ToldError';

  constructor(cause: unknown) {
    super('told already', { cause });
  }
}
