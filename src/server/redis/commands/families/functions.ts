/**
 * FUNCTION and FCALL. A function is a command whose work is that of others, as a script is; its library lies in the store
 * (`scripting/functions/functions.ts`). Rows are there without what runs functions; `withFunctions` makes rows that run of them.
 *
 * A function does what its caller may do, and runs by its name for all users: so libraries are changed by those alone who may read and write
 * all keys.
 */
import type { ReadView, View } from '../../../../store/views/view.ts';
import { dumpLibraries, readLibraries } from '../../../../types/rdb/functions.ts';
import { PayloadError } from '../../../../types/rdb/payload-error.ts';
import { valueOfPayload } from '../../../../types/rdb/value-writer.ts';
import {
  allLibraries,
  countLibraries,
  deleteLibraries,
  deleteLibrary,
  functionFlags,
  type StoredFunction,
} from '../../../../types/functions/libraries.ts';
import { compileRedisGlob } from '../../../../types/glob.ts';
import {
  badSubcommand,
  functionTexts,
  negativeKeyCount,
  noScriptRuns,
  ReplyError,
  TOO_FEW_KEYS,
  unknownFunctionOption,
} from '../../replies/errors.ts';
import { replyHelp } from '../../replies/help.ts';
import type { Functions, RestorePolicy } from '../../scripting/functions/functions.ts';
import type { Arguments, CommandCall, CommandFacts, Handler, Reply } from '../command.ts';
import type { SessionCommand } from '../session-command.ts';
import type { TableRow } from '../table.ts';
import { inputOf, KEY_COUNT_AT } from './scripts.ts';
import { keysBehindNumber } from './sorted-sets/words.ts';

/** Of a function that is called. */
const NAME_AT = 1;
const ENGINE = 'LUA';

export type FunctionCommand = CommandFacts & {
  readonly handler: (functions: Functions) => Handler | Pick<SessionCommand, 'session'>;
};

export function withFunctions(
  commands: readonly FunctionCommand[],
  functions: Functions,
): readonly TableRow[] {
  return commands.map(({ handler, ...facts }) => ({ ...facts, ...handler(functions) }));
}

const call =
  (functions: Functions, isReadOnly: boolean) =>
  (view: View, call: CommandCall): void => {
    const { args } = call;
    functions.call(view, call, args.text(NAME_AT), () => {
      checkKeyCount(args);
      return inputOf(args, isReadOnly);
    });
  };

/** Its errors are others than those of EVAL. */
function checkKeyCount(args: Arguments): void {
  let keyCount: number;
  try {
    keyCount = args.integer(KEY_COUNT_AT);
  } catch (error) {
    if (error instanceof ReplyError) throw new ReplyError(functionTexts.badKeyCount);
    throw error;
  }
  if (keyCount > args.count - KEY_COUNT_AT - 1) throw new ReplyError(TOO_FEW_KEYS);
  if (keyCount < 0) throw negativeKeyCount();
}

const load =
  (functions: Functions) =>
  (view: View, { args, reply }: CommandCall): void => {
    const textAt = args.count - 1;
    let replaces = false;
    for (let index = 2; index < textAt; index++) {
      if (!args.is(index, 'REPLACE')) throw unknownFunctionOption(args.text(index), 'option given:');
      replaces = true;
    }
    reply.text(functions.load(view, args.text(textAt), replaces));
  };

function remove(view: View, { args, reply }: CommandCall): void {
  if (!deleteLibrary(view, args.text(2))) throw new ReplyError(functionTexts.noLibrary);
  reply.ok();
}

function flush(view: View, { args, reply }: CommandCall): void {
  if (args.count > 3) throw badSubcommand(args.text(1), 'function');
  if (args.count === 3 && !args.is(2, 'SYNC') && !args.is(2, 'ASYNC'))
    throw new ReplyError(functionTexts.badFlush);
  deleteLibraries(view);
  reply.ok();
}

