/**
 * `Connection`: one client of the Redis protocol, from the bytes that come in to the replies that go out.
 *
 * All commands that lie in a piece as a whole run at once, one behind the other, and their replies are gathered in one buffer. It
 * goes out when all that it may depend on is durable: at once after reads of the visible state, else by the queue of replies. While
 * replies of the connection wait there, its reads see the newest state, so that each sees what its own client has written.
 *
 * States:
 * - running: commands are taken as they come.
 * - busy: a command goes on by itself (a long reply, a wait for a key, a password that is checked), or waits for a turn, for room in
 *   the log or for the end of CLIENT PAUSE. What comes in meanwhile waits, in the socket but for one piece.
 * - closing: the last reply is written; what comes in is dropped.
 * - closed.
 */
import type { Login } from '../../../access/login/login.ts';
import { ALL_KEYS, type Rights } from '../../../access/rights/rights.ts';
import type { Timer } from '../../../clock.ts';
import { serverFixed } from '../../../limits.ts';
import { toKeyText } from '../../../store/views/keys.ts';
import { budgetSpent } from '../../../store/views/draft.ts';
import type { Reply, Waiting } from '../commands/command.ts';
import { isLogFull } from '../commands/run-command.ts';
import { RunningCall } from '../commands/running-call.ts';
import {
  takesTime,
  type ClientOption,
  type ClientSession,
  type SessionCommand,
  type SessionFigures,
  type Shown,
  type SubscriptionCounts,
  type TransactionControl,
} from '../commands/session-command.ts';
import type { TableRow } from '../commands/table.ts';
import { PlacedArguments } from '../protocol/placed-arguments.ts';
import { ReplyWriter } from '../protocol/reply-writer.ts';
import {
  execAborted,
  noAuth,
  notInTransaction,
  notWhileSubscribed,
  ReplyError,
  unblocked,
} from '../replies/errors.ts';
import type { BlockedClient } from './blocked-clients.ts';
import { CommandPace } from './command-pace.ts';
import type { ConnectionContext, Wire } from './connection-context.ts';
import { checkCall } from './key-access.ts';
import { LongReply } from './long-reply.ts';
import type { ReplyTarget } from './reply-queue.ts';
import { PlainRow } from './plain-row.ts';
import { ProtocolError, RequestParser } from './request-parser.ts';
import type { SlowClient } from './slow-clients.ts';
import { type QueuedCall, Transaction } from './transaction.ts';
import { WatchList } from './watched-keys.ts';
import { isOfHttp } from './web-request.ts';

export interface ConnectionNames {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
}

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

export class Connection implements ClientSession, SlowClient, ReplyTarget, TransactionControl {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  name = '';
  database = 0;
  replyMode: 'on' | 'off' | 'skip' = 'on';
  readonly options = new Set<ClientOption>();
  libraryName = '';
  libraryVersion = '';
  readonly subscriptionCounts: SubscriptionCounts = { channels: 0, patterns: 0, shardChannels: 0 };
  isMonitor = false;
  isInTransaction = false;
  readonly #context: ConnectionContext;
  readonly #wire: Wire;
  readonly #parser: RequestParser;
  readonly #call: RunningCall;
  /** Where it is limited what a user may do in a second. */
  readonly #pace: CommandPace | undefined;
  readonly #connectedAtMs: number;
  #lastCommandAtMs: number;
  #lastCommand = '';
  #version: 2 | 3 = 2;
  #login: Login;
  readonly #firstLogin: Login;
  #multi: Transaction | undefined;
  /** Of the queued call that runs. */
  #shown: (() => Login) | undefined;
  #watchList: WatchList | undefined;
  #longReply: LongReply | undefined;
  /** The command that takes its time. */
  #longCall: RunningCall | undefined;
  /** Messages that have come while a long reply is made. */
  readonly #heldPushes: Uint8Array[] = [];
  #heldBytes = 0;
  #blocked: BlockedClient | undefined;
  #blockTimer: Timer | undefined;
  #endBlock: ((reply: Reply) => void) | undefined;
  /** The newest that a reply may depend on. */
  #sequence = 0;
  /** Replies of it in the queue, and their bytes. */
  #queuedReplies = 0;
  #queuedBytes = 0;
  /** So many SETs run by themselves before the next row of them. */
  #singlesLeft = 0;
  #isBusy = false;
  /** What is to run next waits until more of the replies before it is gone. */
  #waitsForReader = false;
  #isRunning = false;
  #isReadPaused = false;
  #isClosing = false;
  /** The command that is taken next has run before, for a part or in vain. */
  #isTriedAgain = false;
  /** That the command which runs has taken so far. */
  #spentMs = 0;
  /** The client sends nothing more. */
  #hasEnded = false;
  #isClosed = false;
  /** What of its replies the client has not taken. */
  #unreadBytes = 0;
  #unreadSinceMs = 0;
  readonly #onClose: (() => void)[] = [];

