/**
 * EVAL and its like, and SCRIPT. A script is a command whose work is that of others: it runs over the view of its transaction
 * (`scripting/script-runner.ts`), and each of its calls is checked by itself. Their rows are there without what runs scripts; `withScripting`
 * makes rows that run of them.
 */
import type { View } from '../../../../store/views/view.ts';
import type { LuaValue } from '../../../../lua/value.ts';
import {
  badScriptDebug,
  badScriptFlush,
  negativeKeyCount,
  noScriptDebugger,
  noScriptRuns,
  ReplyError,
  TOO_FEW_KEYS,
} from '../../replies/errors.ts';
import { replyHelp } from '../../replies/help.ts';
import type { Script, ScriptInput, Scripting } from '../../scripting/scripting.ts';
import type { Arguments, CommandCall, CommandFacts } from '../command.ts';
import type { TableRow } from '../table.ts';
import { keysBehindNumber } from './sorted-sets/words.ts';

/** Where the words of a script's call are: the script, the number of its keys, the keys, and other words. */
const SCRIPT_AT = 1;
export const KEY_COUNT_AT = 2;
const FIRST_KEY_AT = 3;

/** Finds the script of a call. */
type Find = (scripting: Scripting, args: Arguments) => Script;

export type ScriptCommand = CommandFacts &
  (
    | { readonly find: Find; readonly isReadOnly: boolean }
    | { readonly manage: (scripting: Scripting, call: CommandCall) => void }
  );

const byText: Find = (scripting, args) => scripting.byText(args.text(SCRIPT_AT));
const bySha: Find = (scripting, args) => scripting.bySha(args.text(SCRIPT_AT));

/** Of a call of a script, or of a function. */
export function inputOf(args: Arguments, isReadOnly: boolean): ScriptInput {
  const keyCount = args.integer(KEY_COUNT_AT);
  if (keyCount > args.count - FIRST_KEY_AT) throw new ReplyError(TOO_FEW_KEYS);
  if (keyCount < 0) throw negativeKeyCount();
  const keys: LuaValue[] = [];
  const argv: LuaValue[] = [];
  const keysEnd = FIRST_KEY_AT + keyCount;
  for (let index = FIRST_KEY_AT; index < args.count; index++)
    (index < keysEnd ? keys : argv).push(args.text(index));
  return { keys, argv, isReadOnly };
}

export function withScripting(commands: readonly ScriptCommand[], scripting: Scripting): readonly TableRow[] {
  return commands.map((command) => {
    if ('manage' in command) {
      const { manage, ...facts } = command;
      return { ...facts, session: (_, call) => manage(scripting, call) };
    }
    const { find, isReadOnly, ...facts } = command;
    const run = (view: View, call: CommandCall): void => {
      const { args } = call;
      const input = inputOf(args, isReadOnly);
      scripting.run(view, call, find(scripting, args), input);
    };
    return isReadOnly ? { ...facts, newest: run } : { ...facts, write: run };
  });
}

const flush = (scripting: Scripting, { args, reply }: CommandCall): void => {
  const isKnown = args.count === 2 || (args.count === 3 && (args.is(2, 'SYNC') || args.is(2, 'ASYNC')));
  if (!isKnown) throw badScriptFlush();
  scripting.flush();
  reply.ok();
};

const exists = (scripting: Scripting, { args, reply }: CommandCall): void => {
  reply.array(args.count - 2);
  for (let index = 2; index < args.count; index++) reply.integer(scripting.has(args.text(index)) ? 1 : 0);
};

const debug = (_: Scripting, { args, reply }: CommandCall): void => {
  if (args.is(2, 'NO')) reply.ok();
  else throw args.is(2, 'YES') || args.is(2, 'SYNC') ? noScriptDebugger() : badScriptDebug();
};

const scriptFacts = {
  categories: ['slow', 'scripting'],
  group: 'scripting',
} as const satisfies Partial<CommandFacts>;

const callFacts = {
  ...scriptFacts,
  arity: -3,
  complexity: 'that of its commands',
} as const satisfies Partial<CommandFacts>;

