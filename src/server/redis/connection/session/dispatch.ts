/**
 * `Dispatch`: one call of a connection, from its row in the table to its reply.
 *
 * - It is refused, queued by MULTI, or has to wait for its turn; else it runs.
 * - What does not end at once goes on by itself, with the connection busy: a long reply, a wait for a key, a session command that takes
 *   time. A call that log or memory has no room for, or that is made in parts, comes again from what has come in.
 * - Those who look on are told of each call once.
 * - A reply that the client does not want is taken back.
 */
import { NoRoomYetError } from '../../../../errors.ts';
import { RoomWait } from '../../../../store/commit/room-gate.ts';
import { isLogFull } from '../../commands/run-command.ts';
import { type SessionCommand, takesTime } from '../../commands/session-command.ts';
import type { TableRow } from '../../commands/table.ts';
import type { PlacedArguments } from '../../protocol/placed-arguments.ts';
import {
  certificateNotPassedOn,
  DeniedError,
  execRefused,
  noAuth,
  notInTransaction,
  notWhileSubscribed,
  readOnlyReplica,
  ReplyError,
  trackedHere,
} from '../../replies/errors.ts';
import type { ConnectionContext } from '../connection-context.ts';
import { checkCall } from '../key-access.ts';
import { tellNoted, wantsNoted } from '../noted-events.ts';
import { isOfHttp } from '../web-request.ts';
import { placeOf } from '../../cluster/writer-rows.ts';
import type { ConnectionSession } from './connection-session.ts';
import { runLong } from './long-call.ts';
import { Passage } from './passage.ts';
import { WaitingCall } from './waiting-call.ts';

/** What else may be done in RESP2 while messages may come at any time. */
const WHILE_SUBSCRIBED = new Set([
  'subscribe',
  'unsubscribe',
  'psubscribe',
  'punsubscribe',
  'ssubscribe',
  'sunsubscribe',
  'ping',
  'quit',
  'reset',
]);
/** What MULTI does not queue. */
const NOT_QUEUED = new Set(['exec', 'discard', 'multi', 'watch', 'quit', 'reset']);

export class Dispatch {
  /** The command that is taken next has run before, for a part or in vain. */
  isTriedAgain = false;
  /** ... or before it has run at all. */
  #comesAgain = false;
  readonly #session: ConnectionSession;
  readonly #context: ConnectionContext;
  /** How the command that was taken last has waited for room in memory. */
  #room: RoomWait | undefined;
  #leavesOnClose = false;

  constructor(session: ConnectionSession) {
    this.#session = session;
    this.#context = session.context;
  }

