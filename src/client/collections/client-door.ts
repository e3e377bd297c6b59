/** Collections of a server, behind the calls of `collections/`: each change and each read is a call of its own. */
import type { CollectionAnswers, CollectionArguments, CollectionKind } from '../../api-collections.ts';
import { roundedTimes } from '../../arguments/calls.ts';
import { collectionCallChecks } from '../../arguments/collection-calls.ts';
import type { CollectionDoor } from '../../collections/door.ts';
import { placesOf } from '../../collections/list.ts';
import type { CollectionReadAnswer, CollectionReadKind, CollectionReads } from '../../collections/reads.ts';
import { callTable, demandTable } from '../calls/call-arguments.ts';
import type { Caller } from '../calls/caller.ts';
import {
  hashMethods,
  listMethods,
  setMethods,
  sketchMethods,
  sortedSetMethods,
} from '../calls/collection-methods.ts';
import type { Method } from '../calls/method.ts';
import { incompleteReply } from '../errors/error.ts';
import { invalidArgument } from '../errors/refuse.ts';
import {
  type ReplyOf,
  type RequestOf,
  toCollectionAnswer,
  toCollectionRequest,
} from '../messages/collections/operations.ts';
import * as requests from '../messages/collections/reads.ts';
import { toScores } from '../messages/collections/sorted-set.ts';
import type { CallOptions, ReadCallOptions } from '../messages/types.ts';

const checks = collectionCallChecks(roundedTimes.ttlMs, callTable, demandTable);

type ChangeMethods = {
  readonly [Kind in CollectionKind]: Method<RequestOf<Kind>, ReplyOf<Kind>>;
};

const changeMethods: ChangeMethods = {
  hashSet: hashMethods.set,
  hashDelete: hashMethods.delete,
  hashIncrement: hashMethods.increment,
  listPush: listMethods.push,
  listPop: listMethods.pop,
  listSet: listMethods.set,
  listInsert: listMethods.insert,
  listRemove: listMethods.remove,
  listTrim: listMethods.trim,
  listMove: listMethods.move,
  setAdd: setMethods.add,
  setRemove: setMethods.remove,
  setPop: setMethods.pop,
  setCombine: setMethods.combine,
  sortedSetAdd: sortedSetMethods.add,
  sortedSetRemove: sortedSetMethods.remove,
  sortedSetRemoveRange: sortedSetMethods.removeRange,
  sortedSetPop: sortedSetMethods.pop,
  sortedSetCombine: sortedSetMethods.combine,
  hllAdd: sketchMethods.hllAdd,
  hllMerge: sketchMethods.hllMerge,
  bloomCreate: sketchMethods.bloomCreate,
  bloomAdd: sketchMethods.bloomAdd,
};

type ReadCalls = {
  readonly [Kind in CollectionReadKind]: (
    caller: Caller,
    asked: CollectionReads[Kind],
    options: ReadCallOptions,
  ) => Promise<CollectionReadAnswer<Kind>>;
};

/** A read that starts a time to live anew is made once only. */
function callOf({ refreshTtl }: { readonly refreshTtl: boolean }): 'read' | 'write' {
  return refreshTtl ? 'write' : 'read';
}

function checkComplete(answers: readonly unknown[], asked: readonly unknown[], missing: string): void {
  if (answers.length !== asked.length) throw incompleteReply(missing);
}

const readCalls: ReadCalls = {
  hashGet: (caller, asked, options) =>
    caller[callOf(asked)](
      hashMethods.get,
      { ...requests.toHashGet(asked), ...caller.demand(options) },
      options,
    ),

  hashScan: (caller, asked, options) =>
    caller.read(hashMethods.scan, { ...requests.toHashScan(asked), ...caller.demand(options) }, options),

  async listRange(caller, asked, options) {
    const request = { ...requests.toListRange(asked), ...caller.demand(options) };
    const reply = await caller[callOf(asked)](listMethods.range, request, options);
    const [first, last] = placesOf(asked, reply.count);
    if (first <= last && reply.elements.length === 0) throw incompleteReply('the elements that it counts');
    return reply;
  },

  async setContains(caller, asked, options) {
    const request = { ...requests.toSetContains(asked), ...caller.demand(options) };
    const reply = await caller[callOf(asked)](setMethods.contains, request, options);
    checkComplete(reply.contained, asked.members, 'the answer for some member');
    return reply;
  },

  setScan: (caller, asked, options) =>
    caller.read(setMethods.scan, { ...requests.toSetScan(asked), ...caller.demand(options) }, options),

  async sortedSetScore(caller, asked, options) {
    const request = { ...requests.toSortedSetScore(asked), ...caller.demand(options) };
    const { scores, ...reply } = await caller[callOf(asked)](sortedSetMethods.score, request, options);
    checkComplete(scores, asked.members, 'the score of some member');
    return { ...reply, scores: toScores(scores) };
  },

  sortedSetRank: (caller, asked, options) =>
    caller.read(
      sortedSetMethods.rank,
      { ...requests.toSortedSetRank(asked), ...caller.demand(options) },
      options,
    ),

  sortedSetRange: (caller, asked, options) =>
    caller.read(
      sortedSetMethods.range,
      { ...requests.toSortedSetPage(asked), ...caller.demand(options) },
      options,
    ),

  async sortedSetCount(caller, asked, options) {
    const request = { ...requests.toSortedSetCount(asked), ...caller.demand(options) };
    const { count, revision } = await caller.read(sortedSetMethods.range, request, options);
    return { count, revision };
  },

  async hllCount(caller, asked, options) {
    const request = { ...requests.toHllCount(asked), ...caller.demand(options) };
    const { count, revision } = await caller.read(sketchMethods.hllCount, request, options);
    return { count, revision };
  },

  async bloomContains(caller, asked, options) {
    const request = { ...requests.toBloomContains(asked), ...caller.demand(options) };
    const reply = await caller[callOf(asked)](sketchMethods.bloomContains, request, options);
    checkComplete(reply.contained, asked.elements, 'the answer for some element');
    return reply;
  },
};

export class ClientDoor implements CollectionDoor<CallOptions, ReadCallOptions> {
  readonly checks = checks;
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  invalidArgument(wrong: string): Error {
    return invalidArgument(wrong);
  }

  async change<Kind extends CollectionKind>(
    kind: Kind,
    given: CollectionArguments[Kind],
    options: CallOptions,
  ): Promise<CollectionAnswers[Kind] & { readonly revision: number }> {
    const method: ChangeMethods[Kind] = changeMethods[kind];
    const request = toCollectionRequest(kind, given);
    const isReading = isRead(kind, given);
    if (isReading) Object.assign(request, this.#caller.demand(options));
    const reply = await this.#caller[isReading ? 'read' : 'write'](method, request, options);
    return toCollectionAnswer(kind, reply);
  }

  /** A server keeps the history that its settings say. */
  hold(): undefined {
    return undefined;
  }

  goingOn(options: ReadCallOptions, shownAt: number): ReadCallOptions {
    return this.#caller.goingOn(options, shownAt);
  }

  read<Kind extends CollectionReadKind>(
    kind: Kind,
    asked: CollectionReads[Kind],
    options: ReadCallOptions,
  ): Promise<CollectionReadAnswer<Kind>> {
    const call: ReadCalls[Kind] = readCalls[kind];
    return call(this.#caller, asked, options);
  }
}

/** Combinations without a destination change nothing. */
function isRead(kind: CollectionKind, given: object): boolean {
  return (kind === 'setCombine' || kind === 'sortedSetCombine') && !('destination' in given);
}
