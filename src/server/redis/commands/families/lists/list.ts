/** Lists: elements that come, go and change. What reads them is in `list-reads.ts`, what moves them or waits in `list-moves.ts`. */
import type { View } from '../../../../../store/views/view.ts';
import { insertBeside, setElement } from '../../../../../types/list/change.ts';
import type { End } from '../../../../../types/list/list.ts';
import { pop } from '../../../../../types/list/pop.ts';
import { push, pushIfExists } from '../../../../../types/list/push.ts';
import { lengthOf } from '../../../../../types/list/read.ts';
import { removeEqual } from '../../../../../types/list/remove.ts';
import { trim } from '../../../../../types/list/trim.ts';
import { NOT_POSITIVE, noSuchKey, syntaxError, wrongArity } from '../../../replies/errors.ts';
import { integerFrom } from '../../bounded-integers.ts';
import type { Command, CommandCall } from '../../command.ts';

const pushEvents = { head: 'lpush', tail: 'rpush' } as const;
const popEvents = { head: 'lpop', tail: 'rpop' } as const;

/** Tells that something was pushed to a list. */
export function notifyPush(call: CommandCall, key: Uint8Array, end: End): void {
  call.notify('l', pushEvents[end], key);
}

/** Tells that something was popped from a list, and that the list is gone when nothing is left. */
export function notifyPop(call: CommandCall, key: Uint8Array, end: End, leftCount: number): void {
  call.notify('l', popEvents[end], key);
  if (leftCount === 0) call.notify('g', 'del', key);
}

function pushWords(view: View, call: CommandCall, end: End): void {
  const { args, reply } = call;
  const key = args.key(1);
  const count = push(view, key, end, wordsFrom(call, 2));
  notifyPush(call, key, end);
  reply.integer(count);
}

function pushWordsIfExists(view: View, call: CommandCall, end: End): void {
  const { args, reply } = call;
  const key = args.key(1);
  const count = pushIfExists(view, key, end, wordsFrom(call, 2));
  if (count > 0) notifyPush(call, key, end);
  reply.integer(count);
}

function wordsFrom({ args }: CommandCall, first: number): Uint8Array[] {
  const words: Uint8Array[] = [];
  for (let index = first; index < args.count; index++) words.push(args.bytes(index));
  return words;
}

function popWords(view: View, call: CommandCall, end: End): void {
  const { args, reply } = call;
  if (args.count > 3) throw wrongArity(popEvents[end]);
  const hasCount = args.count === 3;
  const count = hasCount ? integerFrom(args, 2, 0, NOT_POSITIVE) : 1;
  const key = args.key(1);
  const popped = pop(view, key, end, count);
  if (popped === undefined) {
    if (hasCount) reply.nilArray();
    else reply.nil();
    return;
  }
  const { elements } = popped;
  if (hasCount) reply.array(elements.length);
  for (const element of elements) reply.bulk(element);
  if (elements.length > 0) notifyPop(call, key, end, popped.count);
}

function lset(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const key = args.key(1);
  // What is wrong with the key is told before what is wrong with the index.
  if (lengthOf(view, key) === 0) throw noSuchKey();
  setElement(view, key, args.integer(2), args.bytes(3));
  call.notify('l', 'lset', key);
  reply.ok();
}

function linsert(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const isBefore = args.is(2, 'BEFORE');
  if (!isBefore && !args.is(2, 'AFTER')) throw syntaxError();
  const key = args.key(1);
  const count = insertBeside(view, key, isBefore ? 'before' : 'behind', args.bytes(3), args.bytes(4));
  if (count > 0) call.notify('l', 'linsert', key);
  reply.integer(count);
}

function lrem(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const limit = args.integer(2);
  const key = args.key(1);
  const { removedCount, count } = removeEqual(view, key, limit, args.bytes(3));
  if (removedCount > 0) {
    call.notify('l', 'lrem', key);
    if (count === 0) call.notify('g', 'del', key);
  }
  reply.integer(removedCount);
}