function list(view: ReadView, { args, reply }: CommandCall): void {
  let pattern: string | undefined;
  let withCode = false;
  for (let index = 2; index < args.count; index++) {
    if (!withCode && args.is(index, 'WITHCODE')) withCode = true;
    else if (pattern === undefined && args.is(index, 'LIBRARYNAME')) {
      if (++index >= args.count) throw new ReplyError(functionTexts.noPattern);
      pattern = args.text(index);
    } else throw unknownFunctionOption(args.text(index), 'argument');
  }
  const isWanted = matcherOf(pattern);
  const libraries = allLibraries(view).filter(({ name }) => isWanted(name));
  reply.array(libraries.length);
  for (const { name, text, functions } of libraries) {
    reply.map(withCode ? 4 : 3);
    reply.text('library_name');
    reply.text(name);
    reply.text('engine');
    reply.text(ENGINE);
    reply.text('functions');
    reply.array(functions.length);
    for (const one of functions) replyFunction(reply, one);
    if (!withCode) continue;
    reply.text('library_code');
    reply.bulk(Buffer.from(text, 'latin1'));
  }
}

/** Of names in upper and lower case. */
function matcherOf(pattern: string | undefined): (name: string) => boolean {
  if (pattern === undefined) return () => true;
  const glob = compileRedisGlob(Buffer.from(pattern.toLowerCase(), 'latin1'));
  return (name) => {
    const bytes = Buffer.from(name.toLowerCase(), 'latin1');
    return glob.matches(bytes, 0, bytes.length);
  };
}

function replyFunction(reply: Reply, { name, description, flags }: StoredFunction): void {
  reply.map(3);
  reply.text('name');
  reply.text(name);
  reply.text('description');
  if (description === undefined) reply.nil();
  else reply.bulk(Buffer.from(description, 'latin1'));
  reply.text('flags');
  reply.set(flags.size);
  for (const flag of functionFlags) if (flags.has(flag)) reply.simple(flag);
}

function dump(view: ReadView, { reply }: CommandCall): void {
  reply.bulk(dumpLibraries(allLibraries(view).map(({ text }) => text)));
}

const restore =
  (functions: Functions) =>
  (view: View, call: CommandCall): boolean => {
    const { args, reply } = call;
    if (args.count > 4) throw badSubcommand(args.text(1), 'function');
    const policy = policyOf(args);
    const hasMore = functions.restore(view, call, textsOf(args, view), policy);
    if (!hasMore) reply.ok();
    return hasMore;
  };

function policyOf(args: Arguments): RestorePolicy {
  if (args.count === 3 || args.is(3, 'APPEND')) return 'append';
  if (args.is(3, 'REPLACE')) return 'replace';
  if (args.is(3, 'FLUSH')) return 'flush';
  throw new ReplyError(functionTexts.badPolicy);
}

function textsOf(args: Arguments, { budget }: View): string[] {
  const bytes = valueOfPayload(args.bytes(2));
  if (bytes === undefined) throw new ReplyError(functionTexts.payload);
  try {
    const texts = readLibraries(bytes, budget);
    if (texts === undefined) throw new ReplyError(functionTexts.notALibrary);
    return texts;
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error;
    throw new ReplyError(functionTexts.badPayload);
  }
}

function stats(view: View, { reply }: CommandCall): void {
  const { libraryCount, functionCount } = countLibraries(view);
  reply.map(2);
  reply.text('running_script');
  reply.nil();
  reply.text('engines');
  reply.map(1);
  reply.text(ENGINE);
  reply.map(2);
  reply.text('libraries_count');
  reply.integer(libraryCount);
  reply.text('functions_count');
  reply.integer(functionCount);
}

const functionFacts = {
  group: 'scripting',
  since: '7.0.0',
} as const satisfies Partial<CommandFacts>;

const callFacts = {
  ...functionFacts,
  arity: -3,
  categories: ['slow', 'scripting'],
  complexity: 'that of its commands',
  syntax: 'function numkeys [key [key ...]] [arg [arg ...]]',
} as const satisfies Partial<CommandFacts>;

const changeFacts = {
  ...functionFacts,
  categories: ['write', 'slow', 'scripting'],
  needsAllKeys: () => true,
} as const satisfies Partial<CommandFacts>;

