/** CLIENT: what connections are there, and what can be done to them. */
import type { Reply } from '../../command.ts';
import {
  clientIdNotPositive,
  invalidClientId,
  invalidPauseMode,
  invalidTimeout,
  invalidUnblockReason,
  negativeTimeout,
  noSuchClient,
  noSuchUser,
  syntaxError,
  unknownClientType,
} from '../../../replies/errors.ts';
import { replyHelp } from '../../../replies/help.ts';
import { clientNameIn } from '../../client-name.ts';
import type { Arguments } from '../../command.ts';
import type { DoorCommand } from '../../door.ts';
import type { ClientOption, ClientSession } from '../../session-command.ts';
import { trackingCommands } from './tracking.ts';

type Run = DoorCommand['door'];

const id: Run = (_, session, { reply }) => reply.integer(session.id);

const forwarded: Run = async (_, session, { args, reply }) => {
  if (args.count > 4) throw syntaxError();
  await session.passedOnFor(args.text(2), args.count === 4 ? args.text(3) : undefined);
  reply.ok();
};

const info: Run = ({ clock }, session, { reply }) =>
  reply.verbatim('txt', `${lineOf(session, clock.nowMs())}\n`);

const list: Run = ({ sessions, clock }, _, { args, reply }) => {
  const nowMs = clock.nowMs();
  let shown: Iterable<ClientSession> = sessions.all;
  if (args.count > 2) {
    if (args.count === 4 && args.is(2, 'TYPE')) {
      const type = clientType(args.text(3));
      shown = [...sessions.all].filter((one) => typeOf(one) === type);
    } else if (args.count > 3 && args.is(2, 'ID')) {
      const ids = new Set<number>();
      for (let index = 3; index < args.count; index++) ids.add(clientId(args, index, invalidClientId));
      shown = [...ids].map((one) => sessions.byId(one)).filter((one) => one !== undefined);
    } else throw syntaxError();
  }
  let text = '';
  for (const one of shown) text += `${lineOf(one, nowMs)}\n`;
  reply.verbatim('txt', text);
};

function clientId(args: Arguments, index: number, error: () => Error): number {
  const text = args.text(index);
  if (!/^[+-]?\d{1,16}$/.test(text) || Number(text) < 1) throw error();
  return Number(text);
}

type ClientType = 'normal' | 'pubsub' | 'replica' | 'master';

function clientType(text: string): ClientType {
  const type = text.toLowerCase();
  if (type === 'normal' || type === 'pubsub' || type === 'master') return type;
  if (type === 'replica' || type === 'slave') return 'replica';
  throw unknownClientType(text);
}

function typeOf({ subscriptionCounts: { channels, patterns, shardChannels } }: ClientSession): ClientType {
  return channels + patterns + shardChannels > 0 ? 'pubsub' : 'normal';
}

/** As CLIENT LIST shows it; of what Redis keeps of buffers those that KelpDB knows, and 0. */
export function lineOf(session: ClientSession, nowMs: number): string {
  const { figures, subscriptionCounts: counts } = session;
  const seconds = (sinceMs: number): number => Math.max(0, Math.floor((nowMs - sinceMs) / 1000));
  const { outputBytes, queryBytes, connectedAtMs, lastCommandAtMs, lastCommand } = figures;
  const fields = {
    id: session.id,
    addr: session.address,
    laddr: session.localAddress,
    fd: -1,
    name: session.name,
    age: seconds(connectedAtMs),
    idle: seconds(lastCommandAtMs),
    flags: flagsOf(session),
    db: session.database,
    sub: counts.channels,
    psub: counts.patterns,
    ssub: counts.shardChannels,
    multi: session.queuedCount,
    qbuf: queryBytes,
    'qbuf-free': 0,
    'argv-mem': 0,
    'multi-mem': 0,
    rbs: 0,
    rbp: 0,
    obl: 0,
    oll: 0,
    omem: outputBytes,
    'tot-mem': queryBytes + outputBytes,
    events: outputBytes > 0 ? 'rw' : 'r',
    cmd: lastCommand === '' ? 'NULL' : lastCommand,
    user: session.userName,
    redir: session.tracking?.redirect ?? -1,
    resp: session.protocolVersion,
  };
  const line = Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
  const library = session.libraryName + session.libraryVersion;
  return library === '' ? line : `${line} lib-name=${session.libraryName} lib-ver=${session.libraryVersion}`;
}

function flagsOf(session: ClientSession): string {
  const flags =
    (session.isMonitor ? 'O' : '') +
    (typeOf(session) === 'pubsub' ? 'P' : '') +
    (session.queuedCount >= 0 ? 'x' : '') +
    (session.isBlocked ? 'b' : '') +
    (session.tracking === undefined ? '' : 't') +
    (session.tracking?.isRedirectBroken === true ? 'R' : '') +
    (session.tracking?.isBroadcast === true ? 'B' : '') +
    (session.options.has('noEvict') ? 'e' : '') +
    (session.options.has('noTouch') ? 'T' : '');
  return flags === '' ? 'N' : flags;
}

