/** MEMORY: what the store takes. MEMORY USAGE is about a key, and so runs on a view like those of the families. */
import { memoryUsageOf } from '../../../../../types/keys/memory-usage.ts';
import { replyHelp } from '../../../replies/help.ts';
import { syntaxError } from '../../../replies/errors.ts';
import type { Command, CommandFacts } from '../../command.ts';
import type { DoorCommand } from '../../door.ts';

type Run = DoorCommand['door'];

/** Of elements, as in Redis. */
const SAMPLES = 5;

const doctor: Run = ({ server }, _, { reply }) => {
  const { memoryBytes, memoryBytesMax } = server.status();
  const evicts =
    server.memoryPolicy === 'noeviction'
      ? 'nothing is evicted'
      : 'keys with a time to live are evicted before';
  const percent = Math.round((100 * memoryBytes) / Math.max(1, memoryBytesMax));
  reply.verbatim(
    'txt',
    `The state of the store takes ${percent} % of what it may (memory-limit). Writes that need more are refused with OOM; ${evicts}.\n`,
  );
};

const stats: Run = ({ server, sessions }, _, { reply }) => {
  const { memoryBytes, dataBytes } = server.status();
  const keyCount = server.keyCounts().reduce((sum, one) => sum + one.keyCount, 0);
  let clientBytes = 0;
  for (const { figures } of sessions.all) clientBytes += figures.queryBytes + figures.outputBytes;
  const facts: readonly (readonly [string, number])[] = [
    ['total.allocated', memoryBytes],
    ['replication.backlog', 0],
    ['clients.slaves', 0],
    ['clients.normal', clientBytes],
    ['overhead.total', Math.max(0, memoryBytes - dataBytes)],
    ['keys.count', keyCount],
    ['keys.bytes-per-key', keyCount === 0 ? 0 : Math.round(memoryBytes / keyCount)],
    ['dataset.bytes', dataBytes],
    ['allocator.resident', process.memoryUsage.rss()],
  ];
  reply.map(facts.length);
  for (const [name, value] of facts) {
    reply.text(name);
    reply.integer(value);
  }
};

/** Memory that is free goes back by itself. */
const purge: Run = (_, __, { reply }) => reply.ok();

const mallocStats: Run = (_, __, { reply }) => {
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const lines = Object.entries({ rss, heapTotal, heapUsed, external, arrayBuffers });
  reply.verbatim('txt', lines.map(([name, bytes]) => `${name}: ${bytes}\n`).join(''));
};

/** By ranks of its elements, which the newest state has. */
const usage: Extract<Command, { newest: unknown }>['newest'] = (view, { args, reply }) => {
  if (args.count > 3 && (args.count !== 5 || !args.is(3, 'SAMPLES'))) throw syntaxError();
  const sampleCount = args.count === 5 ? args.integer(4) : SAMPLES;
  if (sampleCount < 0) throw syntaxError();
  const bytes = memoryUsageOf(view, args.key(2), sampleCount);
  if (bytes === undefined) reply.nil();
  else reply.integer(bytes);
};

const help: Run = (_, __, { reply }) => replyHelp(reply, 'memory', memoryRows());

function memoryRows(): readonly CommandFacts[] {
  return [...memoryKeyCommands, ...memoryCommands];
}

export const memoryKeyCommands: readonly Command[] = [
  {
    name: 'memory|usage',
    arity: -3,
    flags: ['readonly'],
    keys: [{ first: 2, last: 2, step: 1, use: 'read' }],
    categories: ['read', 'slow'],
    group: 'server',
    summary: "Estimates the bytes of a key's entry, without elements that have entries of their own",
    since: '4.0.0',
    complexity: 'O(1)',
    syntax: 'key [SAMPLES count]',
    newest: usage,
  },
];

export const memoryCommands: readonly DoorCommand[] = [
  {
    name: 'memory|doctor',
    arity: 2,
    flags: [],
    categories: ['slow'],
    group: 'server',
    summary: 'Tells in a sentence how full the memory is',
    since: '4.0.0',
    complexity: 'O(1)',
    syntax: '',
    door: doctor,
  },
  {
    name: 'memory|stats',
    arity: 2,
    flags: [],
    categories: ['slow'],
    group: 'server',
    summary: 'Tells what takes how much memory',
    since: '4.0.0',
    complexity: 'O(n) in the connections',
    syntax: '',
    door: stats,
  },
  {
    name: 'memory|purge',
    arity: 2,
    flags: [],
    categories: ['slow'],
    group: 'server',
    summary: 'Does nothing: free memory goes back by itself',
    since: '4.0.0',
    complexity: 'O(1)',
    syntax: '',
    door: purge,
  },
  {
    name: 'memory|malloc-stats',
    arity: 2,
    flags: [],
    categories: ['slow'],
    group: 'server',
    summary: 'Tells the memory that the process has, by kind',
    since: '4.0.0',
    complexity: 'O(1)',
    syntax: '',
    door: mallocStats,
  },
  {
    name: 'memory|help',
    arity: 2,
    flags: ['loading', 'stale'],
    categories: ['slow'],
    group: 'server',
    summary: 'Lists the subcommands',
    since: '4.0.0',
    complexity: 'O(1)',
    syntax: '',
    door: help,
  },
];
