/** SET, SETEX, PSETEX and GETEX: what sets a string with options, or the time that it has. */
import type { Version } from '../../../../../engine/version.ts';
import type { View } from '../../../../../store/views/view.ts';
import { deadlineOf, MILLISECOND_MS, SECOND_MS, ttlUntil } from '../../../../../types/deadlines.ts';
import { readString, setStringFor } from '../../../../../types/strings/strings.ts';
import { invalidExpireTime, syntaxError } from '../../../replies/errors.ts';
import type { Arguments, CommandCall, Reply } from '../../command.ts';

type Unit = typeof SECOND_MS | typeof MILLISECOND_MS;

/** What the options of SET and GETEX say; one object for all calls, filled by `readOptions`. */
class SetOptions {
  onlyNew = false;
  onlyPresent = false;
  isShown = false;
  keepsTtl = false;
  persists = false;
  /** The index of the time; 0: none is given. */
  timeIndex = 0;
  unit: Unit = SECOND_MS;
  /** Whether the time is one from now. */
  isRelative = false;
  /** Of EX, PX, EXAT and PXAT, the one that is given. */
  timeWord = '';

  clear(): void {
    this.onlyNew = this.onlyPresent = this.isShown = this.keepsTtl = this.persists = false;
    this.timeIndex = 0;
    this.timeWord = '';
  }
}

const options = new SetOptions();

/** @param isSet SET has options that GETEX has not, and the other way round. */
function readOptions(args: Arguments, first: number, isSet: boolean): void {
  options.clear();
  for (let index = first; index < args.count; index++) {
    const hasLifetime = options.keepsTtl || options.persists;
    if (isSet && args.is(index, 'NX') && !options.onlyPresent) options.onlyNew = true;
    else if (isSet && args.is(index, 'XX') && !options.onlyNew) options.onlyPresent = true;
    else if (isSet && args.is(index, 'GET')) options.isShown = true;
    else if (isSet && args.is(index, 'KEEPTTL') && options.timeIndex === 0) options.keepsTtl = true;
    else if (!isSet && args.is(index, 'PERSIST') && options.timeIndex === 0) options.persists = true;
    else if (!hasLifetime && index + 1 < args.count && isTimeWord(args, index)) options.timeIndex = ++index;
    else throw syntaxError();
  }
}

/** Two of them, unless they are the same, contradict each other. */
function isTimeWord(args: Arguments, index: number): boolean {
  return (
    isTime(args, index, 'EX', SECOND_MS, true) ||
    isTime(args, index, 'PX', MILLISECOND_MS, true) ||
    isTime(args, index, 'EXAT', SECOND_MS, false) ||
    isTime(args, index, 'PXAT', MILLISECOND_MS, false)
  );
}

function isTime(args: Arguments, index: number, word: string, unit: Unit, isRelative: boolean): boolean {
  if (!args.is(index, word) || (options.timeWord !== '' && options.timeWord !== word)) return false;
  options.timeWord = word;
  options.unit = unit;
  options.isRelative = isRelative;
  return true;
}

/** The time to live that the words of a call give, in milliseconds; 0 or less: the deadline has passed. */
function readTtl(
  view: View,
  args: Arguments,
  index: number,
  unit: Unit,
  isRelative: boolean,
  name: string,
): number {
  const amount = args.int64(index);
  const deadlineMs = amount <= 0n ? undefined : deadlineOf(amount, unit, isRelative ? view.instantMs : 0);
  if (deadlineMs === undefined) throw invalidExpireTime(name);
  return ttlUntil(deadlineMs, view.instantMs);
}

export function set(view: View, call: CommandCall): void {
  const { args, reply } = call;
  if (args.count === 3) {
    const key = args.key(1);
    view.put(key, args.bytes(2));
    call.notify('$', 'set', key);
    reply.ok();
  } else setWithOptions(view, call);
}

function setWithOptions(view: View, call: CommandCall): void {
  const { args, reply } = call;
  readOptions(args, 3, true);
  const { timeIndex, onlyNew, onlyPresent, isShown, keepsTtl } = options;
  const ttlMs = timeIndex === 0 ? 0 : readTtl(view, args, timeIndex, options.unit, options.isRelative, 'set');
  const key = args.key(1);
  const isRead = onlyNew || onlyPresent || keepsTtl;
  const before = isShown ? readString(view, key) : isRead ? view.readMeta(key) : undefined;
  if (isShown) replyWith(reply, before);
  if ((onlyNew && before !== undefined) || (onlyPresent && before === undefined)) {
    if (!isShown) reply.nil();
    return;
  }
  const value = args.bytes(2);
  if (timeIndex !== 0) setStringFor(view, key, value, ttlMs);
  else if (keepsTtl && before !== undefined)
    view.put(key, value, { ttlMs: before.ttlMs, expireTimeMs: before.expireTimeMs });
  else view.put(key, value);
  call.notify('$', 'set', key);
  if (timeIndex !== 0) call.notify('g', 'expire', key);
  // No entry is left that could expire later.
  if (timeIndex !== 0 && ttlMs <= 0) call.notify('x', 'expired', key);
  if (!isShown) reply.ok();
}

/** SETEX and PSETEX. @param name of the command, in lower case. */
export function setFor(unit: Unit, name: string): (view: View, call: CommandCall) => void {
  return (view, call) => {
    const { args, reply } = call;
    const ttlMs = readTtl(view, args, 2, unit, true, name);
    const key = args.key(1);
    setStringFor(view, key, args.bytes(3), ttlMs);
    call.notify('$', 'set', key);
    call.notify('g', 'expire', key);
    reply.ok();
  };
}

export function getex(view: View, call: CommandCall): void {
  const { args, reply } = call;
  readOptions(args, 2, false);
  const { timeIndex, isRelative, unit, persists } = options;
  const key = args.key(1);
  const before = readString(view, key);
  if (before === undefined) {
    reply.nil();
    return;
  }
  const ttlMs = timeIndex === 0 ? 0 : readTtl(view, args, timeIndex, unit, isRelative, 'getex');
  reply.bulk(before.value);
  if (timeIndex !== 0 && ttlMs <= 0) {
    view.delete(key);
    call.notify('g', 'del', key);
  } else if (timeIndex !== 0) {
    view.touch(key, ttlMs);
    call.notify('g', 'expire', key);
  } else if (persists && before.expireTimeMs !== 0) {
    view.touch(key, 0);
    call.notify('g', 'persist', key);
  }
}

/** With a string, or nothing. */
export function replyWith(reply: Reply, version: Version | undefined): void {
  if (version === undefined) reply.nil();
  else reply.bulk(version.value);
}
