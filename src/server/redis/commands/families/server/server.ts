/** Commands about the server: what it is, how it does, snapshots, and its end. */
import { infoText, masterOf, REDIS_VERSION } from '../../../info/info.ts';
import {
  negativeTimeout,
  noShutdownRunning,
  ReplyError,
  snapshotFailed,
  syntaxError,
} from '../../../replies/errors.ts';
import type { DoorCommand } from '../../door.ts';

type Run = DoorCommand['door'];

const info: Run = (door, _, { args, reply }) => {
  const names: string[] = [];
  for (let index = 1; index < args.count; index++) names.push(args.text(index).toLowerCase());
  reply.verbatim('txt', infoText(door, names));
};

const time: Run = ({ clock }, _, { reply, scriptedMs }) => {
  const nowMs = scriptedMs ?? clock.nowMs();
  const wholeSeconds = Math.floor(nowMs / 1000);
  reply.array(2);
  reply.text(String(wholeSeconds));
  reply.text(String(Math.floor((nowMs - wholeSeconds * 1000) * 1000)));
};

/** What stands for the offset is the revision. The followers of a cluster are not listed: what each has is not known as a revision. */
const role: Run = ({ server }, _, { reply }) => {
  const { cluster } = server;
  const { revision } = server.status();
  if (cluster?.role === 'follower') {
    const { host, port } = masterOf(cluster);
    reply.array(5);
    reply.text('slave');
    reply.text(host);
    reply.integer(port);
    reply.text(host === '' ? 'connect' : 'connected');
    reply.integer(revision);
    return;
  }
  reply.array(3);
  reply.text('master');
  reply.integer(revision);
  reply.array(0);
};

/**
 * There is nothing to wait for: alone a server has no replica, and in a cluster each write is in the shared log before it is answered,
 * which outlives this node and so counts as one.
 */
const wait: Run = ({ server }, _, { args, reply }) => {
  args.integer(1);
  let timeoutMs: number;
  try {
    timeoutMs = args.integer(2);
  } catch {
    throw new ReplyError('ERR timeout is not an integer or out of range');
  }
  if (timeoutMs < 0) throw negativeTimeout();
  reply.integer(server.cluster === undefined ? 0 : 1);
};

const lastSave: Run = ({ server }, _, { reply }) => {
  reply.integer(Math.floor(server.lastSnapshotMs / 1000));
};

const save: Run = async ({ server }, _, { reply }) => {
  try {
    await server.snapshot();
  } catch (error) {
    throw snapshotFailed(error);
  }
  reply.ok();
};

const bgSave: Run = ({ server }, _, { args, reply }) => {
  if (args.count > 2 || (args.count === 2 && !args.is(1, 'SCHEDULE'))) throw syntaxError();
  inBackground(server.snapshot());
  reply.simple('Background saving started');
};

/** The log becomes shorter by a snapshot. */
const bgRewriteAof: Run = ({ server }, _, { reply }) => {
  inBackground(server.snapshot());
  reply.simple('Background append only file rewriting started');
};

/** That a snapshot has failed is logged by the store itself. */
function inBackground(snapshot: Promise<unknown>): void {
  snapshot.catch(() => undefined);
}

const shutdown: Run = ({ server }, _, { args }) => {
  let isAbort = false;
  let savesOrNot = 0;
  for (let index = 1; index < args.count; index++) {
    if (args.is(index, 'ABORT')) isAbort = true;
    else if (args.is(index, 'SAVE') || args.is(index, 'NOSAVE')) savesOrNot++;
    else if (!args.is(index, 'NOW') && !args.is(index, 'FORCE')) throw syntaxError();
  }
  if (savesOrNot > 1 || (isAbort && args.count > 2)) throw syntaxError();
  if (isAbort) throw noShutdownRunning();
  // As in Redis there is no reply: the connection ends.
  server.shutDown();
};

const lolwut: Run = ({ server }, _, { args, reply }) => {
  if (args.count > 2 && args.is(1, 'VERSION')) args.integer(2);
  reply.verbatim(
    'txt',
    ['  | | / /', '  | |/ /   kelp grows where the current is strong', '  |___/', ''].join('\n') +
      `\nKelpDB ${server.version}, which speaks as Redis ver. ${REDIS_VERSION}\n`,
  );
};

export const serverCommands: readonly DoorCommand[] = [
  {
    name: 'info',
    arity: -1,
    flags: ['loading', 'stale'],
    categories: ['slow', 'dangerous'],
    group: 'server',
    summary: 'Tells facts and figures of the server, in sections',
    since: '1.0.0',
    complexity: 'O(n) in the connections',
    syntax: '[section [section ...]]',
    door: info,
  },
  {
    name: 'time',
    arity: 1,
    flags: ['loading', 'stale', 'fast'],
    categories: ['fast'],
    group: 'server',
    summary: 'Tells the time of the server, in seconds and microseconds',
    since: '2.6.0',
    complexity: 'O(1)',
    syntax: '',
    door: time,
  },
  {
    name: 'role',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast'],
    categories: ['admin', 'fast', 'dangerous'],
    group: 'server',
    summary: 'Tells whether the server is the master, or which one is, and its revision',
    since: '2.8.12',
    complexity: 'O(1)',
    syntax: '',
    door: role,
  },
  {
    name: 'wait',
    arity: 3,
    flags: ['noscript'],
    categories: ['slow', 'connection'],
    group: 'generic',
    summary: 'Answers 0 at once, as there are no replicas; in a cluster 1, for the shared log',
    since: '3.0.0',
    complexity: 'O(1)',
    syntax: 'numreplicas timeout',
    door: wait,
  },
  {
    name: 'lastsave',
    arity: 1,
    flags: ['loading', 'stale', 'fast'],
    categories: ['admin', 'fast', 'dangerous'],
    group: 'server',
    summary: 'Tells when the last snapshot was written, in Unix seconds',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: '',
    door: lastSave,
  },
  {
    name: 'save',
    arity: 1,
    flags: ['admin', 'noscript', 'no_async_loading', 'no_multi'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Writes a snapshot, and answers when it is there',
    since: '1.0.0',
    complexity: 'O(n) in the keys and elements',
    syntax: '',
    door: save,
    isLong: true,
  },
  {
    name: 'bgsave',
    arity: -1,
    flags: ['admin', 'noscript', 'no_async_loading'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Starts to write a snapshot',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: '[SCHEDULE]',
    door: bgSave,
  },
  {
    name: 'bgrewriteaof',
    arity: 1,
    flags: ['admin', 'noscript', 'no_async_loading'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Starts to write a snapshot, which lets the log become shorter',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: '',
    door: bgRewriteAof,
  },
  {
    name: 'shutdown',
    arity: -1,
    flags: ['admin', 'noscript', 'loading', 'stale', 'no_multi', 'allow_busy'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Stops the server',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: '[NOSAVE|SAVE] [NOW] [FORCE] [ABORT]',
    door: shutdown,
  },
  {
    name: 'lolwut',
    arity: -1,
    flags: ['readonly', 'fast'],
    categories: ['read', 'fast'],
    group: 'server',
    summary: 'Draws kelp, and tells the versions',
    since: '5.0.0',
    complexity: 'O(1)',
    syntax: '[VERSION version]',
    door: lolwut,
  },
];
