/**
 * DEBUG: what test suites of clients ask for, and nothing that could hold up others. DEBUG OBJECT is about a key, and so runs on a view
 * like the commands of the families.
 */
import { serverFixed } from '../../../../../limits.ts';
import type { View } from '../../../../../store/views/view.ts';
import { encodingOf, referenceCountOf } from '../../../../../types/keys/encoding.ts';
import { contentBytesOf } from '../../../../../types/keys/memory-usage.ts';
import { debugRefused, noSuchKey } from '../../../replies/errors.ts';
import { replyHelp } from '../../../replies/help.ts';
import type { Arguments, Command, CommandCall, CommandFacts } from '../../command.ts';
import type { DoorCommand } from '../../door.ts';

type Run = DoorCommand['door'];

/** Redis' clock of last uses: seconds in 24 bits. */
const LRU_MASK = 0xff_ff_ff;

/**
 * The line of Redis 7.0, as clients parse it. There is no address to tell: the revision of the key's last change stands for it. When a
 * key was used last is not kept: as if it were now.
 */
function object(view: View, { args, reply }: CommandCall): void {
  const version = view.read(args.key(2));
  if (version === undefined) throw noSuchKey();
  const facts = [
    `Value at:0x${version.modRevision.toString(16)}`,
    `refcount:${referenceCountOf(version)}`,
    `encoding:${encodingOf(view, version)}`,
    `serializedlength:${contentBytesOf(view, version)}`,
    `lru:${Math.floor(view.instantMs / 1000) & LRU_MASK}`,
    'lru_seconds_idle:0',
  ];
  reply.simple(facts.join(' '));
}

const sleep: Run = async ({ clock }, _, { args, reply }) => {
  const ms = sleepMs(args);
  // The connection waits, and no other one with it.
  await new Promise<void>((resolve) => clock.setTimer(ms, resolve));
  reply.ok();
};

function sleepMs(args: Arguments): number {
  const ms = secondsAt(args, 2) * 1000;
  if (!(ms >= 0 && ms <= serverFixed.redisDebugSleepMsMax)) throw debugRefused('a longer SLEEP');
  return ms;
}

/** What is no number is 0, as in Redis. */
function secondsAt(args: Arguments, index: number): number {
  try {
    return args.double(index);
  } catch {
    return 0;
  }
}

const setActiveExpire: Run = (_, __, { args, reply }) => {
  if (!args.is(2, '1')) throw debugRefused('SET-ACTIVE-EXPIRE 0');
  reply.ok();
};

const help: Run = (_, __, { reply }) => replyHelp(reply, 'debug', debugRows());

function debugRows(): readonly CommandFacts[] {
  return [...debugKeyCommands, ...debugCommands];
}

const facts = {
  flags: ['admin', 'noscript', 'loading', 'stale'],
  categories: ['admin', 'slow', 'dangerous'],
  group: 'server',
  since: '1.0.0',
  complexity: 'O(1)',
} as const satisfies Partial<CommandFacts>;

export const debugKeyCommands: readonly Command[] = [
  {
    ...facts,
    name: 'debug|object',
    arity: 3,
    keys: [{ first: 2, last: 2, step: 1, use: 'read' }],
    summary: 'Tells encoding and length of a value; the revision stands for an address',
    syntax: 'key',
    newest: object,
  },
];

export const debugCommands: readonly DoorCommand[] = [
  {
    ...facts,
    name: 'debug|sleep',
    arity: 3,
    summary: 'Waits, and holds up no other connection',
    syntax: 'seconds',
    door: sleep,
    isLong: true,
  },
  {
    ...facts,
    name: 'debug|set-active-expire',
    arity: 3,
    summary: 'Takes 1 alone, as keys always expire',
    syntax: '1',
    door: setActiveExpire,
  },
  {
    ...facts,
    name: 'debug|help',
    arity: 2,
    summary: 'Lists the subcommands',
    syntax: '',
    door: help,
  },
];
