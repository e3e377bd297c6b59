/** DUMP and RESTORE: values as the bytes of Redis, which move both ways between a Redis and KelpDB. */
import type { ReadView, View } from '../../../../../store/views/view.ts';
import { deadlineOf, MILLISECOND_MS, ttlUntil } from '../../../../../types/deadlines.ts';
import { dump } from '../../../../../types/rdb/dump.ts';
import { PayloadError } from '../../../../../types/rdb/payload-error.ts';
import { putValue, readValue } from '../../../../../types/rdb/restore.ts';
import { valueOfPayload } from '../../../../../types/rdb/value-writer.ts';
import { invalidExpireTime, ReplyError, restoreTexts, syntaxError } from '../../../replies/errors.ts';
import type { Arguments, Command, CommandCall } from '../../command.ts';

function dumpKey(view: ReadView, { args, reply }: CommandCall): void {
  const payload = dump(view, args.key(1));
  if (payload === undefined) reply.nil();
  else reply.bulk(payload);
}

interface RestoreOptions {
  readonly replaces: boolean;
  /** The time to live is a point in time. */
  readonly isAbsolute: boolean;
}

const FREQUENCY_MAX = 255n;

/** When and how often a key was used is not kept: what is said of it is only checked. */
function restoreOptions(args: Arguments): RestoreOptions {
  let replaces = false;
  let isAbsolute = false;
  let hasIdleTime = false;
  let hasFrequency = false;
  for (let index = 4; index < args.count; index++) {
    const hasNext = index + 1 < args.count;
    if (args.is(index, 'REPLACE')) replaces = true;
    else if (args.is(index, 'ABSTTL')) isAbsolute = true;
    else if (args.is(index, 'IDLETIME') && hasNext && !hasFrequency) {
      if (args.int64(++index) < 0n) throw new ReplyError(restoreTexts.idleTime);
      hasIdleTime = true;
    } else if (args.is(index, 'FREQ') && hasNext && !hasIdleTime) {
      const frequency = args.int64(++index);
      if (frequency < 0n || frequency > FREQUENCY_MAX) throw new ReplyError(restoreTexts.frequency);
      hasFrequency = true;
    } else throw syntaxError();
  }
  return { replaces, isAbsolute };
}

function restoreKey(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const { replaces, isAbsolute } = restoreOptions(args);
  const key = args.key(1);
  if (!replaces && view.readMeta(key) !== undefined) throw new ReplyError(restoreTexts.busyKey);
  const time = args.int64(2);
  if (time < 0n) throw new ReplyError(restoreTexts.time);
  const bytes = valueOfPayload(args.only(3));
  if (bytes === undefined) throw new ReplyError(restoreTexts.payload);
  try {
    const value = readValue(bytes, view.budget);
    const isReplaced = view.delete(key) !== undefined;
    const deadlineMs = deadlineOf(time, MILLISECOND_MS, isAbsolute ? 0 : view.instantMs);
    if (deadlineMs === undefined) throw invalidExpireTime('restore');
    const ttlMs = time === 0n ? 0 : ttlUntil(deadlineMs, view.instantMs);
    const isOverdue = time !== 0n && ttlMs <= 0;
    if (!isOverdue) {
      putValue(view, key, value, ttlMs);
      call.notify('g', 'restore', key);
    } else if (isReplaced) call.notify('g', 'del', key);
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error;
    throw new ReplyError(restoreTexts.format);
  }
  reply.ok();
}

export const dumpCommands: readonly Command[] = [
  {
    group: 'generic',
    name: 'dump',
    arity: 2,
    flags: ['readonly'],
    keys: [{ first: 1, last: 1, step: 1, use: 'read' }],
    categories: ['keyspace', 'read', 'slow'],
    summary: 'Reads the value of a key as bytes that RESTORE takes, here and in Redis',
    since: '2.6.0',
    complexity: 'O(n) in the elements',
    syntax: 'key',
    read: dumpKey,
  },
  {
    group: 'generic',
    name: 'restore',
    arity: -4,
    flags: ['write', 'denyoom'],
    keys: [{ first: 1, last: 1, step: 1, use: 'write' }],
    categories: ['keyspace', 'write', 'slow', 'dangerous'],
    summary: 'Makes a key of what DUMP has given, here or in Redis up to 7.0',
    since: '2.6.0',
    complexity: 'O(n log n) in the elements',
    syntax: 'key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]',
    write: restoreKey,
  },
];
