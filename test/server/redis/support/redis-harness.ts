/**
 * Commands of the Redis protocol without sockets: words in, a reply out, over a store in memory, by the code that connections run
 * commands with.
 */
import { onTestFinished } from 'vitest';
import { allRights } from '../../../../src/access/rights/rights.ts';
import { fixed } from '../../../../src/limits.ts';
import type { TableRow } from '../../../../src/server/redis/commands/table.ts';
import { CommandTable } from '../../../../src/server/redis/commands/table.ts';
import type { Command } from '../../../../src/server/redis/commands/command.ts';
import { type CallState, CommandRunner } from '../../../../src/server/redis/commands/run-command.ts';
import { RunningCall, type KeyspaceEvent } from '../../../../src/server/redis/commands/running-call.ts';
import { CursorRing } from '../../../../src/server/redis/cursors/cursor-ring.ts';
import { PlacedArguments } from '../../../../src/server/redis/protocol/placed-arguments.ts';
import { ReplyWriter } from '../../../../src/server/redis/protocol/reply-writer.ts';
import { ReplyError } from '../../../../src/server/redis/replies/errors.ts';
import type { DurableStore } from '../../../../src/store/durable-store.ts';
import type { ManualClock } from '../../../support/manual-clock.ts';
import type { SimulatedDisk } from '../../../support/simulated-disk.ts';
import { SeamHarness, type SeamHarnessOptions } from '../../../store/seam/seam-harness.ts';
import { decodeReply, type DecodedReply } from './decoded-reply.ts';
import { toBytes, type Word } from './words.ts';

export class RedisHarness {
  readonly #seam: SeamHarness;
  readonly #table: CommandTable;
  readonly #runner: CommandRunner;
  readonly #args = new PlacedArguments();
  readonly #reply = new ReplyWriter();
  readonly #session = {
    database: 0,
    isInTransaction: false,
    isInScript: false,
    isReadOnly: false,
    rights: () => allRights,
  };
  readonly #call: RunningCall;
  /** The visits that each piece of the last call has paid. */
  visitsByPiece: number[] = [];
  /** The most that the last long reply said to hold, in bytes. */
  heldBytesMax = 0;

  private constructor(seam: SeamHarness, rows: readonly TableRow[]) {
    this.#seam = seam;
    this.#table = new CommandTable(rows);
    this.#runner = new CommandRunner(seam.store, {
      defect: (_, error) => {
        throw error;
      },
      failed: () => undefined,
      refused: () => undefined,
    });
    this.#call = new RunningCall(this.#args, this.#reply, this.#session, new CursorRing(0));
    this.#call.keepsEvents = true;
  }

  /** For one test. */
  static async open(rows: readonly TableRow[], options: SeamHarnessOptions = {}): Promise<RedisHarness> {
    const seam = await SeamHarness.openShared(options);
    onTestFinished(() => seam.close());
    return new RedisHarness(seam, rows);
  }

  /** Time stands still until a test moves it. */
  get clock(): ManualClock {
    return this.#seam.clock;
  }

  get store(): DurableStore {
    return this.#seam.store;
  }

  get disk(): SimulatedDisk {
    return this.#seam.disk;
  }

  /** What the next call and those behind it do, in visits. */
  countVisits(): () => number {
    this.#runner.visitsSpent = 0;
    return () => this.#runner.visitsSpent;
  }

  /** What was written is on disk, so that the log has room. */
  async durable(): Promise<void> {
    await this.#seam.durable();
  }

  /** What SELECT and HELLO set. */
  use(state: { readonly database?: number; readonly version?: 2 | 3 }): void {
    this.#session.database = state.database ?? this.#session.database;
    this.#reply.version = state.version ?? this.#reply.version;
  }

  /** The reply as its bytes, one character for each. Long ones are there whole. */
  raw(...words: readonly Word[]): string {
    this.#begin(words);
    this.visitsByPiece = [];
    this.heldBytesMax = 0;
    const row = this.#table.find(this.#args);
    if (row instanceof ReplyError) this.#reply.error(row.message);
    else if ('session' in row) throw new Error(`${row.name} needs a connection`);
    else if (this.#runPiece(row) === 'goesOn') {
      while (this.#runner.hasMoreParts) this.#runPiece(row);
      this.#finish();
    }
    return this.#reply.take().toString('latin1');
  }

  /** The reply, decoded: strings are text of Latin-1. */
  run(...words: readonly Word[]): DecodedReply {
    return decodeReply(this.raw(...words));
  }

  /** Several calls as MULTI and EXEC run them. */
  runTogether(...calls: readonly (readonly Word[])[]): DecodedReply[] {
    const replies: DecodedReply[] = [];
    this.#session.isInTransaction = true;
    this.#args.keepsKeys = true;
    this.store.decide((view) => {
      for (const words of calls) {
        this.#begin(words);
        const row = this.#table.find(this.#args);
        if (row instanceof ReplyError) throw row;
        if ('session' in row) throw new Error(`${row.name} needs a connection`);
        this.#runner.runWithin(view, row, this.#call);
        replies.push(decodeReply(this.#reply.take().toString('latin1')));
      }
    });
    this.#session.isInTransaction = false;
    this.#args.keepsKeys = false;
    return replies;
  }

  /** The keyspace events since this was asked last, as `class event key`. */
  events(): string[] {
    return this.#call.events
      .splice(0)
      .map(
        ({ eventClass, event, key }: KeyspaceEvent) =>
          `${eventClass} ${event} ${Buffer.from(key).toString('latin1')}`,
      );
  }

  #begin(words: readonly Word[]): void {
    this.#args.takeWords(words.map(toBytes));
    this.#args.database = this.#session.database;
  }

  #runPiece(row: Command): CallState {
    const spentBefore = this.#runner.visitsSpent;
    const state = this.#runner.runAlone(row, this.#call, false, () => false);
    this.visitsByPiece.push(this.#runner.visitsSpent - spentBefore);
    return state;
  }

  /** Long replies are made to their end; waits end as if their time were over. */
  #finish(): void {
    const { slice, waiting } = this.#runner;
    waiting?.onTimeout(this.#reply);
    if (slice === undefined) return;
    this.store.decide((view) => {
      for (let next: typeof slice | undefined = slice; next !== undefined;) {
        view.budget.begin(fixed.turnVisitsMax, fixed.turnBytesMax);
        this.heldBytesMax = Math.max(this.heldBytesMax, next.heldBytes?.() ?? 0);
        next = next(view, this.#reply);
        this.visitsByPiece.push(view.budget.visitsSpent);
      }
    });
  }
}
