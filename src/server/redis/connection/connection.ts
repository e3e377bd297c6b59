/**
 * `Connection`: one client of the Redis protocol, from the bytes that come in to the replies that go out.
 *
 * All commands that lie in a piece as a whole run at once, one behind the other, and their replies are gathered in one buffer. It
 * goes out when all that it may depend on is durable: at once after reads of the visible state, else by the queue of replies. While
 * replies of the connection wait there, its reads see the newest state, so that each sees what its own client has written.
 *
 * Here are what comes in and the loop that runs it; how one call runs, what goes out, transactions and waits are parts of its session
 * (`ConnectionSession`).
 *
 * States:
 * - running: commands are taken as they come.
 * - busy: a command goes on by itself (a long reply, a wait for a key, a password that is checked), or waits for a turn, for room in
 *   log or memory, or for the end of CLIENT PAUSE. What comes in meanwhile waits, in the socket but for one piece.
 * - passed on, at a follower of a cluster: it is busy to its end, and all that comes goes to the writer (`Relay`).
 * - closing: the last reply is written; what comes in is dropped.
 * - closed.
 */
import type { PlacedArguments } from '../protocol/placed-arguments.ts';
import { ProtocolError } from './request-parser.ts';
import { GatheredCalls } from './rows/gathered-calls.ts';
import { ConnectionSession } from './session/connection-session.ts';
import { Dispatch } from './session/dispatch.ts';
import type { Relay } from './session/relay.ts';

/** A connection whose turn has taken long already runs so many commands. */
const COMMANDS_PER_RUN_MIN = 16;

export class Connection extends ConnectionSession {
  readonly #dispatch = new Dispatch(this);
  readonly #gathered = new GatheredCalls(this, this.#dispatch);
  /** Nothing more is taken in, since the client has ended its side, or the server stops: it ends when what has come has run. */
  #endsWhenRun = false;
  /** It waits for a turn of the event loop that has something left. */
  #isResting = false;

  // What comes in.

  receive(chunk: Buffer): void {
    if (this.isClosing || this.isClosed || this.#endsWhenRun) return;
    this.pace?.received(chunk.length);
    if (this.relay !== undefined) {
      this.relay.send(chunk);
      return;
    }
    if (!this.parser.add(chunk)) {
      this.close();
      return;
    }
    if (this.isBusy) {
      if (!this.parser.keep()) this.close();
      this.outlet.steerReading();
      return;
    }
    this.#run();
  }

  /** The client has ended its side: it may still wait for the replies to what it has sent. */
  ended(): void {
    this.#endsWhenRun = true;
    if (this.relay !== undefined) this.relay.end();
    else if (this.waiting !== undefined) this.close();
    else if (!this.isBusy) {
      this.isClosing = true;
      this.outlet.endWhenSent();
    }
  }

  /** The client has taken what waited. */
  drained(): void {
    this.outlet.drained();
    this.relay?.drained();
  }

  checkUnread(nowMs: number): void {
    this.outlet.checkUnread(nowMs);
  }

  /**
   * Takes no more commands: what was begun ends, and its reply goes out before the end. What has come and rests runs, too, as it would have
   * if the turn had been longer.
   */
  stop(): void {
    if (this.relay !== undefined) {
      // The writer answers what was begun, and ends the connection.
      this.isClosing = true;
      this.relay.end();
      return;
    }
    if (this.#isResting) {
      this.#endsWhenRun = true;
      return;
    }
    const isHeld =
      this.outlet.waitsForReader || this.pace?.isHolding === true || this.#dispatch.isWaitingForRoom;
    if (this.isBusy && this.waiting === undefined && !isHeld) {
      this.isClosing = true;
      return;
    }
    this.isClosing = true;
    this.outlet.endWhenSent();
  }

  /** Closes a client that has sent nothing since then, by the wall clock, and waits for nothing. */
  checkIdle(sinceMs: number): void {
    if (this.isBusy || this.isSubscribed || this.isMonitor) return;
    if (this.lastCommandAtMs < sinceMs) this.close();
  }

  override relayTo(relay: Relay): void {
    const waiting = this.parser.waiting();
    this.parser.close();
    // It may be on its way to the writer for as long as the session lasts: it is not shown again.
    this.shown = undefined;
    this.relay = relay;
    relay.begin(waiting);
    if (this.#endsWhenRun) relay.end();
    this.outlet.steerReading();
  }

  // The commands.

  /** Goes on with what waits. */
  readonly goOn = (): void => {
    if (this.isClosed) return;
    this.isBusy = this.#isResting = false;
    if (this.isClosing) this.outlet.endWhenSent();
    else this.#run();
  };

  #run(): void {
    const { seam } = this.context;
    this.isRunning = true;
    try {
      seam.atOneInstant(this.#runAll);
    } finally {
      this.isRunning = false;
    }
    if (this.isClosed) {
      this.context.reply.rollBack(0);
      return;
    }
    this.outlet.flush();
    if (this.#endsWhenRun && !this.isBusy) this.isClosing = true;
    if (this.#endsWhenRun && this.waiting !== undefined) this.close();
    if (this.isClosing && !this.isBusy) this.outlet.endWhenSent();
    if (!this.parser.keep()) this.close();
    this.outlet.steerReading();
  }

  readonly #runAll = (): void => {
    const { args, reply, runner, turn, table } = this.context;
    const gathered = this.#gathered;
    reply.version = this.version;
    this.call.reply = reply;
    this.parser.isStranger = this.rights() === undefined;
    runner.visitsSpent = runner.bytesSpent = 0;
    this.lastCommandAtMs = this.context.clock.nowMs();
    for (let taken = 0; !this.isBusy && !this.isClosing && !this.isClosed; taken++) {
      if (turn.isSpent || (turn.isLong && taken >= COMMANDS_PER_RUN_MIN)) {
        if (!gathered.run()) continue;
        this.isBusy = this.#isResting = true;
        turn.later(this.goOn);
        return;
      }
      if (this.outlet.hasMuchToSend) {
        if (!gathered.run()) continue;
        this.isBusy = this.outlet.waitsForReader = true;
        return;
      }
      let next: PlacedArguments | undefined;
      try {
        next = this.parser.next(args);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        if (!gathered.run()) continue;
        reply.error(error.message);
        this.isClosing = true;
        return;
      }
      if (next === undefined) {
        if (gathered.run()) return;
        continue;
      }
      const row = table.find(next);
      if (gathered.join(row, next)) continue;
      if (!gathered.isEmpty) {
        if (!gathered.run()) continue;
        // The row was full, or one of others.
        if (gathered.join(row, next)) continue;
      }
      const replyLength = reply.length;
      this.#dispatch.execute(row, next);
      const call = this.call;
      turn.spend(
        runner.visitsSpent + call.visitsSpent + 1,
        runner.bytesSpent + call.bytesSpent + Math.max(0, this.context.reply.length - replyLength),
      );
      runner.visitsSpent = runner.bytesSpent = call.visitsSpent = call.bytesSpent = 0;
    }
  };
}