const CALL_FLAGS = ['noscript', 'stale', 'skip_monitor', 'no_mandatory_keys', 'movablekeys'] as const;

export const scriptCommands: readonly ScriptCommand[] = [
  {
    ...callFacts,
    name: 'eval',
    flags: CALL_FLAGS,
    keys: keysBehindNumber(KEY_COUNT_AT, 'both'),
    summary: 'Runs a script of Lua as one transaction',
    since: '2.6.0',
    syntax: 'script numkeys [key [key ...]] [arg [arg ...]]',
    find: byText,
    isReadOnly: false,
  },
  {
    ...callFacts,
    name: 'evalsha',
    flags: CALL_FLAGS,
    keys: keysBehindNumber(KEY_COUNT_AT, 'both'),
    summary: 'Runs a script that the server has, by its SHA-1',
    since: '2.6.0',
    syntax: 'sha1 numkeys [key [key ...]] [arg [arg ...]]',
    find: bySha,
    isReadOnly: false,
  },
  {
    ...callFacts,
    name: 'eval_ro',
    flags: ['readonly', ...CALL_FLAGS],
    keys: keysBehindNumber(KEY_COUNT_AT, 'read'),
    summary: 'Runs a script that may not write',
    since: '7.0.0',
    syntax: 'script numkeys [key [key ...]] [arg [arg ...]]',
    find: byText,
    isReadOnly: true,
  },
  {
    ...callFacts,
    name: 'evalsha_ro',
    flags: ['readonly', ...CALL_FLAGS],
    keys: keysBehindNumber(KEY_COUNT_AT, 'read'),
    summary: 'Runs a script that may not write and that the server has, by its SHA-1',
    since: '7.0.0',
    syntax: 'sha1 numkeys [key [key ...]] [arg [arg ...]]',
    find: bySha,
    isReadOnly: true,
  },
  {
    ...scriptFacts,
    name: 'script|load',
    arity: 3,
    flags: ['noscript', 'stale'],
    summary: 'Compiles a script and keeps it, without running it',
    since: '2.6.0',
    complexity: 'O(n) in the bytes of the script',
    syntax: 'script',
    manage: (scripting, { args, reply }) => reply.text(scripting.load(args.text(2))),
  },
  {
    ...scriptFacts,
    name: 'script|exists',
    arity: -3,
    flags: ['noscript'],
    summary: 'Tells of scripts, by their SHA-1, whether the server has them',
    since: '2.6.0',
    complexity: 'O(1) per script',
    syntax: 'sha1 [sha1 ...]',
    manage: exists,
  },
  {
    ...scriptFacts,
    name: 'script|flush',
    arity: -2,
    flags: ['noscript'],
    summary: 'Forgets all scripts',
    since: '2.6.0',
    complexity: 'O(n) in the scripts',
    syntax: '[ASYNC | SYNC]',
    manage: flush,
  },
  {
    ...scriptFacts,
    name: 'script|kill',
    arity: 2,
    flags: ['noscript', 'allow_busy'],
    summary: 'Answers that none runs: no other command comes while one does, and what it may take is bounded',
    since: '2.6.0',
    complexity: 'O(1)',
    syntax: '',
    manage: () => {
      throw noScriptRuns();
    },
  },
  {
    ...scriptFacts,
    name: 'script|debug',
    arity: 3,
    flags: ['noscript'],
    summary: 'Leaves the debugger off, which is not there',
    since: '3.2.0',
    complexity: 'O(1)',
    syntax: 'YES | SYNC | NO',
    manage: debug,
  },
  {
    ...scriptFacts,
    name: 'script|help',
    arity: 2,
    flags: ['loading', 'stale'],
    summary: 'Lists the subcommands',
    since: '5.0.0',
    complexity: 'O(1)',
    syntax: '',
    manage: (_, { reply }) =>
      replyHelp(
        reply,
        'script',
        scriptCommands.filter(({ name }) => name.startsWith('script|')),
      ),
  },
];
