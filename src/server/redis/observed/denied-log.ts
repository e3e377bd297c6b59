/**
 * ACL LOG: calls that were not allowed and credentials that were refused, newest first, in memory alone. A ring of a bounded length.
 * What is refused again within a minute counts up the line that is there, as in Redis, so that one client can't push out the others
 * by saying the same thing.
 */
import type { Clock } from '../../../clock.ts';
import { serverFixed } from '../../../limits.ts';
import type { ClientSession } from '../commands/session-command.ts';
import type { DeniedContext, DeniedReason } from '../replies/errors.ts';

interface Denial {
  readonly reason: DeniedReason | 'auth';
  readonly context: DeniedContext;
  /** Latin-1, of a bounded length. */
  readonly object: string;
  readonly userName: string;
}

export interface LoggedDenial extends Denial {
  readonly count: number;
  /** Of the last one, by the wall clock. */
  readonly timeMs: number;
  /** The client of the last one, as CLIENT LIST has it. */
  readonly client: string;
}

/** As in Redis: how old a line is at the most that is counted up, and how many are looked at for it. */
const GROUPED_MS = 60_000;
const GROUPED_LOOKED_AT = 10;

export class DeniedLog {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #lineOf: (session: ClientSession, nowMs: number) => string;
  #lengthMax: number = serverFixed.redisDeniedLogLengthDefault;
  /** Newest first. */
  #lines: LoggedDenial[] = [];

  /** @param lineOf a client, as CLIENT LIST has it. */
  constructor(clock: Pick<Clock, 'nowMs'>, lineOf: (session: ClientSession, nowMs: number) => string) {
    this.#clock = clock;
    this.#lineOf = lineOf;
  }

  get lengthMax(): number {
    return this.#lengthMax;
  }

  set lengthMax(lengthMax: number) {
    this.#lengthMax = lengthMax;
    this.#lines.length = Math.min(this.#lines.length, lengthMax);
  }

  add(session: ClientSession, { reason, context, object, userName }: Denial): void {
    if (this.#lengthMax === 0) return;
    const { redisDeniedObjectBytesMax, redisDeniedClientBytesMax } = serverFixed;
    const timeMs = this.#clock.nowMs();
    const told: Denial = { reason, context, object, userName: cut(userName, redisDeniedObjectBytesMax) };
    const index = this.#lines
      .slice(0, GROUPED_LOOKED_AT)
      .findIndex((line) => isSame(line, told) && timeMs - line.timeMs <= GROUPED_MS);
    const [before] = index < 0 ? [] : this.#lines.splice(index, 1);
    const client = cut(this.#lineOf(session, timeMs), redisDeniedClientBytesMax);
    this.#lines.unshift({ ...told, count: (before?.count ?? 0) + 1, timeMs, client });
    this.#lines.length = Math.min(this.#lines.length, this.#lengthMax);
  }

  /** @param userName '' for `AUTH password`. @param command which has shown the credentials. */
  loginRefused(session: ClientSession, userName: string, command: string): void {
    this.add(session, {
      reason: 'auth',
      context: session.queuedCount >= 0 ? 'multi' : 'toplevel',
      object: command,
      userName: userName === '' ? 'default' : userName,
    });
  }

  /** The newest first. */
  newest(count: number): readonly LoggedDenial[] {
    return this.#lines.slice(0, Math.max(0, count));
  }

  reset(): void {
    this.#lines = [];
  }
}

function isSame(a: Denial, b: Denial): boolean {
  return (
    a.reason === b.reason && a.context === b.context && a.object === b.object && a.userName === b.userName
  );
}

/** Whatever a client says, it takes so much memory at the most: V8 would keep the whole text for a slice of it. */
function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  return `${Buffer.from(text.slice(0, max), 'utf16le').toString('utf16le')}...`;
}
