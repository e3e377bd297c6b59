/**
 * `TransactionSession`: MULTI, EXEC, DISCARD, WATCH and UNWATCH of one connection.
 *
 * - Between MULTI and EXEC calls are kept with words of their own; one that is refused spoils the transaction.
 * - EXEC runs them in one decision, each checked against what its user may do by then. What one call does wrong is its reply, and
 *   the others run.
 * - EXEC for which log or memory has no room has changed nothing, is tried again as a whole, and tells of each call once. Where it has
 *   waited for memory in vain, each call for which there is none is told so, and the others run.
 * - CLIENT REPLY within a transaction holds from where it stands: OFF takes away the replies of the calls behind it, SKIP that of the
 *   command behind EXEC.
 * - Credentials within a transaction are checked as they are queued, since EXEC can't wait.
 */
import type { Login } from '../../../../access/login/login.ts';
import { budgetSpent } from '../../../../store/views/draft.ts';
import type { Reply } from '../../commands/command.ts';
import { NoRoomYetError } from '../../../../errors.ts';
import { isLogFull } from '../../commands/run-command.ts';
import type { Shown, TransactionControl } from '../../commands/session-command.ts';
import type { TableRow } from '../../commands/table.ts';
import type { PlacedArguments } from '../../protocol/placed-arguments.ts';
import { DeniedError, execAborted, noAuth, ReplyError } from '../../replies/errors.ts';
import type { ConnectionContext } from '../connection-context.ts';
import { checkCall } from '../key-access.ts';
import { tellNoted, wantsNoted } from '../noted-events.ts';
import { type QueuedCall, Transaction } from '../transaction.ts';
import { WatchList } from '../watched-keys.ts';
import type { Outlet } from './outlet.ts';
import type { SessionState } from './session-state.ts';

/** What a command about connections or the server writes in the time of a visit. */
const BYTES_OF_VISIT = 16;

export class TransactionSession implements TransactionControl {
  /** Since MULTI. */
  multi: Transaction | undefined;
  /** EXEC has run its calls, so that its reply is what it has left of it: told once. */
  #hasRun = false;
  /** Of the queued call that runs. */
  shown: (() => Login) | undefined;
  readonly #session: SessionState;
  readonly #outlet: Outlet;
  readonly #context: ConnectionContext;
  #watchList: WatchList | undefined;

  constructor(session: SessionState, outlet: Outlet) {
    this.#session = session;
    this.#outlet = outlet;
    this.#context = session.context;
  }

  /** -1: there is no transaction. */
  get queuedCount(): number {
    return this.multi?.calls.length ?? -1;
  }

  get watchedCount(): number {
    return this.#watchList?.wasThere.size ?? 0;
  }

  /** Whether the reply of the command that has run is that of a transaction, silenced already as far as it is to be. */
  takeHasRun(): boolean {
    const hasRun = this.#hasRun;
    this.#hasRun = false;
    return hasRun;
  }

  begin(): void {
    if (this.multi !== undefined) throw new ReplyError('ERR MULTI calls can not be nested');
    this.multi = new Transaction();
  }

  discard(): void {
    if (this.multi === undefined) throw new ReplyError('ERR DISCARD without MULTI');
    this.drop();
    this.unwatch();
  }

