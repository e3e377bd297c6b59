/** MULTI, EXEC, DISCARD, WATCH, UNWATCH. */
import type { CommandFacts } from '../command.ts';
import type { SessionCommand } from '../session-command.ts';

const facts = {
  categories: ['fast', 'transaction'],
  group: 'transactions',
} as const satisfies Partial<CommandFacts>;

export const transactionCommands: readonly SessionCommand[] = [
  {
    ...facts,
    name: 'multi',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    summary: 'Begins a transaction',
    since: '1.2.0',
    complexity: 'O(1)',
    syntax: '',
    session: (session, { reply }) => {
      session.transaction.begin();
      reply.ok();
    },
  },
  {
    ...facts,
    categories: ['slow', 'transaction'],
    name: 'exec',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'skip_slowlog'],
    summary: 'Runs all commands that were queued since MULTI, as one',
    since: '1.2.0',
    complexity: 'that of its commands',
    syntax: '',
    session: (session, { reply }) => session.transaction.execute(reply),
  },
  {
    ...facts,
    name: 'discard',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    summary: 'Forgets all commands that were queued since MULTI',
    since: '2.0.0',
    complexity: 'O(n) in the commands',
    syntax: '',
    session: (session, { reply }) => {
      session.transaction.discard();
      reply.ok();
    },
  },
  {
    ...facts,
    name: 'watch',
    arity: -2,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    keys: [{ first: 1, last: -1, step: 1, use: 'read' }],
    summary: 'Makes EXEC depend on keys: it does nothing when one was changed',
    since: '2.2.0',
    complexity: 'O(1) per key',
    syntax: 'key [key ...]',
    session: (session, { args, reply }) => {
      const keys: Uint8Array[] = [];
      for (let index = 1; index < args.count; index++)
        keys.push(Uint8Array.prototype.slice.call(args.key(index)));
      session.transaction.watch(keys);
      reply.ok();
    },
  },
  {
    ...facts,
    name: 'unwatch',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    summary: 'Forgets all keys that are watched',
    since: '2.2.0',
    complexity: 'O(n) in the keys watched',
    syntax: '',
    session: (session, { reply }) => {
      session.transaction.unwatch();
      reply.ok();
    },
  },
];