  constructor(context: ConnectionContext, wire: Wire, names: ConnectionNames, login: Login) {
    this.#context = context;
    this.#wire = wire;
    this.id = names.id;
    this.address = names.address;
    this.localAddress = names.localAddress;
    this.#login = this.#firstLogin = login;
    this.#connectedAtMs = this.#lastCommandAtMs = context.clock.nowMs();
    this.#parser = new RequestParser({
      wordBytesMax: context.wordBytesMax,
      charge: (bytes) => context.chargeInput(bytes),
    });
    this.#call = new RunningCall(context.args, context.reply, this, context.cursors);
    this.#pace = context.rates && new CommandPace(context.rates, wire, context.turn);
  }

  // What comes in.

  receive(chunk: Buffer): void {
    if (this.#isClosing || this.#isClosed) return;
    this.#pace?.received(chunk.length);
    if (!this.#parser.add(chunk)) {
      this.#destroy();
      return;
    }
    if (this.#isBusy) {
      if (!this.#parser.keep()) this.#destroy();
      this.#steerReading();
      return;
    }
    this.#run();
  }

  /** The client has ended its side: it may still wait for the replies to what it has sent. */
  ended(): void {
    this.#hasEnded = true;
    if (this.#blocked !== undefined) this.close();
    else if (!this.#isBusy) this.#closeWhenSent();
  }

  /** The client has taken what waited. */
  drained(): void {
    this.#noteUnread();
    this.#longReply?.goOn();
    this.#steerReading();
  }

  /** The socket is closed, by whichever side. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { watched, blocked } = this.#context;
    this.#parser.close();
    this.#pace?.close();
    this.#dropTransaction();
    if (this.#watchList !== undefined) watched.clear(this.#watchList);
    if (this.#blocked !== undefined) blocked.remove(this.#blocked);
    this.#blockTimer?.cancel();
    this.#longReply?.stop();
    this.#heldPushes.length = this.#heldBytes = 0;
    this.#context.chargeUnread(-this.#unreadBytes);
    this.#context.chargeInput(-this.#blockCharge);
    for (const run of this.#onClose) run();
    this.#context.closed(this);
    this.#wire.destroy();
  }

  /** Takes no more commands: what was begun ends, and its reply goes out before the end. */
  stop(): void {
    const isHeld = this.#waitsForReader || this.#pace?.isHolding === true;
    if (this.#isBusy && this.#blocked === undefined && !isHeld) {
      this.#isClosing = true;
      return;
    }
    this.#isClosing = true;
    this.#endWhenSent();
  }

  // The replies.

  send(bytes: Buffer): void {
    this.#queuedReplies--;
    this.#queuedBytes -= bytes.length;
    if (this.#isClosed) return;
    this.#write(bytes);
    if (this.#isClosing) this.#endWhenSent();
    else this.#steerReading();
  }

  fail(): void {
    this.#queuedReplies--;
    this.#destroy();
  }

  push(bytes: Uint8Array): void {
    if (this.#isClosed || this.#isClosing) return;
    if (this.#unreadBytes + this.#heldBytes > serverFixed.redisUnreadPushedBytesMax) {
      this.#destroy();
      return;
    }
    if (this.#longReply === undefined) this.#pace?.pushed(bytes.length);
    if (this.#longReply !== undefined) {
      this.#heldPushes.push(bytes);
      this.#heldBytes += bytes.length;
    } else if (this.#isRunning) this.#context.reply.raw(bytes);
    else this.#deliver(Buffer.from(bytes));
  }

  /** Cuts a client that has not read for too long. */
  checkUnread(nowMs: number): void {
    this.#noteUnread();
    if (this.#unreadBytes > 0 && nowMs - this.#unreadSinceMs > serverFixed.redisUnreadMs) this.#destroy();
  }

  /** Closes a client that has sent nothing since then, by the wall clock, and waits for nothing. */
  checkIdle(sinceMs: number): void {
    if (this.#isBusy || this.#isSubscribed || this.isMonitor) return;
    if (this.#lastCommandAtMs < sinceMs) this.close();
  }

  #deliver(bytes: Buffer): void {
    const { seam, queue } = this.#context;
    if (this.#queuedReplies === 0 && this.#sequence <= seam.durableSequence) {
      this.#write(bytes);
      return;
    }
    if (seam.failure !== undefined) {
      // What it may depend on will never be durable.
      this.#wire.write(
        Buffer.from('-MISCONF the log has failed: whether the last changes are kept is not known\r\n'),
      );
      this.#isClosing = true;
      this.#wire.end();
      return;
    }
    this.#queuedReplies++;
    this.#queuedBytes += bytes.length;
    queue.add(this.#sequence, this, bytes);
  }

  #write(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#pace?.sent(this.#login, bytes.length);
    if (!this.#wire.write(bytes) || this.#unreadBytes > 0) this.#noteUnread();
  }

  #noteUnread(): void {
    const unread = this.#isClosed ? 0 : this.#wire.writableLength;
    if (unread === this.#unreadBytes) return;
    if (this.#unreadBytes === 0 || unread < this.#unreadBytes)
      this.#unreadSinceMs = this.#context.clock.monotonicMs();
    const hasRoom = this.#context.chargeUnread(unread - this.#unreadBytes);
    const isMore = unread > this.#unreadBytes;
    this.#unreadBytes = unread;
    if (unread > serverFixed.redisUnreadBytesMax || (isMore && !hasRoom)) this.#destroy();
  }

  #closeWhenSent(): void {
    this.#isClosing = true;
    this.#endWhenSent();
  }

  #endWhenSent(): void {
    if (this.#queuedReplies === 0 && !this.#isClosed) this.#wire.end();
  }

  #destroy(): void {
    this.close();
  }

  /** Reads on while there is room for what comes. */
  #steerReading(): void {
    const isPaused = this.#isBusy || this.#hasMuchToSend;
    if (this.#waitsForReader && !this.#hasMuchToSend) {
      this.#waitsForReader = false;
      this.#context.turn.later(this.#goOn);
    }
    if (isPaused === this.#isReadPaused || this.#isClosed) return;
    this.#isReadPaused = isPaused;
    if (isPaused) this.#wire.pause();
    else this.#wire.resume();
  }

  get #hasMuchToSend(): boolean {
    return (
      this.#unreadBytes > serverFixed.redisUnreadBytesPaused ||
      this.#queuedBytes > serverFixed.redisWaitingBytesPaused
    );
  }

  // The commands.

  /** Goes on with what waits. */
  readonly #goOn = (): void => {
    if (this.#isClosed) return;
    this.#isBusy = false;
    if (this.#isClosing) this.#endWhenSent();
    else this.#run();
  };

  #run(): void {
    const { seam } = this.#context;
    this.#isRunning = true;
    try {
      seam.atOneInstant(this.#runAll);
    } finally {
      this.#isRunning = false;
    }
    if (this.#isClosed) {
      this.#context.reply.rollBack(0);
      return;
    }
    this.#flush();
    if (this.#hasEnded && !this.#isBusy) this.#isClosing = true;
    if (this.#hasEnded && this.#blocked !== undefined) this.close();
    if (this.#isClosing && !this.#isBusy) this.#endWhenSent();
    if (!this.#parser.keep()) this.#destroy();
    this.#steerReading();
  }

  readonly #runAll = (): void => {
    const { args, reply, runner, turn, table, plainRow } = this.#context;
    reply.version = this.#version;
    this.#call.reply = reply;
    this.#parser.isStranger = this.#rights() === undefined;
    runner.visitsSpent = runner.bytesSpent = 0;
    this.#lastCommandAtMs = this.#context.clock.nowMs();
    while (!this.#isBusy && !this.#isClosing && !this.#isClosed) {
      if (turn.isSpent) {
        if (!this.#endRow()) continue;
        this.#isBusy = true;
        turn.later(this.#goOn);
        return;
      }
      if (this.#hasMuchToSend) {
        if (!this.#endRow()) continue;
        this.#isBusy = this.#waitsForReader = true;
        return;
      }
      let next: PlacedArguments | undefined;
      try {
        next = this.#parser.next(args);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        if (!this.#endRow()) continue;
        reply.error(error.message);
        this.#isClosing = true;
        return;
      }
      if (next === undefined) {
        if (this.#endRow()) return;
        continue;
      }
      const row = table.find(next);
      if (this.#joinsRow(row, next)) continue;
      if (plainRow.length > 0) {
        if (!this.#endRow()) continue;
        // The row was full, or one of others.
        if (this.#joinsRow(row, next)) continue;
      }
      const replyLength = reply.length;
      this.#execute(row, next);
      const call = this.#call;
      turn.spend(
        runner.visitsSpent + call.visitsSpent + 1,
        runner.bytesSpent + call.bytesSpent + Math.max(0, this.#context.reply.length - replyLength),
      );
      runner.visitsSpent = runner.bytesSpent = call.visitsSpent = call.bytesSpent = 0;
    }
  };

  /** Whether a call waits, with those of its kind before it, to run together with them (`PlainRow`). */
  #joinsRow(row: TableRow | ReplyError, args: PlacedArguments): boolean {
    if (row instanceof ReplyError || (row.name !== 'get' && row.name !== 'set')) return false;
    const { plainRow } = this.#context;
    args.database = this.database;
    if (!PlainRow.isPlain(row, args)) return false;
    if (plainRow.length === 0) {
      if (row.name === 'set' && this.#singlesLeft > 0) {
        this.#singlesLeft--;
        return false;
      }
      if (!this.#mayRunRow(row)) return false;
    }
    return plainRow.add(row, args, this.#parser.lastStart);
  }

  /** Whether nothing is asked of each call but its reply, and none is refused or comes again. */
  #mayRunRow(row: TableRow): boolean {
    const { hooks, seam } = this.#context;
    if (
      this.#isTriedAgain ||
      this.#pace !== undefined ||
      hooks.events !== undefined ||
      hooks.wantsEach?.() === true
    )
      return false;
    if (this.#multi !== undefined || this.replyMode !== 'on' || seam.failure !== undefined) return false;
    if (this.#version === 2 && this.#isSubscribed) return false;
    if (row.name === 'get' && (this.#queuedReplies > 0 || this.#sequence > seam.durableSequence))
      return false;
    const rights = this.#rights();
    if (rights?.read !== ALL_KEYS || rights.write !== ALL_KEYS) return false;
    return !this.#context.isPausing(row);
  }

  /** Runs the calls that wait. @returns false: the first that is left comes again. */
  #endRow(): boolean {
    const { plainRow, seam, reply, runner, hooks, meter, turn, clock } = this.#context;
    const { row, length } = plainRow;
    if (row === undefined) return true;
    const begun = reply.length;
    const startMs = hooks.afterRow === undefined ? 0 : clock.monotonicMs();
    this.#lastCommand = row.name;
    const count = plainRow.run(seam, reply, runner);
    meter.ran(row.name, count);
    if (row.name === 'set') this.#sequence = Math.max(this.#sequence, seam.committedSequence);
    hooks.afterRow?.(row, count, clock.monotonicMs() - startMs);
    turn.spend(2 * count, reply.length - begun);
    if (count === length) return true;
    // Where not even the first could be done, the next ones are not likely to.
    if (row.name === 'set') this.#singlesLeft = count === 0 ? serverFixed.redisRowCallsMax : length - count;
    this.#parser.rewindTo(plainRow.startOf(count));
    return false;
  }

  #flush(): void {
    const { reply } = this.#context;
    if (reply.length > 0) this.#deliver(reply.take());
  }

  #execute(row: TableRow | ReplyError, args: PlacedArguments): void {
    const { reply, table } = this.#context;
    const begun = reply.length;
    if (row instanceof ReplyError && isOfHttp(args)) this.#destroy();
    else if (row instanceof ReplyError) this.#refuse(row, table.named(args)?.name);
    else if (this.#takesPart(row, args)) this.#runCounted(row, args);
    this.#silence(begun, row instanceof ReplyError ? undefined : row);
  }

  /** Whether a call is to run now: else it is refused, queued, or waits. */
  #takesPart(row: TableRow, args: PlacedArguments): boolean {
    const { reply } = this.#context;
    args.database = this.database;
    args.keepsKeys = false;
    try {
      this.#admit(row, args);
      if (
        this.#pace?.holds(this.#login, row, args, this.#goOn) === true ||
        this.#context.isPaused(row, this.#goOn)
      ) {
        this.#waitFor();
        return false;
      }
      if (this.#multi !== undefined && !NOT_QUEUED.has(row.name)) {
        const shown = 'session' in row ? row.shows?.(args) : undefined;
        if ('session' in row && takesTime(row, args) && row.shows === undefined) throw notInTransaction();
        const queued = this.#multi.add(row, args, this.#context.chargeInput);
        reply.simple('QUEUED');
        if (shown !== undefined) void this.#checkQueued(queued, shown);
        return false;
      }
    } catch (error) {
      this.#isTriedAgain = false;
      this.#refuse(error, row.name);
      return false;
    }
    return true;
  }

  /** Checks the credentials of a call that is queued; EXEC tells what came of it. */
  async #checkQueued(queued: QueuedCall, shown: Shown): Promise<void> {
    this.#isBusy = true;
    try {
      const login = await this.#context.logins.logIn(this.#wire, ...shown);
      queued.login = () => login;
    } catch (error) {
      queued.login = () => {
        throw error;
      };
    }
    this.#goOn();
  }

  /** Runs a call, and tells those who look on: once, however many turns it takes. */
  #runCounted(row: TableRow, args: PlacedArguments): void {
    const { hooks, meter, clock } = this.#context;
    this.#lastCommand = row.name;
    const isFirst = !this.#isTriedAgain;
    this.#isTriedAgain = false;
    if (isFirst) {
      meter.ran(row.name);
      this.#spentMs = 0;
    }
    if (hooks.ended === undefined) {
      this.#runRow(row, args);
      return;
    }
    const startMs = clock.monotonicMs();
    this.#runRow(row, args);
    this.#spentMs += clock.monotonicMs() - startMs;
    if (this.#longCall !== undefined) return;
    if (isFirst) hooks.ran?.(this, row, args);
    if (!this.#isClosed && !this.#isBusy) hooks.ended(this, row, args, this.#spentMs);
  }

  /** A call has come to its end in a later turn than its first. */
  #endedLater(row: TableRow, args: PlacedArguments, moreMs: number): void {
    this.#context.hooks.ended?.(this, row, args, this.#spentMs + moreMs);
  }

  /** Takes the reply to a call back that the client does not want. */
  #silence(begun: number, row: TableRow | undefined): void {
    if (this.replyMode === 'on' || this.#isBusy) return;
    this.#context.reply.rollBack(begun);
    if (this.replyMode === 'skip' && row?.name !== 'client|reply') this.replyMode = 'on';
  }

  /** What a call that has taken its time is answered with. */
  #answerLater(reply: Buffer): void {
    if (this.replyMode === 'on') this.#deliver(reply);
    else if (this.replyMode === 'skip') this.replyMode = 'on';
  }

  #runRow(row: TableRow, args: PlacedArguments): void {
    const call = this.#call;
    call.args = args;
    if ('session' in row) {
      this.#runSession(row, args);
      return;
    }
    const { runner, seam, hooks, turn } = this.#context;
    call.keepsEvents = hooks.events !== undefined;
    const isVisibleWanted = this.#queuedReplies === 0 && this.#sequence <= seam.durableSequence;
    const begun = call.reply.length;
    const state = runner.runAlone(row, call, isVisibleWanted);
    this.#sequence = Math.max(this.#sequence, runner.sequence);
    // A command that has changed something and tells of no event has none, as FLUSHALL.
    if (runner.hasChanged) hooks.events?.(call.events.splice(0), runner.sequence);
    if (state === 'done') return;
    if (state === 'noRoom') this.#waitForLog();
    else if (runner.hasMoreParts) {
      this.#waitFor();
      this.#isTriedAgain = true;
      turn.later(this.#goOn);
    } else if (runner.waiting !== undefined && 'block' in row) this.#block(row, args, runner.waiting);
    // A reply that is not wanted is not made.
    else if (this.replyMode === 'on') this.#beginLongReply(row, isVisibleWanted && 'read' in row, begun);
  }

  /** The command that was taken last comes again. */
  #waitFor(): void {
    this.#isBusy = true;
    this.#pace?.comesAgain();
    this.#parser.rewind();
  }

  #waitForLog(): void {
    this.#waitFor();
    this.#isTriedAgain = true;
    this.#context.whenLogHasRoom(this.#goOn);
  }

  #runSession(row: SessionCommand, args: PlacedArguments): void {
    const { runner, reply } = this.#context;
    if (takesTime(row, args)) {
      this.#runLong(row, args);
      return;
    }
    const begun = reply.length;
    try {
      void row.session(this, this.#call);
    } catch (error) {
      reply.rollBack(begun);
      if (isLogFull(error)) this.#waitForLog();
      else runner.answer(error, reply, row.name);
    }
  }

  #runLong(row: SessionCommand, args: PlacedArguments): void {
    const { cursors } = this.#context;
    const ownArgs = ownCopyOf(args);
    const reply = new ReplyWriter();
    reply.version = this.#version;
    const call = new RunningCall(ownArgs, reply, this, cursors);
    this.#isBusy = true;
    this.#longCall = call;
    void this.#settleLong(row, call);
  }

  async #settleLong(row: SessionCommand, call: RunningCall): Promise<void> {
    const { reply, args } = call;
    const { clock, hooks } = this.#context;
    const startMs = clock.monotonicMs();
    try {
      await row.session(this, call);
    } catch (error) {
      reply.rollBack(0);
      this.#context.runner.answer(error, reply, row.name);
    }
    this.#longCall = undefined;
    hooks.ran?.(this, row, args);
    this.#spentMs = 0;
    this.#endedLater(row, args, clock.monotonicMs() - startMs);
    if (this.#isClosed) return;
    this.#answerLater(reply.take());
    this.#goOn();
  }

  /** Whether a call may run: throws a `ReplyError`. */
  #admit(row: TableRow, args: PlacedArguments): void {
    if (!row.flags.includes('no_auth')) {
      const rights = this.#rights();
      if (rights === undefined) throw noAuth();
      try {
        checkCall(rights, row, args);
      } catch (error) {
        this.#context.logins.denied(this.#login, this.#wire, row.name);
        throw error;
      }
    }
    if (this.#multi !== undefined && row.flags.includes('no_multi')) throw notInTransaction();
    if (this.#version === 2 && this.#isSubscribed && !WHILE_SUBSCRIBED.has(row.name))
      throw notWhileSubscribed(row.name);
  }

  /** A command can't run: a transaction that it was to be part of is spoilt. */
  #refuse(error: unknown, name: string | undefined): void {
    const { runner, reply } = this.#context;
    if (this.#multi !== undefined) this.#multi.isSpoilt = true;
    runner.refuse(error, reply, name);
  }

  #rights(): Rights | undefined {
    try {
      return this.#login.rights;
    } catch {
      return undefined;
    }
  }

  get #isSubscribed(): boolean {
    const { channels, patterns, shardChannels } = this.subscriptionCounts;
    return channels + patterns + shardChannels > 0;
  }

  // Replies that take more than one turn.

  /** @param begun where in the buffer it begins. */
  #beginLongReply(row: TableRow, isVisible: boolean, begun: number): void {
    const context = this.#context;
    const { runner, seam, clock, queue, hooks } = context;
    const { slice, state } = runner;
    if (slice === undefined) return;
    const ownArgs = hooks.ended === undefined ? undefined : ownCopyOf(this.#call.args);
    this.#isBusy = true;
    // What is written so far, of this reply and of those before it, goes on in the same buffer.
    const reply = context.reply;
    context.reply = new ReplyWriter();
    const longReply = new LongReply({
      slice,
      reply,
      begun,
      clock,
      pin: () => seam.pin(state),
      isTakingTime: () =>
        this.#unreadBytes > serverFixed.redisUnreadBytesPaused ||
        this.#pace?.holdsReply(this.#login, () => this.#longReply?.goOn()) === true,
      send: (bytes) => this.#deliver(bytes),
      fail: (error) => {
        if (error === undefined) this.#destroy();
        else runner.answer(error, reply, row.name);
      },
      done: (durationMs) => {
        this.#longReply = undefined;
        if (ownArgs !== undefined) this.#endedLater(row, ownArgs, durationMs);
        this.#heldBytes = 0;
        for (const bytes of this.#heldPushes.splice(0)) this.push(bytes);
        this.#goOn();
      },
    });
    this.#longReply = longReply;
    // What it is of may be durable already: then nothing would tell the queue to send it on its way.
    if (isVisible || (this.#queuedReplies === 0 && this.#sequence <= seam.durableSequence)) longReply.begin();
    else
      queue.add(
        this.#sequence,
        { send: () => longReply.begin(), fail: () => this.#destroy() },
        Buffer.alloc(0),
      );
  }

  // Commands that wait.

  #block(row: BlockedClient['command'], args: PlacedArguments, waiting: Waiting): void {
    const context = this.#context;
    const keys = waiting.keys.map(toKeyText);
    const ownArgs = ownCopyOf(args);
    ownArgs.keepsKeys = true;
    const charged = args.byteLength + keys.length * BYTES_OF_KEY;
    if (!context.chargeInput(charged)) {
      context.reply.error('ERR the commands that wait for keys take too much memory');
      return;
    }
    const call = new RunningCall(ownArgs, context.servedReply, this, context.cursors);
    const blocked: BlockedClient = {
      command: row,
      keys,
      call,
      version: this.#version,
      admit: () => this.#admitQueued(row, ownArgs),
      served: (durationMs) => {
        const reply = context.servedReply.take();
        if (call.events.length > 0)
          context.hooks.events?.(call.events.splice(0), context.seam.committedSequence);
        this.#unblocked(reply, durationMs);
      },
    };
    call.keepsEvents = context.hooks.events !== undefined;
    this.#blocked = blocked;
    this.#isBusy = true;
    this.#endBlock = waiting.onTimeout;
    this.#blockCharge = charged;
    context.blocked.add(blocked);
    if (waiting.timeoutMs > 0) {
      this.#blockTimer = context.clock.setTimer(waiting.timeoutMs, () =>
        this.#endWait((reply) => waiting.onTimeout(reply)),
      );
    }
  }

  #blockCharge = 0;

  #endWait(write: (reply: ReplyWriter) => void): void {
    const { blocked } = this.#context;
    if (this.#blocked === undefined) return;
    blocked.remove(this.#blocked);
    const reply = new ReplyWriter();
    reply.version = this.#version;
    write(reply);
    this.#unblocked(reply.take(), 0);
  }

  /** @param durationMs that serving it has taken. */
  #unblocked(reply: Buffer, durationMs: number): void {
    if (this.#blocked !== undefined)
      this.#endedLater(this.#blocked.command, this.#blocked.call.args, durationMs);
    this.#blocked = undefined;
    this.#blockTimer?.cancel();
    this.#blockTimer = undefined;
    if (this.#isClosed) return;
    this.#context.chargeInput(-this.#blockCharge);
    this.#blockCharge = 0;
    this.#sequence = Math.max(this.#sequence, this.#context.seam.committedSequence);
    this.#answerLater(reply);
    // Others are in the middle of a decision, or of their commands.
    this.#context.turn.later(this.#goOn);
  }

  unblock(withError: boolean): boolean {
    if (this.#blocked === undefined) return false;
    const end = this.#endBlock;
    const { command } = this.#blocked;
    this.#endWait((reply) => {
      if (withError) this.#context.runner.answer(unblocked(), reply, command.name);
      else end?.(reply);
    });
    return true;
  }

  // Transactions.

  get transaction(): TransactionControl {
    return this;
  }

  begin(): void {
    if (this.#multi !== undefined) throw new ReplyError('ERR MULTI calls can not be nested');
    this.#multi = new Transaction();
  }

  discard(): void {
    if (this.#multi === undefined) throw new ReplyError('ERR DISCARD without MULTI');
    this.#dropTransaction();
    this.unwatch();
  }

  watch(keys: readonly Uint8Array[]): void {
    if (this.#multi !== undefined) throw new ReplyError('ERR WATCH inside MULTI is not allowed');
    const { seam, watched } = this.#context;
    this.#watchList ??= new WatchList();
    const { result, sequence } = seam.decide((view) =>
      keys.map((key) => [key, view.readMeta(key) !== undefined] as const),
    );
    this.#sequence = Math.max(this.#sequence, sequence);
    watched.add(this.#watchList, result);
  }

  unwatch(): void {
    if (this.#watchList === undefined) return;
    this.#context.watched.clear(this.#watchList);
    this.#watchList = undefined;
  }

  execute(reply: Reply): void {
    const multi = this.#multi;
    if (multi === undefined) throw new ReplyError('ERR EXEC without MULTI');
    if (multi.isSpoilt) {
      this.#dropTransaction();
      this.unwatch();
      throw execAborted();
    }
    const { seam, runner, reply: writer, hooks, clock } = this.#context;
    const call = this.#call;
    call.keepsEvents = hooks.events !== undefined;
    this.isInTransaction = true;
    const { database } = this;
    const login = this.#login;
    try {
      const { sequence, hasChanged } = seam.decide((view) => {
        if (this.#watchList?.isChanged === true || this.#watchList?.isOverdue(view) === true) {
          reply.nilArray();
          return;
        }
        reply.array(multi.calls.length);
        for (const [index, { row, args, login: shown }] of multi.calls.entries()) {
          const startMs = clock.monotonicMs();
          args.database = this.database;
          call.args = args;
          this.#shown = shown;
          const begun = writer.length;
          try {
            this.#admitQueued(row, args);
            if (!('session' in row)) {
              runner.runWithin(view, row, call);
              continue;
            }
            if (view.budget.isSpent) throw budgetSpent(view.budget);
            void row.session(this, call);
            view.budget.spendVisits(1 + Math.floor((writer.length - begun) / BYTES_OF_VISIT));
          } catch (error) {
            writer.rollBack(begun);
            runner.answer(error, writer, row.name);
          } finally {
            this.#ranWithin(multi, index, clock.monotonicMs() - startMs);
          }
        }
      });
      this.#sequence = Math.max(this.#sequence, sequence);
      if (hasChanged) hooks.events?.(call.events.splice(0), sequence);
    } catch (error) {
      call.events.length = 0;
      // The whole transaction is tried again when there is room.
      if (isLogFull(error)) {
        this.database = database;
        this.#login = login;
        throw error;
      }
      if (seam.failure === undefined) this.#sequence = Math.max(this.#sequence, seam.committedSequence);
      this.#dropTransaction();
      this.unwatch();
      throw error;
    } finally {
      this.isInTransaction = false;
    }
    this.#dropTransaction();
    this.unwatch();
  }

  /** Tells of a call of a transaction: once, although the transaction may be tried again. */
  #ranWithin(multi: Transaction, index: number, durationMs: number): void {
    const queued = multi.calls[index];
    if (queued === undefined || index < multi.toldCount) return;
    multi.toldCount = index + 1;
    const { meter, hooks } = this.#context;
    meter.ran(queued.row.name);
    hooks.ran?.(this, queued.row, queued.args);
    hooks.ended?.(this, queued.row, queued.args, durationMs);
  }

  /** What a user may do can have changed since a call was queued. */
  #admitQueued(row: TableRow, args: PlacedArguments): void {
    if (row.flags.includes('no_auth')) return;
    const rights = this.#rights();
    if (rights === undefined) throw noAuth();
    checkCall(rights, row, args);
  }

  #dropTransaction(): void {
    if (this.#multi === undefined) return;
    this.#context.chargeInput(-this.#multi.bytes);
    this.#multi = undefined;
  }

  // What commands about the session do.

  get protocolVersion(): 2 | 3 {
    return this.#version;
  }

  set protocolVersion(version: 2 | 3) {
    this.#version = version;
    this.#call.reply.version = version;
    if (this.#longCall !== undefined) this.#longCall.reply.version = version;
  }

  get isLoggedIn(): boolean {
    return this.#rights() !== undefined;
  }

  get mayReadAllKeys(): boolean {
    return this.#rights()?.read === ALL_KEYS;
  }

  get userName(): string {
    return this.#login.userName === '' ? 'default' : this.#login.userName;
  }

  logIn(userName: string, password: string): void | Promise<void> {
    if (this.#shown !== undefined && this.isInTransaction) {
      this.#login = this.#shown();
      return undefined;
    }
    const login = this.#context.logins.logIn(this.#wire, userName, password);
    if (!(login instanceof Promise)) {
      this.#login = login;
      return undefined;
    }
    return login.then((found) => {
      this.#login = found;
    });
  }

  reset(): void {
    this.#dropTransaction();
    this.unwatch();
    this.isMonitor = false;
    this.database = 0;
    this.name = '';
    this.replyMode = 'on';
    this.options.clear();
    this.protocolVersion = 2;
    this.#login = this.#firstLogin;
  }

  kill(when: 'now' | 'afterReply'): void {
    if (when === 'now') {
      this.close();
      return;
    }
    this.#isClosing = true;
    if (!this.#isRunning && !this.#isBusy) this.#endWhenSent();
  }

  onClose(run: () => void): void {
    this.#onClose.push(run);
  }

  get figures(): SessionFigures {
    return {
      connectedAtMs: this.#connectedAtMs,
      lastCommandAtMs: this.#lastCommandAtMs,
      lastCommand: this.#lastCommand,
      queryBytes: this.#parser.waitingBytes,
      outputBytes: this.#queuedBytes + this.#unreadBytes + this.#heldBytes,
    };
  }

  get queuedCount(): number {
    return this.#multi?.calls.length ?? -1;
  }

  get watchedCount(): number {
    return this.#watchList?.wasThere.size ?? 0;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  get commandsBeforePart(): number {
    return this.#isBusy || this.#isReadPaused || this.#parser.waitingBytes === 0
      ? -1
      : this.#parser.commandCount;
  }

  get isBlocked(): boolean {
    return this.#blocked !== undefined;
  }
}

const BYTES_OF_KEY = 200;
/** What a command about connections or the server writes in the time of a visit. */
const BYTES_OF_VISIT = 16;

/** Words that stay when what comes in next is in their place. */
function ownCopyOf(args: PlacedArguments): PlacedArguments {
  const copy = new PlacedArguments();
  copy.takeWords(args.copyWords());
  copy.database = args.database;
  return copy;
}
