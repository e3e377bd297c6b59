/** For tests of a family: SET and DEL, so that a key can be of another type, or go, without the families that have them. */
import type { Command } from '../../../../../src/server/redis/commands/command.ts';

const facts = {
  flags: [],
  categories: [],
  group: 'generic',
  summary: '',
  since: '1.0.0',
  complexity: 'O(1)',
  syntax: 'key',
  keys: [{ first: 1, last: 1, step: 1, use: 'both' }],
} as const;

export const otherTypes: readonly Command[] = [
  {
    ...facts,
    name: 'set',
    arity: 3,
    write: (view, { args, reply }) => {
      view.put(args.key(1), args.bytes(2));
      reply.ok();
    },
  },
  {
    ...facts,
    name: 'del',
    arity: 2,
    write: (view, { args, reply }) => reply.integer(view.delete(args.key(1)) === undefined ? 0 : 1),
  },
];
