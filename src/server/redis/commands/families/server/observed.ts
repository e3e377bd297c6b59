/** SLOWLOG and MONITOR: what commands have run, and how long they took. */
import { badSubcommand, slowLogCount } from '../../../replies/errors.ts';
import { replyHelp } from '../../../replies/help.ts';
import type { DoorCommand } from '../../door.ts';

type Run = DoorCommand['door'];

const SHOWN_DEFAULT = 10;

const get: Run = ({ slowLog }, _, { args, reply }) => {
  if (args.count > 3) throw badSubcommand(args.text(1), 'slowlog');
  const count = args.count > 2 ? countIn(args.text(2)) : SHOWN_DEFAULT;
  const commands = slowLog.newest(count === -1 ? slowLog.length : count);
  reply.array(commands.length);
  for (const { id, timeMs, micros, words, address, clientName } of commands) {
    reply.array(6);
    reply.integer(id);
    reply.integer(Math.floor(timeMs / 1000));
    reply.integer(micros);
    reply.array(words.length);
    for (const word of words) reply.bulk(Buffer.from(word, 'latin1'));
    reply.text(address);
    reply.text(clientName);
  }
};

function countIn(text: string): number {
  const count = Number(text);
  if (!/^-?\d{1,10}$/.test(text) || count < -1) throw slowLogCount();
  return count;
}

const len: Run = ({ slowLog }, _, { reply }) => {
  reply.integer(slowLog.length);
};

const reset: Run = ({ slowLog }, _, { reply }) => {
  slowLog.reset();
  reply.ok();
};

const monitor: Run = ({ monitors }, session, { reply }) => {
  monitors.add(session);
  reply.ok();
};

const help: Run = (_, __, { reply }) =>
  replyHelp(
    reply,
    'slowlog',
    observedCommands.filter(({ name }) => name.startsWith('slowlog|')),
  );

export const observedCommands: readonly DoorCommand[] = [
  {
    name: 'slowlog|get',
    arity: -2,
    flags: ['admin', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Lists commands that took long, the newest first',
    since: '2.2.12',
    complexity: 'O(n) in the commands listed',
    syntax: '[count]',
    door: get,
  },
  {
    name: 'slowlog|len',
    arity: 2,
    flags: ['admin', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Counts the commands in the slow log',
    since: '2.2.12',
    complexity: 'O(1)',
    syntax: '',
    door: len,
  },
  {
    name: 'slowlog|reset',
    arity: 2,
    flags: ['admin', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Empties the slow log',
    since: '2.2.12',
    complexity: 'O(1)',
    syntax: '',
    door: reset,
  },
  {
    name: 'slowlog|help',
    arity: 2,
    flags: ['loading', 'stale'],
    categories: ['slow'],
    group: 'server',
    summary: 'Lists the subcommands',
    since: '6.2.0',
    complexity: 'O(1)',
    syntax: '',
    door: help,
  },
  {
    name: 'monitor',
    arity: 1,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Shows each command that the server runs, as it runs',
    since: '1.0.0',
    complexity: 'O(1) per command',
    syntax: '',
    door: monitor,
  },
];
