/**
 * ACL over the users of the store (`acl/acl-users.ts`). What they may do is decided by roles over ranges of keys, so that not all rules
 * of Redis can be kept: `acl/acl-rules.ts` has those that can.
 */
import { serverFixed } from '../../../../../limits.ts';
import { hasSpace } from '../../../acl/acl-rules.ts';
import { HIDDEN, commandRules, keyRule, rulesOf } from '../../../acl/user-words.ts';
import { checkCall } from '../../../connection/key-access.ts';
import { PlacedArguments } from '../../../protocol/placed-arguments.ts';
import {
  aclNotCarried,
  aclUserName,
  commandNotFound,
  DeniedError,
  deniedText,
  invalidPasswordBits,
  noAclFile,
  noAuth,
  noCommandPermission,
  ReplyError,
  tooManyUsers,
  unknownCategory,
  userNotFound,
  usersTooLong,
} from '../../../replies/errors.ts';
import { replyHelp } from '../../../replies/help.ts';
import type { Category, CommandCall, Reply } from '../../command.ts';
import type { Door, DoorCommand } from '../../door.ts';
import type { ClientSession } from '../../session-command.ts';
import { utf8In } from '../../utf8-words.ts';

type Run = DoorCommand['door'];

const whoAmI: Run = (_, session, { reply }) => reply.text(session.userName);

const CATEGORIES = [
  'keyspace',
  'read',
  'write',
  'set',
  'sortedset',
  'list',
  'hash',
  'string',
  'bitmap',
  'hyperloglog',
  'geo',
  'stream',
  'bloom',
  'pubsub',
  'admin',
  'fast',
  'slow',
  'blocking',
  'dangerous',
  'connection',
  'transaction',
  'scripting',
] as const satisfies readonly Category[];

const cat: Run = ({ table }, _, { args, reply }) => {
  if (args.count === 2) {
    reply.array(CATEGORIES.length);
    for (const name of CATEGORIES) reply.text(name);
    return;
  }
  const name = args.text(2).toLowerCase();
  const category = CATEGORIES.find((one) => one === name);
  if (category === undefined) throw unknownCategory(args.text(2));
  const { rows, entries } = table();
  const names = rows.flatMap((row) => (row.categories.includes(category) ? [row.name] : []));
  // A name that is none without a subcommand counts among these in Redis.
  if (category === 'slow')
    names.push(...entries.flatMap(({ name, row }) => (row === undefined ? [name] : [])));
  reply.array(names.length);
  for (const each of names) reply.text(each);
};

const BITS_DEFAULT = 256;
const BITS_MAX = 4096;

const genPass: Run = ({ random }, _, { args, reply }) => {
  const bits = args.count > 2 ? args.integer(2) : BITS_DEFAULT;
  if (bits < 1 || bits > BITS_MAX) throw invalidPasswordBits();
  const digits = Math.ceil(bits / 4);
  reply.text(
    Buffer.from(random.bytes(Math.ceil(digits / 2)))
      .toString('hex')
      .slice(0, digits),
  );
};

const users: Run = ({ users: { names } }, _, { reply }) => {
  reply.array(names.length);
  for (const name of names) reply.text(name);
};

const list: Run = ({ users: directory }, _, { reply }) => {
  const lines: Buffer[] = [];
  let bytes = 0;
  for (const name of directory.names) {
    const words = directory.words(name);
    if (words === undefined) continue;
    const line = Buffer.from(`user ${latin1(name)} ${rulesOf(words).join(' ')}`, 'latin1');
    bytes += line.length;
    if (bytes > serverFixed.redisAclListBytesMax) throw usersTooLong();
    lines.push(line);
  }
  reply.array(lines.length);
  for (const line of lines) reply.bulk(line);
};

