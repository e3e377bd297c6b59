/**
 * What stands in the first line of a script: `#!lua flags=no-writes,allow-oom`. A script without one may do all that a script of old
 * may do.
 *
 * The line stays in front of the text that is compiled as an empty one, so that lines count from where their author sees them.
 */
import { type FunctionFlag, functionFlags } from '../../../types/functions/libraries.ts';
import { badShebang, ReplyError } from '../replies/errors.ts';

export interface ScriptText {
  /** As it is compiled. */
  readonly source: string;
  /** Whether the first line says what it is. */
  readonly isDeclared: boolean;
  readonly flags: ReadonlySet<FunctionFlag>;
}

const NO_FLAGS: ReadonlySet<FunctionFlag> = new Set();
const FLAGS_WORD = 'flags=';

/** Throws a `ReplyError` for a first line that is wrong. @param text one character for each byte. */
export function readScriptText(text: string): ScriptText {
  if (!text.startsWith('#!')) return { source: text, isDeclared: false, flags: NO_FLAGS };
  const end = text.indexOf('\n');
  if (end === -1) throw new ReplyError('ERR Invalid script shebang');
  const [engine = '', ...options] = text.slice(0, end).trim().split(/\s+/);
  if (engine !== '#!lua') throw badShebang('Unexpected engine in script shebang', engine);
  const flags = new Set<FunctionFlag>();
  for (const option of options) {
    if (!option.startsWith(FLAGS_WORD)) throw badShebang('Unknown lua shebang option', option);
    // `flags=` alone says that there are none.
    if (option === FLAGS_WORD) continue;
    for (const word of option.slice(FLAGS_WORD.length).split(',')) {
      const flag = functionFlags.find((one) => one === word);
      if (flag === undefined) throw badShebang('Unexpected flag in script shebang', word);
      flags.add(flag);
    }
  }
  return { source: text.slice(end), isDeclared: true, flags };
}