  execute(row: TableRow | ReplyError, args: PlacedArguments): void {
    const { reply, table } = this.#context;
    const begun = reply.length;
    this.#comesAgain = false;
    if (row instanceof ReplyError && isOfHttp(args)) this.#session.close();
    else if (row instanceof ReplyError) this.#refuseWrong(row, table.named(args)?.name);
    else if (this.#takesPart(row, args)) this.#runCounted(row, args);
    this.#silence(begun, row instanceof ReplyError ? undefined : row, args);
    const { tracking, transaction } = this.#session;
    if (tracking === undefined || this.#comesAgain) return;
    tracking.commandEnded(row instanceof ReplyError ? undefined : row.name, transaction.multi !== undefined);
  }

  /** Whether a call is to run now: else it is refused, queued, or waits. */
  #takesPart(row: TableRow, args: PlacedArguments): boolean {
    const { reply } = this.#context;
    args.database = this.#session.database;
    args.keepsKeys = false;
    try {
      this.#admit(row, args);
      if (
        this.#session.pace?.holds(this.#session.login, row, args, this.#session.goOn) === true ||
        this.#context.isPaused(row, this.#session.goOn) ||
        this.#isPassedOn(row) ||
        this.#isHeldByQueue(row)
      ) {
        this.#waitFor();
        return false;
      }
      if (this.#session.transaction.multi !== undefined && !NOT_QUEUED.has(row.name)) {
        const shown = 'session' in row ? row.shows?.(args) : undefined;
        if ('session' in row && takesTime(row, args) && row.shows === undefined) throw notInTransaction();
        const queued = this.#session.transaction.multi.add(row, args, this.#context.chargeInput);
        reply.simple('QUEUED');
        if (shown !== undefined) void this.#session.transaction.checkQueued(queued, shown);
        return false;
      }
    } catch (error) {
      this.isTriedAgain = false;
      this.#refuse(error, row.name);
      return false;
    }
    return true;
  }

  /** Whether a call waits, since its reply would come to too many that wait for the disk. A read of what is durable does not. */
  #isHeldByQueue(row: TableRow): boolean {
    const { queue } = this.#context;
    if (!queue.isFull) return false;
    const isReadAtOnce = 'read' in row && this.#context.cluster === undefined;
    const goesOutAtOnce = isReadAtOnce || ('session' in row && row.name !== 'exec');
    if (goesOutAtOnce && this.#session.outlet.isDurable) return false;
    queue.hold(this.#session.goOn);
    return true;
  }

  /** Whether a call goes to the writer of the cluster, with the connection. Throws a `ReplyError` where it may neither go nor stay. */
  #isPassedOn(row: TableRow): boolean {
    const session = this.#session;
    const { cluster } = this.#context;
    if (cluster?.isFollower !== true) return false;
    const place = placeOf(row, session.isReadOnly || cluster.isReadOnly);
    if (place === 'here') return false;
    if (cluster.isReadOnly) throw readOnlyReplica();
    if (session.tracking !== undefined) {
      // What it has read is noted at this node.
      if (row.name.startsWith('client|')) return false;
      throw trackedHere();
    }
    // What is queued and watched is that of this node.
    if (place === 'refused' || session.transaction.multi !== undefined || session.watchedCount > 0)
      throw readOnlyReplica();
    if (session.isLoggedInByCertificate && !cluster.hasToken) throw certificateNotPassedOn();
    Passage.begin(session, cluster);
    return true;
  }

  /** Runs a call, and tells those who look on: once, however many turns it takes. */
  #runCounted(row: TableRow, args: PlacedArguments): void {
    const { hooks, meter, clock } = this.#context;
    this.#session.lastCommand = row.name;
    const isFirst = !this.isTriedAgain;
    this.isTriedAgain = false;
    if (isFirst) {
      this.#room = undefined;
      meter.ran(row.name);
      this.#session.spentMs = 0;
    }
    if (hooks.ended === undefined) {
      this.#runRow(row, args);
      return;
    }
    const startMs = clock.monotonicMs();
    this.#runRow(row, args);
    this.#session.spentMs += clock.monotonicMs() - startMs;
    if (this.#session.longCall !== undefined) return;
    if (isFirst) hooks.ran?.(this.#session, row, args);
    if (!this.#session.isClosed && !this.#session.isBusy)
      hooks.ended(this.#session, row, args, this.#session.spentMs);
  }

  #runRow(row: TableRow, args: PlacedArguments): void {
    const call = this.#session.call;
    call.args = args;
    if ('session' in row) {
      this.#runSession(row, args);
      return;
    }
    const { runner, turn } = this.#context;
    call.keepsEvents = wantsNoted(this.#context);
    const isVisibleWanted = this.#session.outlet.isDurable;
    const begun = call.reply.length;
    const state = runner.runAlone(row, call, isVisibleWanted, this.#waitsForRoom);
    this.#session.outlet.dependsOn(runner.sequence);
    if (state !== 'noRoom' && state !== 'waitsForRoom') this.#session.outlet.ran(runner.hasChanged);
    tellNoted(this.#context, call, runner.sequence, runner.hasChanged);
    if (state !== 'noRoom' && state !== 'waitsForRoom') this.#session.tracking?.ran(row, args, runner);
    if (state === 'done') return;
    if (state === 'noRoom') this.#waitForLog();
    else if (state === 'waitsForRoom') this.#comeAgain();
    else if (runner.hasMoreParts) {
      this.#waitFor();
      this.isTriedAgain = true;
      turn.later(this.#session.goOn);
    } else if (runner.waiting !== undefined && 'block' in row)
      WaitingCall.begin(this.#session, row, args, runner.waiting);
    // A reply that is not wanted is not made.
    else if (this.#session.replyMode === 'on')
      this.#session.outlet.beginLongReply(row, isVisibleWanted && 'read' in row, begun);
  }

  #runSession(row: SessionCommand, args: PlacedArguments): void {
    const { runner, reply } = this.#context;
    if (takesTime(row, args)) {
      runLong(this.#session, row, args);
      return;
    }
    const begun = reply.length;
    try {
      void row.session(this.#session, this.#session.call);
    } catch (error) {
      reply.rollBack(begun);
      if (isLogFull(error)) this.#waitForLog();
      else if (error instanceof NoRoomYetError && runner.isPatient) this.#waitOrRun(error, row, args);
      else runner.answer(error, reply, row.name);
    }
  }

  /** A transaction found no room. Where waiting does not help, what it is told is for each of its calls. */
  #waitOrRun(error: NoRoomYetError, row: SessionCommand, args: PlacedArguments): void {
    if (this.#waitsForRoom(error)) {
      this.#comeAgain();
      return;
    }
    const { runner } = this.#context;
    runner.isPatient = false;
    try {
      this.#runSession(row, args);
    } finally {
      runner.isPatient = true;
    }
  }

  /** Whether a call may run: throws a `ReplyError`. */
  #admit(row: TableRow, args: PlacedArguments): void {
    if (!row.flags.includes('no_auth')) {
      const rights = this.#session.rights();
      if (rights === undefined) throw noAuth();
      try {
        checkCall(rights, row, args);
      } catch (error) {
        const context = this.#session.transaction.multi === undefined ? 'toplevel' : 'multi';
        if (error instanceof DeniedError) this.#session.denied(row.name, error, context);
        throw error;
      }
    }
    if (this.#session.transaction.multi !== undefined && row.flags.includes('no_multi'))
      throw notInTransaction();
    if (this.#session.version === 2 && this.#session.isSubscribed && !WHILE_SUBSCRIBED.has(row.name))
      throw notWhileSubscribed(row.name);
  }

  /** A command can't run: a transaction that it was to be part of is spoilt. */
  #refuse(error: unknown, name: string | undefined): void {
    const { runner, reply } = this.#context;
    if (this.#session.transaction.multi !== undefined) this.#session.transaction.multi.isSpoilt = true;
    runner.refuse(error, reply, name);
  }

  /** As `refuse`, of a call that is none of the table. */
  #refuseWrong(error: ReplyError, name: string | undefined): void {
    const { transaction } = this.#session;
    if (name !== 'exec') {
      this.#refuse(error, name);
      return;
    }
    if (transaction.multi !== undefined) transaction.discard();
    this.#refuse(execRefused(error), name);
  }

  /** Takes the reply to a call back that the client does not want. */
  #silence(begun: number, row: TableRow | undefined, args: PlacedArguments): void {
    if (this.#session.transaction.takeHasRun()) return;
    if (this.#session.replyMode === 'on' || this.#session.isBusy) return;
    this.#context.reply.rollBack(begun);
    const asksToSkip = row?.name === 'client|reply' && args.is(2, 'SKIP');
    if (this.#session.replyMode === 'skip' && !asksToSkip) this.#session.replyMode = 'on';
  }

  /** The command that was taken last comes again. */
  #waitFor(): void {
    this.#comesAgain = true;
    this.#session.isBusy = true;
    this.#session.pace?.comesAgain();
    this.#session.parser.rewind();
  }

  #waitForLog(): void {
    this.#comeAgain();
    this.#context.whenLogHasRoom(this.#session.goOn);
  }

  #comeAgain(): void {
    this.#waitFor();
    this.isTriedAgain = true;
  }

  readonly #waitsForRoom = (error: NoRoomYetError): boolean => {
    const { seam, turn } = this.#context;
    this.#room ??= new RoomWait(() => turn.later(this.#session.goOn), { decidesLater: true });
    if (!seam.waitForRoom(this.#room, error)) return false;
    if (!this.#leavesOnClose) {
      this.#leavesOnClose = true;
      this.#session.onClose(() => this.#leaveRoom());
    }
    return true;
  };

  /** Whether the connection waits for room in memory. */
  get isWaitingForRoom(): boolean {
    return this.#room?.isWaiting === true;
  }

  #leaveRoom(): void {
    if (this.#room !== undefined) this.#context.seam.leaveRoom(this.#room);
  }
}