const readFacts = {
  ...functionFacts,
  categories: ['slow', 'scripting'],
} as const satisfies Partial<CommandFacts>;

const CALL_FLAGS = ['noscript', 'stale', 'skip_monitor', 'no_mandatory_keys', 'movablekeys'] as const;

export const functionCommands: readonly FunctionCommand[] = [
  {
    ...callFacts,
    name: 'fcall',
    flags: CALL_FLAGS,
    keys: keysBehindNumber(KEY_COUNT_AT, 'both'),
    summary: 'Runs a function of a library as one transaction',
    handler: (functions) => ({ write: call(functions, false) }),
  },
  {
    ...callFacts,
    name: 'fcall_ro',
    flags: ['readonly', ...CALL_FLAGS],
    keys: keysBehindNumber(KEY_COUNT_AT, 'read'),
    summary: 'Runs a function that says of itself that it does not write',
    handler: (functions) => ({ newest: call(functions, true) }),
  },
  {
    ...changeFacts,
    name: 'function|load',
    arity: -3,
    flags: ['write', 'denyoom', 'noscript'],
    summary: 'Keeps a library of functions in the store',
    complexity: 'O(n) in the bytes of the library and of the others',
    syntax: '[REPLACE] function-code',
    handler: (functions) => ({ write: load(functions) }),
  },
  {
    ...changeFacts,
    name: 'function|delete',
    arity: 3,
    flags: ['write', 'noscript'],
    summary: 'Removes a library with its functions',
    complexity: 'O(n) in the functions',
    syntax: 'library-name',
    handler: () => ({ write: remove }),
  },
  {
    ...changeFacts,
    name: 'function|flush',
    arity: -2,
    flags: ['write', 'noscript'],
    summary: 'Removes every library',
    complexity: 'O(n) in the functions',
    syntax: '[ASYNC | SYNC]',
    handler: () => ({ write: flush }),
  },
  {
    ...readFacts,
    name: 'function|list',
    arity: -2,
    flags: ['noscript'],
    summary: 'Lists the libraries and what their functions say of themselves',
    complexity: 'O(n) in the bytes of the libraries',
    syntax: '[LIBRARYNAME library-name-pattern] [WITHCODE]',
    handler: () => ({ read: list }),
  },
  {
    ...readFacts,
    name: 'function|dump',
    arity: 2,
    flags: ['noscript'],
    summary: 'Reads all libraries as bytes that FUNCTION RESTORE takes, here and in Redis',
    complexity: 'O(n) in the bytes of the libraries',
    syntax: '',
    handler: () => ({ read: dump }),
  },
  {
    ...changeFacts,
    name: 'function|restore',
    arity: -3,
    flags: ['write', 'denyoom', 'noscript'],
    summary: 'Keeps the libraries that FUNCTION DUMP has given, here or in Redis',
    complexity: 'O(n) in the bytes of the libraries',
    syntax: 'serialized-value [FLUSH | APPEND | REPLACE]',
    handler: (functions) => ({ parts: restore(functions) }),
  },
  {
    ...readFacts,
    name: 'function|stats',
    arity: 2,
    flags: ['noscript', 'allow_busy'],
    summary: 'Counts the libraries and their functions',
    complexity: 'O(log n) in the functions',
    syntax: '',
    handler: () => ({ newest: stats }),
  },
  {
    ...readFacts,
    name: 'function|kill',
    arity: 2,
    flags: ['noscript', 'allow_busy'],
    summary: 'Answers that none runs, as SCRIPT KILL does',
    complexity: 'O(1)',
    syntax: '',
    handler: () => ({
      session: () => {
        throw noScriptRuns();
      },
    }),
  },
  {
    ...readFacts,
    name: 'function|help',
    arity: 2,
    flags: ['loading', 'stale'],
    summary: 'Lists the subcommands',
    complexity: 'O(1)',
    syntax: '',
    handler: () => ({
      session: (_, { reply }) =>
        replyHelp(
          reply,
          'function',
          functionCommands.filter(({ name }) => name.startsWith('function|')),
        ),
    }),
  },
];