  watch(keys: readonly Uint8Array[]): void {
    if (this.multi !== undefined) throw new ReplyError('ERR WATCH inside MULTI is not allowed');
    const { seam, watched } = this.#context;
    this.#watchList ??= new WatchList();
    const { result, sequence } = seam.decide((view) =>
      keys.map((key) => [key, view.readMeta(key) !== undefined] as const),
    );
    this.#outlet.dependsOn(sequence);
    watched.add(this.#watchList, result);
  }

  unwatch(): void {
    if (this.#watchList === undefined) return;
    this.#context.watched.clear(this.#watchList);
    this.#watchList = undefined;
  }

  execute(reply: Reply): void {
    const multi = this.multi;
    if (multi === undefined) throw new ReplyError('ERR EXEC without MULTI');
    if (multi.isSpoilt) {
      this.drop();
      this.unwatch();
      throw execAborted();
    }
    const { seam, runner, reply: writer, hooks, clock } = this.#context;
    const call = this.#session.call;
    const wasTracking = this.#session.tracking !== undefined;
    call.keepsEvents = wasTracking || wantsNoted(this.#context);
    let revision = 0;
    this.#session.isInTransaction = true;
    const { database, login, replyMode } = this.#session;
    let skipsNext = false;
    hooks.transactions?.begins();
    try {
      const { sequence, hasChanged } = seam.decide((view) => {
        if (this.#watchList?.isChanged === true || this.#watchList?.isOverdue(view) === true) {
          reply.nilArray();
          return;
        }
        revision = view.revision;
        this.#hasRun = true;
        if (replyMode === 'on') reply.array(multi.calls.length);
        for (const [index, { row, args, login: shown }] of multi.calls.entries()) {
          const startMs = clock.monotonicMs();
          args.database = this.#session.database;
          call.args = args;
          this.shown = shown;
          const begun = writer.length;
          try {
            this.admitQueued(row, args);
            if (!('session' in row)) {
              runner.runWithin(view, row, call);
              this.#session.tracking?.ranWithin(row, args);
              continue;
            }
            if (view.budget.isSpent) throw budgetSpent(view.budget);
            void row.session(this.#session, call);
            view.budget.spendVisits(1 + Math.floor((writer.length - begun) / BYTES_OF_VISIT));
          } catch (error) {
            writer.rollBack(begun);
            runner.answerWithin(error, writer, row.name);
          } finally {
            if (this.#session.replyMode === 'off') writer.rollBack(begun);
            else if (this.#session.replyMode === 'skip') {
              this.#session.replyMode = 'on';
              skipsNext = true;
            }
            this.#ranWithin(multi, index, clock.monotonicMs() - startMs);
          }
        }
      });
      if (skipsNext && this.#session.replyMode === 'on') this.#session.replyMode = 'skip';
      this.#outlet.dependsOn(sequence);
      this.#outlet.ran(hasChanged);
      this.#session.tracking?.transactionRan(wasTracking ? call.events : undefined, { revision, hasChanged });
      tellNoted(this.#context, call, sequence, hasChanged);
    } catch (error) {
      this.#hasRun = false;
      call.events.length = 0;
      this.#session.tracking?.transactionFailed();
      hooks.transactions?.failed();
      // The whole transaction is tried again when there is room.
      if (isLogFull(error) || error instanceof NoRoomYetError) {
        this.#session.database = database;
        this.#session.login = login;
        this.#session.replyMode = replyMode;
        throw error;
      }
      if (seam.failure === undefined) this.#outlet.dependsOn(seam.committedSequence);
      this.drop();
      this.unwatch();
      throw error;
    } finally {
      this.#session.isInTransaction = false;
    }
    this.drop();
    this.unwatch();
  }

  /** Checks the credentials of a call that is queued; EXEC tells what came of it. */
  async checkQueued(queued: QueuedCall, shown: Shown): Promise<void> {
    this.#session.isBusy = true;
    try {
      const login = await this.#session.checkLogin(queued.row.name, shown);
      queued.login = () => login;
    } catch (error) {
      queued.login = () => {
        throw error;
      };
    }
    this.#session.goOn();
  }

  /** What a user may do can have changed since a call was queued. */
  admitQueued(row: TableRow, args: PlacedArguments): void {
    if (row.flags.includes('no_auth')) return;
    const rights = this.#session.rights();
    if (rights === undefined) throw noAuth();
    try {
      checkCall(rights, row, args);
    } catch (error) {
      if (error instanceof DeniedError) this.#session.denied(row.name, error, 'multi');
      throw error;
    }
  }

  /** Forgets what is queued. */
  drop(): void {
    if (this.multi === undefined) return;
    this.#context.chargeInput(-this.multi.bytes);
    this.multi = undefined;
  }

  /** The connection is closed. */
  close(): void {
    this.drop();
    if (this.#watchList !== undefined) this.#context.watched.clear(this.#watchList);
  }

  /** Tells of a call of a transaction: once, although the transaction may be tried again. */
  #ranWithin(multi: Transaction, index: number, durationMs: number): void {
    const queued = multi.calls[index];
    if (queued === undefined || index < multi.toldCount) return;
    multi.toldCount = index + 1;
    const { meter, hooks } = this.#context;
    meter.ran(queued.row.name);
    hooks.ran?.(this.#session, queued.row, queued.args);
    hooks.ended?.(this.#session, queued.row, queued.args, durationMs);
  }
}
