/** Lists: what moves elements between them, pops from the first one that has any, or waits for one. */
import type { View } from '../../../../../store/views/view.ts';
import { kinds } from '../../../../../store/collections/kinds.ts';
import type { End } from '../../../../../types/list/list.ts';
import { move } from '../../../../../types/list/move.ts';
import { pop } from '../../../../../types/list/pop.ts';
import { lengthOf } from '../../../../../types/list/read.ts';
import { ReplyError, syntaxError, WRONG_TYPE } from '../../../replies/errors.ts';
import type { Arguments, Command, CommandCall, KeyUse, Reply, Waiting } from '../../command.ts';
import { notifyPop, notifyPush } from './list.ts';
import { integerFrom } from '../../bounded-integers.ts';
import { timeoutMsAt } from '../../timeouts.ts';

function endAt(args: Arguments, index: number): End {
  if (args.is(index, 'LEFT')) return 'head';
  if (args.is(index, 'RIGHT')) return 'tail';
  throw syntaxError();
}

/** @returns whether there was an element to move. */
function moveOne(view: View, call: CommandCall, from: End, to: End): boolean {
  const { args, reply } = call;
  const source = args.key(1);
  const target = args.key(2);
  const moved = move(view, source, from, target, to);
  if (moved === undefined) return false;
  notifyPush(call, target, to);
  notifyPop(call, source, from, moved.sourceCount);
  reply.bulk(moved.element);
  return true;
}

function lmove(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const from = endAt(args, 3);
  if (!moveOne(view, call, from, endAt(args, 4))) reply.nil();
}

function rpoplpush(view: View, call: CommandCall): void {
  if (!moveOne(view, call, 'tail', 'head')) call.reply.nil();
}

function blmove(view: View, call: CommandCall): Waiting | undefined {
  const { args } = call;
  const from = endAt(args, 3);
  const to = endAt(args, 4);
  return moveOrWait(view, call, from, to, timeoutMsAt(args, 5));
}

function brpoplpush(view: View, call: CommandCall): Waiting | undefined {
  return moveOrWait(view, call, 'tail', 'head', timeoutMsAt(call.args, 3));
}

function moveOrWait(
  view: View,
  call: CommandCall,
  from: End,
  to: End,
  timeoutMs: number,
): Waiting | undefined {
  const { args, session } = call;
  // A source of another type is waited for to become a list; a target of another type fails the call, however late it is tried.
  if (lengthOf(view, args.key(1)) > 0) {
    const kind = view.readMeta(args.key(2))?.kind;
    if (kind !== undefined && kind !== kinds.list) throw new ReplyError(WRONG_TYPE);
    moveOne(view, call, from, to);
    return undefined;
  }
  // Redis gives null within EXEC, and a null array when the time is over.
  const { isInTransaction } = session;
  return {
    keys: [args.key(1)],
    timeoutMs,
    onTimeout: (reply) => (isInTransaction ? reply.nil() : reply.nilArray()),
  };
}

const timedOut = (reply: Reply): void => reply.nilArray();

/** BLPOP, BRPOP: one element of the first list that has any, with its key. */
function popOrWait(view: View, call: CommandCall, end: End): Waiting | undefined {
  const { args, reply } = call;
  const keyEnd = args.count - 1;
  const timeoutMs = timeoutMsAt(args, keyEnd);
  const keys: Uint8Array[] = [];
  for (let index = 1; index < keyEnd; index++) {
    const key = args.key(index);
    const popped = call.looksAt(key) ? pop(view, key, end, 1) : undefined;
    if (popped !== undefined) {
      reply.array(2);
      reply.bulk(args.bytes(index));
      for (const element of popped.elements) reply.bulk(element);
      notifyPop(call, key, end, popped.count);
      return undefined;
    }
    keys.push(key);
  }
  return { keys, timeoutMs, onTimeout: timedOut };
}

/** What LMPOP and BLMPOP ask for: `numkeys key [key ...] LEFT|RIGHT [COUNT count]`. */
interface ManyPop {
  readonly firstKey: number;
  readonly keyEnd: number;
  readonly end: End;
  readonly count: number;
}

function readManyPop(args: Arguments, numberAt: number): ManyPop {
  const keyCount = integerFrom(args, numberAt, 1, 'ERR numkeys should be greater than 0');
  const firstKey = numberAt + 1;
  const keyEnd = firstKey + keyCount;
  if (keyEnd >= args.count) throw syntaxError();
  const end = endAt(args, keyEnd);
  let count = 0;
  for (let index = keyEnd + 1; index < args.count; index += 2) {
    if (count !== 0 || !args.is(index, 'COUNT') || index + 1 === args.count) throw syntaxError();
    count = integerFrom(args, index + 1, 1, 'ERR count should be greater than 0');
  }
  return { firstKey, keyEnd, end, count: count === 0 ? 1 : count };
}

/** @returns the keys, when none of them has a list. */
function popMany(
  view: View,
  call: CommandCall,
  { firstKey, keyEnd, end, count }: ManyPop,
): Uint8Array[] | undefined {
  const { args, reply } = call;
  const keys: Uint8Array[] = [];
  for (let index = firstKey; index < keyEnd; index++) {
    const key = args.key(index);
    const popped = call.looksAt(key) ? pop(view, key, end, count) : undefined;
    if (popped === undefined) {
      keys.push(key);
      continue;
    }
    reply.array(2);
    reply.bulk(args.bytes(index));
    reply.array(popped.elements.length);
    for (const element of popped.elements) reply.bulk(element);
    notifyPop(call, key, end, popped.count);
    return undefined;
  }
  return keys;
}