const getUser: Run = ({ users: directory }, _, { args, reply }) => {
  const name = utf8In(args, 2);
  const words = name === undefined ? undefined : directory.words(name);
  if (words === undefined) {
    reply.nilArray();
    return;
  }
  const { isOpen, hasPassword, isAdmin, keys } = words;
  reply.map(6);
  reply.text('flags');
  const flags = isOpen ? ['on', 'nopass'] : ['on'];
  reply.set(flags.length);
  for (const flag of flags) reply.text(flag);
  reply.text('passwords');
  reply.array(hasPassword ? 1 : 0);
  if (hasPassword) reply.text(HIDDEN);
  reply.text('commands');
  reply.text(commandRules(isAdmin));
  reply.text('keys');
  reply.bulk(Buffer.from([...keys.values()].map(keyRule).join(' '), 'latin1'));
  reply.text('channels');
  reply.text('&*');
  reply.text('selectors');
  reply.array(0);
};

async function setUser(
  { users: directory, table }: Door,
  session: ClientSession,
  { args, reply }: CommandCall,
): Promise<void> {
  const name = utf8In(args, 2);
  if (hasSpace(args.text(2))) throw aclUserName();
  if (name === undefined) throw aclNotCarried('the name of a user is text in UTF-8');
  const { redisAclRulesMax } = serverFixed;
  if (args.count - 3 > redisAclRulesMax) throw aclNotCarried(`there are more than ${redisAclRulesMax} rules`);
  const rules = Array.from({ length: args.count - 3 }, (_, index) => args.text(3 + index));
  await directory.set(name, rules, table().rows, changeBy(session, 'acl|setuser'));
  reply.ok();
}

async function deleteUsers(
  { users: directory, sessions }: Door,
  session: ClientSession,
  { args, reply }: CommandCall,
): Promise<void> {
  const { redisAclDeletedMax } = serverFixed;
  if (args.count - 2 > redisAclDeletedMax) throw tooManyUsers(redisAclDeletedMax);
  const names: string[] = [];
  for (let index = 2; index < args.count; index++) {
    const name = utf8In(args, index);
    if (name !== undefined) names.push(name);
  }
  const deleted = new Set(await directory.delete(names, changeBy(session, 'acl|deluser')));
  for (const each of sessions.all)
    if (deleted.has(each.userName) && !each.isLoggedIn) each.kill(each === session ? 'afterReply' : 'now');
  reply.integer(deleted.size);
}

function changeBy(session: ClientSession, command: string): Parameters<Door['users']['delete']>[1] {
  return {
    caller: session.caller,
    check: () => {
      const rights = session.rights();
      if (rights === undefined) throw noAuth();
      if (!rights.isAdmin) throw noCommandPermission(command);
    },
  };
}

const dryRun: Run = ({ users: directory, table }, session, { args, reply }) => {
  const name = utf8In(args, 2);
  const rights = name === undefined ? undefined : directory.rightsOf(name);
  if (rights === undefined) throw userNotFound(args.text(2));
  const words = new PlacedArguments();
  words.takeWords(Array.from({ length: args.count - 3 }, (_, index) => args.bytes(3 + index)));
  words.database = session.database;
  const row = table().find(words);
  if (row instanceof ReplyError) {
    const isThere = table().named(words) !== undefined || (words.count === 1 && table().isTaken(words));
    throw isThere ? row : commandNotFound(words.text(0));
  }
  try {
    if (!row.flags.includes('no_auth')) checkCall(rights, row, words);
    reply.ok();
  } catch (error) {
    if (!(error instanceof DeniedError)) throw error;
    reply.bulk(Buffer.from(deniedText(error), 'latin1'));
  }
};

const LOGGED_DEFAULT = 10;

const log: Run = ({ deniedLog, clock }, _, { args, reply }) => {
  if (args.count === 3 && args.is(2, 'RESET')) {
    deniedLog.reset();
    reply.ok();
    return;
  }
  const denials = deniedLog.newest(args.count > 2 ? args.integer(2) : LOGGED_DEFAULT);
  const nowMs = clock.nowMs();
  reply.array(denials.length);
  for (const { count, reason, context, object, userName, timeMs, client } of denials) {
    reply.map(7);
    reply.text('count');
    reply.integer(count);
    tell(reply, 'reason', reason);
    tell(reply, 'context', context);
    reply.text('object');
    reply.bulk(Buffer.from(object, 'latin1'));
    tell(reply, 'username', userName);
    reply.text('age-seconds');
    reply.double(Math.max(0, nowMs - timeMs) / 1000);
    tell(reply, 'client-info', client);
  }
};

