/**
 * ACL, as far as the users of the store (`access/`) have something that it can tell. What they may do is decided by roles over ranges
 * of keys, which rules of ACL can't say: so users are made and changed by `kelp access` and gRPC.
 */
import type { Category } from '../../command.ts';
import { invalidPasswordBits, unknownCategory } from '../../../replies/errors.ts';
import { replyHelp } from '../../../replies/help.ts';
import type { DoorCommand } from '../../door.ts';

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
  const rows = table().rows.filter(({ categories }) => categories.includes(category));
  reply.array(rows.length);
  for (const row of rows) reply.text(row.name);
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

const users: Run = ({ server }, _, { reply }) => {
  const names = ['default', ...server.userNames()];
  reply.array(names.length);
  for (const name of names) reply.text(name);
};

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