interface Filter {
  id?: number;
  type?: ClientType;
  user?: string;
  address?: string;
  localAddress?: string;
  skipsSelf: boolean;
}

const kill: Run = ({ sessions, server }, session, { args, reply }) => {
  const isOld = args.count === 3;
  const filter = isOld ? { address: args.text(2), skipsSelf: false } : filterOf(args, server.userNames());
  let count = 0;
  for (const one of sessions.all) {
    if (!isKilled(one, filter) || (filter.skipsSelf && one === session)) continue;
    one.kill(one === session ? 'afterReply' : 'now');
    count++;
  }
  if (!isOld) reply.integer(count);
  else if (count === 0) throw noSuchClient();
  else reply.ok();
};

function filterOf(args: Arguments, userNames: readonly string[]): Filter {
  if (args.count % 2 !== 0) throw syntaxError();
  const filter: Filter = { skipsSelf: true };
  for (let index = 2; index < args.count; index += 2) {
    const text = args.text(index + 1);
    if (args.is(index, 'ID')) filter.id = clientId(args, index + 1, clientIdNotPositive);
    else if (args.is(index, 'TYPE')) filter.type = clientType(text);
    else if (args.is(index, 'ADDR')) filter.address = text;
    else if (args.is(index, 'LADDR')) filter.localAddress = text;
    else if (args.is(index, 'USER')) {
      if (text !== 'default' && !userNames.includes(text)) throw noSuchUser(text);
      filter.user = text;
    } else if (args.is(index, 'SKIPME')) {
      if (!args.is(index + 1, 'YES') && !args.is(index + 1, 'NO')) throw syntaxError();
      filter.skipsSelf = args.is(index + 1, 'YES');
    } else throw syntaxError();
  }
  return filter;
}

function isKilled(session: ClientSession, filter: Filter): boolean {
  const { id: wantedId, type, user, address, localAddress } = filter;
  return (
    (wantedId === undefined || session.id === wantedId) &&
    (type === undefined || typeOf(session) === type) &&
    (user === undefined || session.userName === user) &&
    (address === undefined || session.address === address) &&
    (localAddress === undefined || session.localAddress === localAddress)
  );
}

const setName: Run = (_, session, { args, reply }) => {
  session.name = clientNameIn(args, 2);
  reply.ok();
};

const getName: Run = (_, session, { reply }) => {
  if (session.name === '') reply.nil();
  else reply.text(session.name);
};

const setInfo: Run = (_, session, { args, reply }) => {
  const text = clientNameIn(args, 3);
  if (args.is(2, 'LIB-NAME')) session.libraryName = text;
  else if (args.is(2, 'LIB-VER')) session.libraryVersion = text;
  else throw syntaxError();
  reply.ok();
};

const pause: Run = ({ sessions, clock }, _, { args, reply }) => {
  if (args.count > 4) throw syntaxError();
  const text = args.text(2);
  const isWritesOnly = args.count === 4 && args.is(3, 'WRITE');
  if (args.count === 4 && !isWritesOnly && !args.is(3, 'ALL')) throw invalidPauseMode();
  if (!/^-?\d{1,15}$/.test(text)) throw invalidTimeout();
  if (Number(text) < 0) throw negativeTimeout();
  sessions.pause(clock.nowMs() + Number(text), isWritesOnly ? 'writes' : 'all');
  reply.ok();
};

const unpause: Run = ({ sessions }, _, { reply }) => {
  sessions.pause(0, 'all');
  reply.ok();
};

const replyMode: Run = (_, session, { args, reply }) => {
  if (args.is(2, 'ON')) {
    session.replyMode = 'on';
    reply.ok();
  } else if (args.is(2, 'OFF')) session.replyMode = 'off';
  else if (args.is(2, 'SKIP')) {
    if (session.replyMode !== 'off') session.replyMode = 'skip';
  } else throw syntaxError();
};

function switchOf(option: ClientOption): Run {
  return (_, session, { args, reply }) => {
    if (args.is(2, 'ON')) session.options.add(option);
    else if (args.is(2, 'OFF')) session.options.delete(option);
    else throw syntaxError();
    reply.ok();
  };
}

const noEvict = switchOf('noEvict');
const noTouch = switchOf('noTouch');

const unblock: Run = ({ sessions }, _, { args, reply }) => {
  const isError = args.count === 4 && args.is(3, 'ERROR');
  if (args.count === 4 && !isError && !args.is(3, 'TIMEOUT')) throw invalidUnblockReason();
  if (args.count > 4) throw syntaxError();
  const blocked = sessions.byId(args.integer(2));
  reply.integer(blocked?.unblock(isError) === true ? 1 : 0);
};

const help: Run = (_, __, { reply }: { readonly reply: Reply }) =>
  replyHelp(reply, 'client', [...clientCommands, ...trackingCommands]);

