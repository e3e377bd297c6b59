/**
 * `GatheredCalls`: the calls of a connection that wait to run together with those before them. Replies and revisions are those that
 * the calls would have by themselves.
 *
 * A row does as many of its calls as it can. The first that it leaves is read again by its connection from where it began, and runs by
 * itself.
 */
import { ALL_KEYS } from '../../../../access/rights/rights.ts';
import { serverFixed } from '../../../../limits.ts';
import type { TableRow } from '../../commands/table.ts';
import type { PlacedArguments } from '../../protocol/placed-arguments.ts';
import { ReplyError } from '../../replies/errors.ts';
import type { ConnectionSession } from '../session/connection-session.ts';
import type { Dispatch } from '../session/dispatch.ts';
import type { CallRow } from './call-row.ts';
import { ElementRow } from './element-row.ts';
import { ListRow } from './list-row.ts';
import { PlainRow } from './plain-row.ts';

export class GatheredCalls {
  readonly #session: ConnectionSession;
  readonly #dispatch: Dispatch;
  /** That has calls; `undefined`: none has. */
  #calls: CallRow | undefined;
  /** So many writes run by themselves before the next row of them. */
  #singlesLeft = 0;
  /** When the first of them was added, where that is asked for; and how many bytes of replies there were. */
  #startMs = 0;
  #replyStart = 0;

  constructor(session: ConnectionSession, dispatch: Dispatch) {
    this.#session = session;
    this.#dispatch = dispatch;
  }

  get isEmpty(): boolean {
    return this.#calls === undefined;
  }

  /** Whether a call waits, with those of its kind before it, to run together with them. */
  join(row: TableRow | ReplyError, args: PlacedArguments): boolean {
    if (row instanceof ReplyError) return false;
    args.database = this.#session.database;
    const calls = this.#rowFor(row, args);
    if (calls === undefined) return false;
    const { parser, context } = this.#session;
    if (this.#calls !== undefined)
      return calls === this.#calls && calls.add(row, args, parser.lastStart, context.reply);
    if (row.name !== 'get' && this.#singlesLeft > 0) {
      this.#singlesLeft--;
      return false;
    }
    if (!this.#mayRun(row)) return false;
    if (!calls.begin(context.seam, args, row)) {
      this.#singlesLeft = serverFixed.redisRowCallsMax;
      return false;
    }
    const { hooks, clock, reply } = context;
    this.#startMs = hooks.afterRow === undefined ? 0 : clock.monotonicMs();
    this.#replyStart = reply.length;
    if (!calls.add(row, args, parser.lastStart, reply)) return false;
    this.#calls = calls;
    return true;
  }

  /** Runs the calls that wait. @returns false: the first that is left comes again. */
  run(): boolean {
    const calls = this.#calls;
    const row = calls?.row;
    if (calls === undefined || row === undefined) return true;
    this.#calls = undefined;
    const { seam, reply, runner, hooks, meter, turn, clock } = this.#session.context;
    const { length } = calls;
    this.#session.lastCommand = row.name;
    const count = calls.run(seam, reply, runner);
    meter.ran(row.name, count);
    const { outlet } = this.#session;
    if (row.name !== 'get') outlet.dependsOn(seam.committedSequence);
    // A row of SETs alone is sure to have changed something last.
    if (count > 0) outlet.ran(row.name === 'set');
    hooks.afterRow?.(row, count, clock.monotonicMs() - this.#startMs);
    turn.spend(2 * count, reply.length - this.#replyStart);
    if (count === length) return true;
    // Where not even the first could be done, the next ones are not likely to.
    if (row.name !== 'get') this.#singlesLeft = count === 0 ? serverFixed.redisRowCallsMax : length - count;
    this.#session.parser.rewindTo(calls.startOf(count));
    return false;
  }

  #rowFor(row: TableRow, args: PlacedArguments): CallRow | undefined {
    const { plainRow, listRow, elementRow } = this.#session.context;
    if (PlainRow.isPlain(row, args)) return plainRow;
    if (ListRow.isPlain(row, args)) return listRow;
    return ElementRow.isPlain(row, args) ? elementRow : undefined;
  }

  /** Whether nothing is asked of each call but its reply, and none is refused or comes again. */
  #mayRun(row: TableRow): boolean {
    const session = this.#session;
    const { hooks, seam, queue, cluster } = session.context;
    if (
      cluster?.isFollower === true ||
      this.#dispatch.isTriedAgain ||
      queue.isFull ||
      session.pace !== undefined ||
      // Each of its reads is noted.
      session.tracking !== undefined ||
      hooks.events !== undefined ||
      hooks.wantsEach?.() === true
    )
      return false;
    if (session.transaction.multi !== undefined || session.replyMode !== 'on' || seam.failure !== undefined)
      return false;
    if (session.version === 2 && session.isSubscribed) return false;
    if (row.name === 'get' ? !session.outlet.isDurable : !seam.takesRows) return false;
    const rights = session.rights();
    if (rights?.read !== ALL_KEYS || rights.write !== ALL_KEYS) return false;
    return !session.context.isPausing(row);
  }
}
