/** Commands of HyperLogLogs. */
import type { View } from '../../../../../store/views/view.ts';
import {
  addElements,
  countOne,
  countUnion,
  DamagedHyperLogLogError,
  mergeInto,
  NotHyperLogLogError,
} from '../../../../../types/hyperloglog/hyperloglog.ts';
import { damagedHyperLogLog, notHyperLogLog } from '../../../replies/errors.ts';
import type { Command, CommandCall } from '../../command.ts';

const FIRST_ELEMENT = 2;

type Run = (view: View, call: CommandCall) => void;

/** With Redis' texts for strings that are no HyperLogLogs. */
function told(run: Run): Run {
  return (view, call) => {
    try {
      run(view, call);
    } catch (error) {
      if (error instanceof NotHyperLogLogError) throw notHyperLogLog();
      throw error instanceof DamagedHyperLogLogError ? damagedHyperLogLog() : error;
    }
  };
}

function pfadd(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const key = args.key(1);
  const hasChanged = addElements(view, key, args.count - FIRST_ELEMENT, (index) =>
    args.bytes(FIRST_ELEMENT + index),
  );
  if (hasChanged) call.notify('$', 'pfadd', key);
  reply.integer(hasChanged ? 1 : 0);
}

/** Of one key it keeps what it has counted, and so writes, where that may be. */
function pfcount(view: View, { args, reply, session }: CommandCall): void {
  if (args.count === 2 && !session.isReadOnly) reply.integer(countOne(view, args.key(1)));
  else reply.integer(countUnion(view, keysFrom(args, 1)));
}

function pfmerge(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const target = args.key(1);
  mergeInto(view, target, keysFrom(args, 2));
  call.notify('$', 'pfadd', target);
  reply.ok();
}

/** Each when it is looked at: a call may name more than one call looks at. */
function* keysFrom(args: CommandCall['args'], first: number): Generator<Uint8Array, void> {
  for (let index = first; index < args.count; index++) yield args.key(index);
}

const facts = { group: 'hyperloglog', since: '2.8.9' } as const;

export const hyperLogLogCommands: readonly Command[] = [
  {
    ...facts,
    name: 'pfadd',
    arity: -2,
    flags: ['write', 'denyoom', 'fast'],
    keys: [{ first: 1, last: 1, step: 1, use: 'write' }],
    categories: ['write', 'hyperloglog', 'fast'],
    summary: 'Adds elements to a HyperLogLog, which is made if there is none',
    complexity: 'O(1) per element',
    syntax: 'key [element [element ...]]',
    write: told(pfadd),
  },
  {
    ...facts,
    name: 'pfcount',
    arity: -2,
    flags: ['readonly'],
    keys: [{ first: 1, last: -1, step: 1, use: 'read' }],
    categories: ['read', 'hyperloglog', 'slow'],
    summary: 'Estimates how many different elements HyperLogLogs have together',
    complexity: 'O(1) per key, of 16384 registers each',
    syntax: 'key [key ...]',
    write: told(pfcount),
  },
  {
    ...facts,
    name: 'pfmerge',
    arity: -2,
    flags: ['write', 'denyoom'],
    keys: [
      { first: 1, last: 1, step: 1, use: 'both' },
      { first: 2, last: -1, step: 1, use: 'read' },
    ],
    categories: ['write', 'hyperloglog', 'slow'],
    summary: 'Joins HyperLogLogs into one',
    complexity: 'O(1) per key, of 16384 registers each',
    syntax: 'destkey [sourcekey [sourcekey ...]]',
    write: told(pfmerge),
  },
];