export const clientCommands: readonly DoorCommand[] = [
  {
    name: 'client|id',
    arity: 2,
    flags: ['noscript', 'loading', 'stale'],
    categories: ['slow', 'connection'],
    group: 'connection',
    summary: 'Tells the number of the connection',
    since: '5.0.0',
    complexity: 'O(1)',
    syntax: '',
    door: id,
  },
  {
    name: 'client|info',
    arity: 2,
    flags: ['noscript', 'loading', 'stale'],
    categories: ['slow', 'connection'],
    group: 'connection',
    summary: 'Tells what CLIENT LIST has of the connection',
    since: '6.2.0',
    complexity: 'O(1)',
    syntax: '',
    door: info,
  },
  {
    name: 'client|list',
    arity: -2,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous', 'connection'],
    group: 'connection',
    summary: 'Lists the connections, a line for each',
    since: '2.4.0',
    complexity: 'O(n) in the connections',
    syntax: '[TYPE NORMAL|MASTER|REPLICA|PUBSUB] [ID client-id [client-id ...]]',
    door: list,
  },
  {
    name: 'client|kill',
    arity: -3,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous', 'connection'],
    group: 'connection',
    summary: 'Closes connections',
    since: '2.4.0',
    complexity: 'O(n) in the connections',
    syntax:
      '<ip:port|<[ID client-id]|[TYPE NORMAL|MASTER|SLAVE|REPLICA|PUBSUB]|[USER username]|[ADDR ip:port]|[LADDR ip:port]|[SKIPME yes/no] [[ID client-id]|[TYPE NORMAL|MASTER|SLAVE|REPLICA|PUBSUB]|[USER username]|[ADDR ip:port]|[LADDR ip:port]|[SKIPME yes/no] ...]>>',
    door: kill,
  },
  {
    name: 'client|setname',
    arity: 3,
    flags: ['noscript', 'loading', 'stale'],
    categories: ['slow', 'connection'],
    group: 'connection',
    summary: 'Gives the connection a name',
    since: '2.6.9',
    complexity: 'O(1)',
    syntax: 'connection-name',
    door: setName,
  },
  {
    name: 'client|getname',
    arity: 2,
    flags: ['noscript', 'loading', 'stale'],
    categories: ['slow', 'connection'],
    group: 'connection',
    summary: 'Tells the name of the connection',
    since: '2.6.9',
    complexity: 'O(1)',
    syntax: '',
    door: getName,
  },
  {
    name: 'client|pause',
    arity: -3,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous', 'connection'],
    group: 'connection',
    summary: 'Lets all commands wait for a time, or those that write',
    since: '2.9.50',
    complexity: 'O(1)',
    syntax: 'timeout [WRITE|ALL]',
    door: pause,
  },
  {
    name: 'client|unpause',
    arity: 2,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous', 'connection'],
    group: 'connection',
    summary: 'Ends CLIENT PAUSE',
    since: '6.2.0',
    complexity: 'O(n) in the commands that wait',
    syntax: '',
    door: unpause,
  },
  {
    name: 'client|reply',
    arity: 3,
    flags: ['noscript', 'loading', 'stale'],
    categories: ['slow', 'connection'],
    group: 'connection',
    summary: 'Says whether commands of the connection are answered',
    since: '3.2.0',
    complexity: 'O(1)',
    syntax: '<ON|OFF|SKIP>',
    door: replyMode,
  },
  {
    name: 'client|no-evict',
    arity: 3,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous', 'connection'],
    group: 'connection',
    summary: 'Sets a flag that CLIENT LIST shows; no client is evicted anyway',
    since: '7.0.0',
    complexity: 'O(1)',
    syntax: '<ON|OFF>',
    door: noEvict,
  },
  {
    name: 'client|forwarded',
    arity: -3,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous', 'connection'],
    group: 'connection',
    summary:
      'Says whose connection it is that a node of a cluster passes on to the writer, and is for nodes alone',
    since: '7.0.0',
    complexity: 'O(1)',
    syntax: 'address [certificate]',
    isLong: true,
    door: forwarded,
  },
  {
    name: 'client|unblock',
    arity: -3,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous', 'connection'],
    group: 'connection',
    summary: 'Ends the waiting of another client, as if its time were over or with an error',
    since: '5.0.0',
    complexity: 'O(1)',
    syntax: 'client-id [TIMEOUT|ERROR]',
    door: unblock,
  },
  {
    name: 'client|help',
    arity: 2,
    flags: ['loading', 'stale'],
    categories: ['slow', 'connection'],
    group: 'connection',
    summary: 'Lists the subcommands',
    since: '5.0.0',
    complexity: 'O(1)',
    syntax: '',
    door: help,
  },
  {
    name: 'client|setinfo',
    arity: 4,
    flags: ['noscript', 'loading', 'stale'],
    categories: ['slow', 'connection'],
    group: 'connection',
    summary: 'Tells the server which library the client uses',
    since: '7.2.0',
    complexity: 'O(1)',
    syntax: 'LIB-NAME libname|LIB-VER libver',
    door: setInfo,
  },
  {
    name: 'client|no-touch',
    arity: 3,
    flags: ['noscript', 'loading', 'stale'],
    categories: ['slow', 'connection'],
    group: 'connection',
    summary: 'Sets a flag that CLIENT LIST shows; when a key was used last is not kept anyway',
    since: '7.2.0',
    complexity: 'O(1)',
    syntax: 'ON|OFF',
    door: noTouch,
  },
];