function tell(reply: Reply, name: string, text: string): void {
  reply.text(name);
  reply.text(text);
}

const noFile: Run = () => {
  throw noAclFile();
};

function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

const help: Run = (_, __, { reply }) => replyHelp(reply, 'acl', aclCommands);

export const aclCommands: readonly DoorCommand[] = [
  {
    name: 'acl|whoami',
    arity: 2,
    flags: ['noscript', 'loading', 'stale'],
    categories: ['slow'],
    group: 'server',
    summary: 'Tells the user of the connection',
    since: '6.0.0',
    complexity: 'O(1)',
    syntax: '',
    door: whoAmI,
  },
  {
    name: 'acl|cat',
    arity: -2,
    flags: ['noscript', 'loading', 'stale'],
    categories: ['slow'],
    group: 'server',
    summary: 'Lists the categories of commands, or the commands of one',
    since: '6.0.0',
    complexity: 'O(n) in the commands',
    syntax: '[categoryname]',
    door: cat,
  },
  {
    name: 'acl|genpass',
    arity: -2,
    flags: ['noscript', 'loading', 'stale'],
    categories: ['slow'],
    group: 'server',
    summary: 'Makes a password by chance',
    since: '6.0.0',
    complexity: 'O(1)',
    syntax: '[bits]',
    door: genPass,
  },
  {
    name: 'acl|users',
    arity: 2,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Lists the names of the users',
    since: '6.0.0',
    complexity: 'O(n) in the users',
    syntax: '',
    door: users,
  },
  {
    name: 'acl|list',
    arity: 2,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Tells what each user may do, as a line of rules',
    since: '6.0.0',
    complexity: 'O(n) in the users and their grants',
    syntax: '',
    door: list,
  },
  {
    name: 'acl|getuser',
    arity: 3,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Tells what a user may do',
    since: '6.0.0',
    complexity: 'O(n) in the grants of the user',
    syntax: 'username',
    door: getUser,
  },
  {
    name: 'acl|setuser',
    arity: -3,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Makes a user, or changes what it may do',
    since: '6.0.0',
    complexity: 'O(n) in the rules and the users',
    syntax: 'username [rule [rule ...]]',
    isLong: true,
    door: setUser,
  },
  {
    name: 'acl|deluser',
    arity: -3,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Deletes users, and ends their connections',
    since: '6.0.0',
    complexity: 'O(n) in the names and the users',
    syntax: 'username [username ...]',
    isLong: true,
    door: deleteUsers,
  },
  {
    name: 'acl|dryrun',
    arity: -4,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Tells whether a user may run a call, which is not run',
    since: '7.0.0',
    complexity: 'O(n) in the words of the call',
    syntax: 'username command [arg [arg ...]]',
    door: dryRun,
  },
  {
    name: 'acl|log',
    arity: -2,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Lists calls that were not allowed and logins that were refused, or forgets them',
    since: '6.0.0',
    complexity: 'O(n) in the denials listed',
    syntax: '[count|RESET]',
    door: log,
  },
  {
    name: 'acl|save',
    arity: 2,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Fails, since users are kept in the store',
    since: '6.0.0',
    complexity: 'O(1)',
    syntax: '',
    door: noFile,
  },
  {
    name: 'acl|load',
    arity: 2,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Fails, since users are kept in the store',
    since: '6.0.0',
    complexity: 'O(1)',
    syntax: '',
    door: noFile,
  },
  {
    name: 'acl|help',
    arity: 2,
    flags: ['loading', 'stale'],
    categories: ['slow'],
    group: 'server',
    summary: 'Lists the subcommands',
    since: '6.0.0',
    complexity: 'O(1)',
    syntax: '',
    door: help,
  },
];
