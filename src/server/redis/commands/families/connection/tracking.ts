/** CLIENT TRACKING and what belongs to it: clients that keep what they have read are told when it is no longer so. */
import { serverFixed } from '../../../../../limits.ts';
import {
  broadcastSwitched,
  cachingNotIn,
  noRedirectAtFollower,
  noRedirectClient,
  notTracking,
  optInAndOut,
  optionWithBroadcast,
  optSwitched,
  prefixesExceeded,
  prefixesOverlap,
  prefixWithoutBroadcast,
  redirectedTwice,
  syntaxError,
} from '../../../replies/errors.ts';
import type { Arguments, CommandFacts } from '../../command.ts';
import type { Door, DoorCommand } from '../../door.ts';
import type { ClientSession } from '../../session-command.ts';
import type { TrackingOptions } from '../../session-tracking.ts';

type Run = DoorCommand['door'];

interface TrackingWords {
  readonly redirect: number;
  readonly isBroadcast: boolean;
  readonly isOptIn: boolean;
  readonly isOptOut: boolean;
  readonly isNoLoop: boolean;
  readonly prefixes: readonly string[];
}

const tracking: Run = (door, session, { args, reply }) => {
  const words = readWords(door, session, args);
  if (args.is(2, 'ON')) {
    const { redirect, isNoLoop, prefixes } = words;
    const mode = modeOf(words, session);
    // Without any it is of all keys.
    const begun = mode === 'broadcast' && prefixes.length === 0 ? [''] : prefixes;
    door.tracking.begin(session, { redirect, mode, isNoLoop }, begun);
  } else if (args.is(2, 'OFF')) session.tracking?.end();
  else throw syntaxError();
  reply.ok();
};

/** What is behind ON or OFF; also of OFF it has to be right. */
function readWords({ sessions }: Door, session: ClientSession, args: Arguments): TrackingWords {
  let [redirect, isBroadcast, isOptIn, isOptOut, isNoLoop] = [0, false, false, false, false];
  const prefixes: string[] = [];
  for (let index = 3; index < args.count; index++) {
    const hasMore = index + 1 < args.count;
    if (args.is(index, 'REDIRECT') && hasMore) {
      if (redirect !== 0) throw redirectedTwice();
      redirect = args.integer(++index);
      checkRedirect(session, sessions.byId(redirect));
    } else if (args.is(index, 'BCAST')) isBroadcast = true;
    else if (args.is(index, 'OPTIN')) isOptIn = true;
    else if (args.is(index, 'OPTOUT')) isOptOut = true;
    else if (args.is(index, 'NOLOOP')) isNoLoop = true;
    else if (args.is(index, 'PREFIX') && hasMore) prefixes.push(args.text(++index));
    else throw syntaxError();
  }
  return { redirect, isBroadcast, isOptIn, isOptOut, isNoLoop, prefixes };
}

/** A client of another user is as good as none: it would learn names of keys, and be sent what it has not asked for. */
function checkRedirect(session: ClientSession, target: ClientSession | undefined): void {
  // What listens to messages is at the writer, and has its number there.
  if (session.serverRole === 'replica') throw noRedirectAtFollower();
  if (target?.userName !== session.userName) throw noRedirectClient();
}

/** Throws a `ReplyError` for words that don't go together, or with what the client has said before. */
function modeOf(words: TrackingWords, session: ClientSession): TrackingOptions['mode'] {
  const { isBroadcast, isOptIn, isOptOut, prefixes } = words;
  const before = session.tracking;
  if (!isBroadcast && prefixes.length > 0) throw prefixWithoutBroadcast();
  if (before !== undefined && before.isBroadcast !== isBroadcast) throw broadcastSwitched();
  if (isBroadcast && (isOptIn || isOptOut)) throw optionWithBroadcast();
  if (isOptIn && isOptOut) throw optInAndOut();
  if ((isOptIn && before?.mode === 'optOut') || (isOptOut && before?.mode === 'optIn')) throw optSwitched();
  if (isBroadcast) {
    checkPrefixes(prefixes, before?.prefixes ?? new Set());
    return 'broadcast';
  }
  if (isOptIn) return 'optIn';
  return isOptOut ? 'optOut' : 'reads';
}