function ltrim(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const start = args.integer(2);
  const stop = args.integer(3);
  const key = args.key(1);
  const count = trim(view, key, start, stop);
  if (count !== undefined) {
    call.notify('l', 'ltrim', key);
    if (count === 0) call.notify('g', 'del', key);
  }
  reply.ok();
}

const group = 'list';
const keys = [{ first: 1, last: 1, step: 1, use: 'both' }] as const;

export const listCommands: readonly Command[] = [
  {
    name: 'lpush',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['write', 'list', 'fast'],
    group,
    summary: 'Puts elements before the first one of a list, which is made if there is none',
    since: '1.0.0',
    complexity: 'O(1) per element',
    syntax: 'key element [element ...]',
    keys,
    write: (view, call) => pushWords(view, call, 'head'),
  },
  {
    name: 'rpush',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['write', 'list', 'fast'],
    group,
    summary: 'Puts elements behind the last one of a list, which is made if there is none',
    since: '1.0.0',
    complexity: 'O(1) per element',
    syntax: 'key element [element ...]',
    keys,
    write: (view, call) => pushWords(view, call, 'tail'),
  },
  {
    name: 'lpushx',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['write', 'list', 'fast'],
    group,
    summary: 'Puts elements before the first one of a list that exists',
    since: '2.2.0',
    complexity: 'O(1) per element',
    syntax: 'key element [element ...]',
    keys,
    write: (view, call) => pushWordsIfExists(view, call, 'head'),
  },
  {
    name: 'rpushx',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['write', 'list', 'fast'],
    group,
    summary: 'Puts elements behind the last one of a list that exists',
    since: '2.2.0',
    complexity: 'O(1) per element',
    syntax: 'key element [element ...]',
    keys,
    write: (view, call) => pushWordsIfExists(view, call, 'tail'),
  },
  {
    name: 'lpop',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['write', 'list', 'fast'],
    group,
    summary: 'Takes the first elements out of a list',
    since: '1.0.0',
    complexity: 'O(1) per element',
    syntax: 'key [count]',
    keys,
    write: (view, call) => popWords(view, call, 'head'),
  },
  {
    name: 'rpop',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['write', 'list', 'fast'],
    group,
    summary: 'Takes the last elements out of a list',
    since: '1.0.0',
    complexity: 'O(1) per element',
    syntax: 'key [count]',
    keys,
    write: (view, call) => popWords(view, call, 'tail'),
  },
  {
    name: 'lset',
    arity: 4,
    flags: ['write', 'denyoom'],
    categories: ['write', 'list', 'slow'],
    group,
    summary: 'Replaces the element at an index',
    since: '1.0.0',
    complexity: 'O(log n)',
    syntax: 'key index element',
    keys,
    write: lset,
  },
  {
    name: 'linsert',
    arity: 5,
    flags: ['write', 'denyoom'],
    categories: ['write', 'list', 'slow'],
    group,
    summary: 'Puts an element before or behind the first one that equals another',
    since: '2.2.0',
    complexity: 'O(n) in the elements before it, and in those between it and the nearer end',
    syntax: 'key BEFORE|AFTER pivot element',
    keys,
    write: linsert,
  },
  {
    name: 'lrem',
    arity: 4,
    flags: ['write'],
    categories: ['write', 'list', 'slow'],
    group,
    summary: 'Removes elements that equal another: the first ones, the last ones, or all',
    since: '1.0.0',
    complexity: 'O(n) in the elements of the list',
    syntax: 'key count element',
    keys,
    write: lrem,
  },
  {
    name: 'ltrim',
    arity: 4,
    flags: ['write'],
    categories: ['write', 'list', 'slow'],
    group,
    summary: 'Keeps a part of a list, and removes the rest',
    since: '1.0.0',
    complexity: 'O(n) in the elements removed or kept, whichever are fewer',
    syntax: 'key start stop',
    keys,
    write: ltrim,
  },
];
