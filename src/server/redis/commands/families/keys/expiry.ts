/** Deadlines of keys: EXPIRE and its kin, TTL and its kin, PERSIST. */
import type { ReadView, View } from '../../../../../store/views/view.ts';
import { deadlineOf, MILLISECOND_MS, SECOND_MS } from '../../../../../types/deadlines.ts';
import {
  type DeadlineCondition,
  deadlineOfKey,
  removeDeadline,
  setDeadline,
} from '../../../../../types/keys/expiry.ts';
import { incompatibleConditions, invalidExpireTime, unsupportedOption } from '../../../replies/errors.ts';
import type { Arguments, Command, CommandCall, CommandFacts } from '../../command.ts';

type Unit = Parameters<typeof deadlineOf>[1];

/** @param isFromNow the amount counts from now; else it is a point in time. */
function expire(name: string, unitMs: Unit, isFromNow: boolean) {
  return (view: View, call: CommandCall): void => {
    const { args, reply } = call;
    const condition = readCondition(args);
    const deadlineMs = deadlineOf(args.int64(2), unitMs, isFromNow ? view.instantMs : 0);
    if (deadlineMs === undefined) throw invalidExpireTime(name);
    const key = args.key(1);
    const outcome = setDeadline(view, key, deadlineMs, condition);
    if (outcome !== 'unchanged') call.notify('g', outcome === 'set' ? 'expire' : 'del', key);
    reply.integer(outcome === 'unchanged' ? 0 : 1);
  };
}

function readCondition(args: Arguments): DeadlineCondition {
  let whenNone = false;
  let whenSome = false;
  let whenLater = false;
  let whenEarlier = false;
  for (let index = 3; index < args.count; index++) {
    if (args.is(index, 'NX')) whenNone = true;
    else if (args.is(index, 'XX')) whenSome = true;
    else if (args.is(index, 'GT')) whenLater = true;
    else if (args.is(index, 'LT')) whenEarlier = true;
    else throw unsupportedOption(args.text(index));
  }
  if (whenNone && (whenSome || whenLater || whenEarlier)) throw incompatibleConditions('NX and XX, GT or LT');
  if (whenLater && whenEarlier) throw incompatibleConditions('GT and LT');
  return { whenNone, whenSome, whenLater, whenEarlier };
}

/** What is told of a key that is not there, and of one that has no deadline. */
const NO_KEY = -2;
const NO_DEADLINE = -1;

/** @param isLeft how much is left is told; else the deadline itself. */
function lifetime(isInSeconds: boolean, isLeft: boolean) {
  return (view: ReadView, { args, reply }: CommandCall): void => {
    const deadlineMs = deadlineOfKey(view, args.key(1));
    if (deadlineMs === undefined) reply.integer(NO_KEY);
    else if (deadlineMs === 0) reply.integer(NO_DEADLINE);
    else {
      const ms = isLeft ? Math.max(0, deadlineMs - view.instantMs) : deadlineMs;
      reply.integer(isInSeconds ? Math.floor((ms + 500) / 1000) : ms);
    }
  };
}

function persist(view: View, call: CommandCall): void {
  const key = call.args.key(1);
  const had = removeDeadline(view, key);
  if (had) call.notify('g', 'persist', key);
  call.reply.integer(had ? 1 : 0);
}

const setting = {
  arity: -3,
  flags: ['write', 'fast'],
  keys: [{ first: 1, last: 1, step: 1, use: 'write' }],
  categories: ['keyspace', 'write', 'fast'],
  group: 'generic',
  complexity: 'O(1)',
} as const satisfies Partial<CommandFacts>;

const telling = {
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: [{ first: 1, last: 1, step: 1, use: 'read' }],
  categories: ['keyspace', 'read', 'fast'],
  group: 'generic',
  complexity: 'O(1)',
  syntax: 'key',
} as const satisfies Partial<CommandFacts>;

const CONDITION = '[NX | XX | GT | LT]';

export const expiryCommands: readonly Command[] = [
  {
    ...setting,
    name: 'expire',
    summary: 'Lets a key expire in so many seconds',
    since: '1.0.0',
    syntax: `key seconds ${CONDITION}`,
    write: expire('expire', SECOND_MS, true),
  },
  {
    ...setting,
    name: 'pexpire',
    summary: 'Lets a key expire in so many milliseconds',
    since: '2.6.0',
    syntax: `key milliseconds ${CONDITION}`,
    write: expire('pexpire', MILLISECOND_MS, true),
  },
  {
    ...setting,
    name: 'expireat',
    summary: 'Lets a key expire at a time, in Unix seconds',
    since: '1.2.0',
    syntax: `key unix-time-seconds ${CONDITION}`,
    write: expire('expireat', SECOND_MS, false),
  },
  {
    ...setting,
    name: 'pexpireat',
    summary: 'Lets a key expire at a time, in Unix milliseconds',
    since: '2.6.0',
    syntax: `key unix-time-milliseconds ${CONDITION}`,
    write: expire('pexpireat', MILLISECOND_MS, false),
  },
  {
    ...telling,
    name: 'ttl',
    summary: 'Tells how many seconds a key has left',
    since: '1.0.0',
    read: lifetime(true, true),
  },
  {
    ...telling,
    name: 'pttl',
    summary: 'Tells how many milliseconds a key has left',
    since: '2.6.0',
    read: lifetime(false, true),
  },
  {
    ...telling,
    name: 'expiretime',
    summary: 'Tells when a key expires, in Unix seconds',
    since: '7.0.0',
    read: lifetime(true, false),
  },
  {
    ...telling,
    name: 'pexpiretime',
    summary: 'Tells when a key expires, in Unix milliseconds',
    since: '7.0.0',
    read: lifetime(false, false),
  },
  {
    ...setting,
    name: 'persist',
    arity: 2,
    summary: 'Takes the time to live from a key',
    since: '2.2.0',
    syntax: 'key',
    write: persist,
  },
];