/** Throws a `ReplyError` where one begins as another one: a key would be told twice. */
function checkPrefixes(prefixes: readonly string[], before: ReadonlySet<string>): void {
  if (prefixes.length > serverFixed.redisTrackedPrefixesMax) throw prefixesExceeded();
  for (const [index, prefix] of prefixes.entries()) {
    for (const other of before)
      if (doOverlap(prefix, other)) throw prefixesOverlap(prefix, 'an existing', other);
    for (const other of prefixes.slice(index + 1))
      if (doOverlap(prefix, other)) throw prefixesOverlap(prefix, 'another provided', other);
  }
}

function doOverlap(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one);
}

const caching: Run = (_, session, { args, reply }) => {
  const now = session.tracking;
  if (now === undefined) throw notTracking();
  if (args.is(2, 'YES')) {
    if (now.mode !== 'optIn') throw cachingNotIn('OPTIN');
  } else if (args.is(2, 'NO')) {
    if (now.mode !== 'optOut') throw cachingNotIn('OPTOUT');
  } else throw syntaxError();
  now.isCachingSaid = true;
  reply.ok();
};

const trackingInfo: Run = (_, { tracking: now }, { reply }) => {
  const flags = [now === undefined ? 'off' : 'on'];
  if (now?.isBroadcast === true) flags.push('bcast');
  if (now?.mode === 'optIn') flags.push('optin', ...(now.isCachingSaid ? ['caching-yes'] : []));
  if (now?.mode === 'optOut') flags.push('optout', ...(now.isCachingSaid ? ['caching-no'] : []));
  if (now?.isNoLoop === true) flags.push('noloop');
  if (now?.isRedirectBroken === true) flags.push('broken_redirect');
  reply.map(3);
  reply.text('flags');
  reply.set(flags.length);
  for (const flag of flags) reply.text(flag);
  reply.text('redirect');
  reply.integer(now?.redirect ?? -1);
  reply.text('prefixes');
  const prefixes = [...(now?.prefixes ?? [])].toSorted();
  reply.array(prefixes.length);
  for (const prefix of prefixes) reply.bulk(Buffer.from(prefix, 'latin1'));
};

const getRedir: Run = (_, { tracking: now }, { reply }) => reply.integer(now?.redirect ?? -1);

function asksForBroadcast(args: Arguments): number | undefined {
  for (let index = 3; index < args.count; index++) {
    if (args.is(index, 'BCAST')) return index;
    if (args.is(index, 'PREFIX') || args.is(index, 'REDIRECT')) index++;
  }
  return undefined;
}

const facts = {
  flags: ['noscript', 'loading', 'stale'],
  categories: ['slow', 'connection'],
  group: 'connection',
} as const satisfies Partial<CommandFacts>;

export const trackingCommands: readonly DoorCommand[] = [
  {
    ...facts,
    name: 'client|tracking',
    arity: -3,
    readsAllKeys: asksForBroadcast,
    summary: 'Has the client told of changes to keys that it has read, or that begin in some way',
    since: '6.0.0',
    complexity: 'O(n) in the prefixes',
    syntax:
      '<ON|OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]',
    door: tracking,
  },
  {
    ...facts,
    name: 'client|trackinginfo',
    arity: 2,
    summary: 'Tells what CLIENT TRACKING has set',
    since: '6.2.0',
    complexity: 'O(n) in the prefixes',
    syntax: '',
    door: trackingInfo,
  },
  {
    ...facts,
    name: 'client|getredir',
    arity: 2,
    summary: 'Tells the client that is told in the place of this one: 0 for none, -1 without tracking',
    since: '6.0.0',
    complexity: 'O(1)',
    syntax: '',
    door: getRedir,
  },
  {
    ...facts,
    name: 'client|caching',
    arity: 3,
    summary: 'Says whether what the next command, or transaction, reads is tracked',
    since: '6.0.0',
    complexity: 'O(1)',
    syntax: '<YES|NO>',
    door: caching,
  },
];
