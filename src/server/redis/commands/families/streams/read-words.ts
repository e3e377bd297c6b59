/** The words of XREAD and XREADGROUP: options, STREAMS, so many keys, and as many ids. */
import {
  blockInScript,
  invalidTimeout,
  negativeTimeout,
  ReplyError,
  streamTexts,
  syntaxError,
} from '../../../replies/errors.ts';
import type { Arguments, CommandCall } from '../../command.ts';

export interface ReadWords {
  /** Of each stream; `undefined`: all. */
  readonly countMax: number | undefined;
  /** 0: for ever; `undefined`: it does not wait. */
  readonly timeoutMs: number | undefined;
  readonly firstKey: number;
  readonly keyCount: number;
  /** The index of the group's name, with that of the consumer behind it; 0: there is none. */
  readonly groupAt: number;
  readonly isUnacknowledged: boolean;
}

export function readWords({ args, session }: CommandCall, isOfGroup: boolean): ReadWords {
  let countMax: number | undefined;
  let timeoutMs: number | undefined;
  let groupAt = 0;
  let isUnacknowledged = false;
  for (let index = 1; index < args.count; index++) {
    const more = args.count - 1 - index;
    if (more > 0 && args.is(index, 'BLOCK')) {
      if (session.isInScript) throw blockInScript(args.text(0));
      timeoutMs = timeoutAt(args, ++index);
    } else if (more > 0 && args.is(index, 'COUNT')) {
      const count = args.integer(++index);
      countMax = count > 0 ? count : undefined;
    } else if (more > 0 && args.is(index, 'STREAMS')) {
      if (more % 2 !== 0) throw new ReplyError(streamTexts.unbalanced);
      if (isOfGroup && groupAt === 0) throw new ReplyError(streamTexts.noGroupOfRead);
      return { countMax, timeoutMs, firstKey: index + 1, keyCount: more / 2, groupAt, isUnacknowledged };
    } else if (more > 1 && args.is(index, 'GROUP')) {
      if (!isOfGroup) throw new ReplyError(streamTexts.groupOfRead);
      groupAt = index + 1;
      index += 2;
    } else if (args.is(index, 'NOACK')) {
      if (!isOfGroup) throw new ReplyError(streamTexts.noAckOfRead);
      isUnacknowledged = true;
    } else throw syntaxError();
  }
  throw syntaxError();
}

function timeoutAt(args: Arguments, index: number): number {
  let timeoutMs: number;
  try {
    timeoutMs = args.integer(index);
  } catch (error) {
    if (error instanceof ReplyError) throw invalidTimeout();
    throw error;
  }
  if (timeoutMs < 0) throw negativeTimeout();
  return timeoutMs;
}
