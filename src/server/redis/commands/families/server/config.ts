/** CONFIG: what of the server is set, and what can be set while it runs (`settings/settings.ts`). */
import { type RedisGlob, compileRedisGlob } from '../../../../../types/glob.ts';
import { noConfigFile } from '../../../replies/errors.ts';
import { replyHelp } from '../../../replies/help.ts';
import type { DoorCommand } from '../../door.ts';

type Run = DoorCommand['door'];

const get: Run = ({ settings }, _, { args, reply }) => {
  const globs: RedisGlob[] = [];
  for (let index = 2; index < args.count; index++) {
    globs.push(compileRedisGlob(Buffer.from(args.text(index).toLowerCase(), 'latin1')));
  }
  const found = [...settings.all].filter(({ name }) => {
    const bytes = Buffer.from(name);
    return globs.some((glob) => glob.matches(bytes, 0, bytes.length));
  });
  reply.map(found.length);
  for (const { name, read } of found) {
    reply.text(name);
    reply.text(read());
  }
};

const set: Run = ({ settings }, _, { args, reply }) => {
  const words: string[] = [];
  for (let index = 2; index < args.count; index++) words.push(args.text(index));
  settings.set(words);
  reply.ok();
};

const resetStat: Run = ({ stats }, _, { reply }) => {
  stats.reset();
  reply.ok();
};

const rewrite: Run = () => {
  throw noConfigFile();
};

const help: Run = (_, __, { reply }) => replyHelp(reply, 'config', configCommands);

export const configCommands: readonly DoorCommand[] = [
  {
    name: 'config|get',
    arity: -3,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Tells the parameters that match patterns',
    since: '2.0.0',
    complexity: 'O(n) in the patterns',
    syntax: 'parameter [parameter ...]',
    door: get,
  },
  {
    name: 'config|set',
    arity: -4,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Sets parameters until the server stops',
    since: '2.0.0',
    complexity: 'O(1) per parameter',
    syntax: 'parameter value [parameter value ...]',
    door: set,
  },
  {
    name: 'config|resetstat',
    arity: 2,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Sets the counters of INFO back to 0',
    since: '2.0.0',
    complexity: 'O(1)',
    syntax: '',
    door: resetStat,
  },
  {
    name: 'config|rewrite',
    arity: 2,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: ['admin', 'slow', 'dangerous'],
    group: 'server',
    summary: 'Is refused, as the server writes no configuration',
    since: '2.8.0',
    complexity: 'O(1)',
    syntax: '',
    door: rewrite,
  },
  {
    name: 'config|help',
    arity: 2,
    flags: ['loading', 'stale'],
    categories: ['slow'],
    group: 'server',
    summary: 'Lists the subcommands',
    since: '5.0.0',
    complexity: 'O(1)',
    syntax: '',
    door: help,
  },
];
