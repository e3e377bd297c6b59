/**
 * The first line of a library of functions: `#!lua name=mylib`. As with scripts, an empty line stands for it in what is compiled.
 */
import { isName } from '../../../../types/functions/libraries.ts';
import { serverFixed } from '../../../../limits.ts';
import { splitWords } from '../../protocol/inline-words.ts';
import {
  badLibraryMetadata,
  functionNameIsTooLong,
  functionTexts,
  noSuchEngine,
  ReplyError,
} from '../../replies/errors.ts';

export interface LibraryText {
  readonly name: string;
  /** As it is compiled. */
  readonly source: string;
}

const MARK = '#!';
const NAME_WORD = 'name=';

/** Throws a `ReplyError` for a first line that is wrong. @param text one character for each byte. */
export function readLibraryText(text: string): LibraryText {
  if (!text.startsWith(MARK)) throw new ReplyError(functionTexts.noMetadata);
  const end = text.indexOf('\n');
  const line = Buffer.from(text.slice(0, Math.max(end, 0)), 'latin1');
  const words = splitWords(line, 0, line.length)?.map((word) => Buffer.from(word).toString('latin1'));
  if (end === -1 || words === undefined) throw new ReplyError(functionTexts.badMetadata);
  const [first = MARK, ...values] = words;
  let name: string | undefined;
  for (const value of values) {
    if (!value.toLowerCase().startsWith(NAME_WORD)) throw badLibraryMetadata(value);
    if (name !== undefined) throw new ReplyError(functionTexts.nameTwice);
    name = value.slice(NAME_WORD.length);
  }
  if (name === undefined) throw new ReplyError(functionTexts.noName);
  checkName(name);
  const engine = first.slice(MARK.length);
  if (engine.toLowerCase() !== 'lua') throw noSuchEngine(engine);
  return { name, source: text.slice(end) };
}

/** Of a library or a function. */
export function checkName(name: string): void {
  if (isName(name)) return;
  throw name.length > serverFixed.redisFunctionNameBytesMax
    ? functionNameIsTooLong()
    : new ReplyError(functionTexts.badName);
}
