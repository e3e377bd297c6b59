/** AUTH, HELLO, PING, ECHO, QUIT, RESET, SELECT. */
import { noClusterSupport, ReplyError } from '../../replies/errors.ts';
import { clientNameIn } from '../client-name.ts';
import type { Arguments, CommandCall, CommandFacts } from '../command.ts';
import { databaseAt } from '../database-words.ts';
import { NOT_UTF8, utf8In } from '../utf8-words.ts';
import type { ClientSession, SessionCommand, Shown } from '../session-command.ts';

/** The version of Redis whose commands these are; clients look what they may use. */
export const REDIS_VERSION = '7.0.15';

const facts = {
  categories: ['fast', 'connection'],
  group: 'connection',
} as const satisfies Partial<CommandFacts>;
const alwaysFlags = ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'] as const;

function ping(session: ClientSession, { args, reply }: CommandCall): void {
  if (args.count > 2) throw new ReplyError("ERR wrong number of arguments for 'ping' command");
  const { channels, patterns, shardChannels } = session.subscriptionCounts;
  if (session.protocolVersion === 2 && channels + patterns + shardChannels > 0) {
    reply.array(2);
    reply.text('pong');
    if (args.count === 2) reply.bulk(args.bytes(1));
    else reply.text('');
  } else if (args.count === 2) reply.bulk(args.bytes(1));
  else reply.simple('PONG');
}

function select(session: ClientSession, { args, reply }: CommandCall): void {
  const database = databaseAt(args, 1);
  session.database = database;
  reply.ok();
}

function auth(session: ClientSession, { args, reply }: CommandCall): void | Promise<void> {
  const shown = shownByAuth(args);
  if (shown === undefined) throw new ReplyError('ERR syntax error');
  return loggedIn(session, shown, () => reply.ok());
}

function shownByAuth(args: Arguments): Shown | undefined {
  if (args.count > 3) return undefined;
  return args.count === 2 ? ['', utf8(args, 1)] : [utf8(args, 1), utf8(args, 2)];
}

/** `HELLO [2|3 [AUTH user password] [SETNAME name]]`: nothing is changed unless all of it is right. */
function hello(session: ClientSession, call: CommandCall): void | Promise<void> {
  const { args } = call;
  let version = session.protocolVersion;
  const login = shownByHello(args);
  let name: string | undefined;
  if (args.count > 1) {
    let asked: number;
    try {
      asked = args.integer(1);
    } catch {
      throw new ReplyError('ERR Protocol version is not an integer or out of range');
    }
    if (asked !== 2 && asked !== 3) throw new ReplyError('NOPROTO unsupported protocol version');
    version = asked;
  }
  for (let index = 2; index < args.count; index++) {
    if (args.is(index, 'AUTH') && index + 2 < args.count) {
      index += 2;
    } else if (args.is(index, 'SETNAME') && index + 1 < args.count) {
      name = clientNameIn(args, ++index);
    } else throw new ReplyError(`ERR Syntax error in HELLO option '${args.text(index)}'`);
  }
  const greet = (): void => {
    if (name !== undefined) session.name = name;
    session.protocolVersion = version;
    writeGreeting(call, session);
  };
  if (login !== undefined) return loggedIn(session, login, greet);
  if (!session.isLoggedIn) {
    throw new ReplyError(
      'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    );
  }
  greet();
  return undefined;
}

function writeGreeting({ reply }: CommandCall, { id, protocolVersion, serverRole }: ClientSession): void {
  reply.map(7);
  reply.text('server');
  reply.text('redis');
  reply.text('version');
  reply.text(REDIS_VERSION);
  reply.text('proto');
  reply.integer(protocolVersion);
  reply.text('id');
  reply.integer(id);
  reply.text('mode');
  reply.text('standalone');
  reply.text('role');
  reply.text(serverRole);
  reply.text('modules');
  reply.array(0);
}

/** @returns at once where the session does. */
function loggedIn(session: ClientSession, shown: Shown, done: () => void): void | Promise<void> {
  const checked = session.logIn(...shown);
  if (checked !== undefined) return afterwards(checked, done);
  done();
  return undefined;
}

async function afterwards(checked: Promise<void>, done: () => void): Promise<void> {
  await checked;
  done();
}

/** The last one counts; a name is none of it. */
function shownByHello(args: Arguments): Shown | undefined {
  let shown: Shown | undefined;
  for (let index = 2; index < args.count; index++) {
    if (args.is(index, 'SETNAME')) index++;
    else if (args.is(index, 'AUTH') && index + 2 < args.count) {
      shown = [utf8(args, index + 1), utf8(args, index + 2)];
      index += 2;
    }
  }
  return shown;
}

function utf8(args: Arguments, index: number): string {
  return utf8In(args, index) ?? NOT_UTF8;
}

export const connectionCommands: readonly SessionCommand[] = [
  {
    ...facts,
    name: 'auth',
    arity: -2,
    flags: alwaysFlags,
    summary: 'Logs the connection in, by user and password or by a token',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: '[username] password',
    isLong: true,
    shows: shownByAuth,
    session: auth,
  },
  {
    ...facts,
    name: 'hello',
    arity: -1,
    flags: alwaysFlags,
    summary: 'Begins the connection: version of the protocol, login and name',
    since: '6.0.0',
    complexity: 'O(1)',
    syntax: '[protover [AUTH username password] [SETNAME clientname]]',
    isLong: (args) => shownByHello(args) !== undefined,
    shows: shownByHello,
    session: hello,
  },
  {
    ...facts,
    name: 'ping',
    arity: -1,
    flags: ['fast'],
    summary: 'Answers PONG, or gives the message back',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: '[message]',
    session: ping,
  },
  {
    ...facts,
    name: 'echo',
    arity: 2,
    flags: ['loading', 'stale', 'fast'],
    summary: 'Gives the message back',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: 'message',
    session: (_, { args, reply }) => reply.bulk(args.bytes(1)),
  },
  {
    ...facts,
    name: 'quit',
    arity: -1,
    flags: alwaysFlags,
    summary: 'Ends the connection',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: '',
    session: (session, { reply }) => {
      reply.ok();
      session.kill('afterReply');
    },
  },
  {
    ...facts,
    name: 'reset',
    arity: 1,
    flags: alwaysFlags,
    summary: 'Makes the connection as it was at its beginning',
    since: '6.2.0',
    complexity: 'O(1)',
    syntax: '',
    session: (session, { reply }) => {
      session.reset();
      reply.simple('RESET');
    },
  },
  {
    ...facts,
    name: 'select',
    arity: 2,
    flags: ['loading', 'stale', 'fast'],
    summary: 'Chooses the database of the connection',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: 'index',
    session: select,
  },
  {
    ...facts,
    group: 'cluster',
    name: 'readonly',
    arity: 1,
    flags: ['loading', 'stale', 'fast'],
    summary: 'Has a follower of a cluster serve reads of its own state, and refuse writes',
    since: '3.0.0',
    complexity: 'O(1)',
    syntax: '',
    session: (session, { reply }) => {
      if (!session.isInCluster) throw noClusterSupport();
      session.isReadOnly = true;
      reply.ok();
    },
  },
  {
    ...facts,
    group: 'cluster',
    name: 'readwrite',
    arity: 1,
    flags: ['loading', 'stale', 'fast'],
    summary: 'Ends what READONLY has begun',
    since: '3.0.0',
    complexity: 'O(1)',
    syntax: '',
    session: (session, { reply }) => {
      if (!session.isInCluster) throw noClusterSupport();
      session.isReadOnly = false;
      reply.ok();
    },
  },
];
