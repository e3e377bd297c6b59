/**
 * The keys of a call that reads each of them: in pieces of one state where they are many, or have long values. Within EXEC there is
 * one piece.
 */
import { fixed, serverFixed } from '../../../limits.ts';
import type { ReadView } from '../../../store/views/view.ts';
import type { Arguments, CommandCall, Reply, Slice } from './command.ts';

export interface KeyReading {
  /** Called for each key in its order. */
  readonly visit: (view: ReadView, reply: Reply, key: Uint8Array) => void;
  /** Called behind the last one. */
  readonly end: (reply: Reply) => void;
}

/** A piece ends while there is enough left for looking at the longest key. */
const VISITS_MAX = fixed.turnVisitsMax - 2 * Math.ceil(fixed.keyBytesMax / fixed.visitKeyBytes);

/** All words behind the name are keys. */
export function readEachKey(
  view: ReadView,
  { args, reply, session }: CommandCall,
  reading: KeyReading,
): Slice | undefined {
  const next = session.isInTransaction
    ? visitAll(view, reply, args, reading)
    : visitSome(view, reply, args, 1, reading);
  // The words of the call are gone by the time of the next piece; they are copied at once, since there may be a million.
  return next === args.count ? undefined : keysFrom(args.ownCopy(), next, reading);
}

function keysFrom(args: Arguments, start: number, reading: KeyReading): Slice {
  return (view, reply) => {
    const next = visitSome(view, reply, args, start, reading);
    return next === args.count ? undefined : keysFrom(args, next, reading);
  };
}

function visitAll(view: ReadView, reply: Reply, args: Arguments, { visit, end }: KeyReading): number {
  for (let index = 1; index < args.count; index++) visit(view, reply, args.key(index));
  end(reply);
  return args.count;
}

/** @returns the index to go on from. */
function visitSome(
  view: ReadView,
  reply: Reply,
  args: Arguments,
  start: number,
  { visit, end }: KeyReading,
): number {
  const { budget } = view;
  const visitsEnd = budget.visitsLeft - VISITS_MAX;
  const bytesEnd = budget.bytesLeft - fixed.turnBytesMax;
  const last = Math.min(args.count, start + serverFixed.elementsPerSlice);
  let index = start;
  while (index < last) {
    visit(view, reply, args.key(index++));
    if (budget.visitsLeft <= visitsEnd || budget.bytesLeft <= bytesEnd) break;
  }
  if (index === args.count) end(reply);
  return index;
}