function lmpop(view: View, call: CommandCall): void {
  if (popMany(view, call, readManyPop(call.args, 1)) !== undefined) call.reply.nilArray();
}

function blmpop(view: View, call: CommandCall): Waiting | undefined {
  // The time is looked at last, as in Redis.
  const asked = readManyPop(call.args, 2);
  const timeoutMs = timeoutMsAt(call.args, 1);
  const keys = popMany(view, call, asked);
  return keys && { keys, timeoutMs, onTimeout: timedOut };
}

/** The keys behind their number. */
function countedKeys(numberAt: number) {
  return {
    told: [0, 0, 0],
    find: (args: Arguments, tell: (index: number, use: KeyUse) => void): void => {
      if (args.count <= numberAt || !/^[1-9]\d*$/.test(args.text(numberAt))) return;
      const keyEnd = Math.min(args.count, numberAt + 1 + Number(args.text(numberAt)));
      for (let index = numberAt + 1; index < keyEnd; index++) tell(index, 'both');
    },
  } as const;
}

const group = 'list';
const movedKeys = [
  { first: 1, last: 1, step: 1, use: 'both' },
  { first: 2, last: 2, step: 1, use: 'write' },
] as const;
const waitedKeys = [{ first: 1, last: -2, step: 1, use: 'both' }] as const;

export const listMoveCommands: readonly Command[] = [
  {
    name: 'lmove',
    arity: 5,
    flags: ['write', 'denyoom'],
    categories: ['write', 'list', 'slow'],
    group,
    summary: 'Moves an element from an end of a list to an end of another, or of its own',
    since: '6.2.0',
    complexity: 'O(1)',
    syntax: 'source destination LEFT|RIGHT LEFT|RIGHT',
    keys: movedKeys,
    write: lmove,
  },
  {
    name: 'rpoplpush',
    arity: 3,
    flags: ['write', 'denyoom'],
    categories: ['write', 'list', 'slow'],
    group,
    summary: 'Moves the last element of a list before the first one of another',
    since: '1.2.0',
    complexity: 'O(1)',
    syntax: 'source destination',
    keys: movedKeys,
    write: rpoplpush,
  },
  {
    name: 'lmpop',
    arity: -4,
    flags: ['write', 'movablekeys'],
    categories: ['write', 'list', 'slow'],
    group,
    summary: 'Takes elements out of the first list that has any',
    since: '7.0.0',
    complexity: 'O(k + m) for k keys and m elements taken out',
    syntax: 'numkeys key [key ...] LEFT|RIGHT [COUNT count]',
    keys: countedKeys(1),
    write: lmpop,
  },
  {
    name: 'blpop',
    arity: -3,
    flags: ['write', 'noscript', 'blocking'],
    categories: ['write', 'list', 'slow', 'blocking'],
    group,
    summary: 'Takes out the first element of the first list that has any, or waits for one',
    since: '2.0.0',
    complexity: 'O(1) per key',
    syntax: 'key [key ...] timeout',
    keys: waitedKeys,
    block: (view, call) => popOrWait(view, call, 'head'),
  },
  {
    name: 'brpop',
    arity: -3,
    flags: ['write', 'noscript', 'blocking'],
    categories: ['write', 'list', 'slow', 'blocking'],
    group,
    summary: 'Takes out the last element of the first list that has any, or waits for one',
    since: '2.0.0',
    complexity: 'O(1) per key',
    syntax: 'key [key ...] timeout',
    keys: waitedKeys,
    block: (view, call) => popOrWait(view, call, 'tail'),
  },
  {
    name: 'blmove',
    arity: 6,
    flags: ['write', 'denyoom', 'noscript', 'blocking'],
    categories: ['write', 'list', 'slow', 'blocking'],
    group,
    summary: 'Moves an element from an end of a list to an end of another, or waits for one',
    since: '6.2.0',
    complexity: 'O(1)',
    syntax: 'source destination LEFT|RIGHT LEFT|RIGHT timeout',
    keys: movedKeys,
    block: blmove,
  },
  {
    name: 'brpoplpush',
    arity: 4,
    flags: ['write', 'denyoom', 'noscript', 'blocking'],
    categories: ['write', 'list', 'slow', 'blocking'],
    group,
    summary: 'Moves the last element of a list before the first one of another, or waits for one',
    since: '2.2.0',
    complexity: 'O(1)',
    syntax: 'source destination timeout',
    keys: movedKeys,
    block: brpoplpush,
  },
  {
    name: 'blmpop',
    arity: -5,
    flags: ['write', 'blocking', 'movablekeys'],
    categories: ['write', 'list', 'slow', 'blocking'],
    group,
    summary: 'Takes elements out of the first list that has any, or waits for one',
    since: '7.0.0',
    complexity: 'O(k + m) for k keys and m elements taken out',
    syntax: 'timeout numkeys key [key ...] LEFT|RIGHT [COUNT count]',
    keys: countedKeys(2),
    block: blmpop,
  },
];
