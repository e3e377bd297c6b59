/**
 * Clients that wait for a key (BLPOP, BZPOPMIN, ...). When a transaction has written such a key, its waiters are tried again in the
 * order in which they came, each in a decision of its own right behind that transaction: so the pop is the next revision, and no
 * other client comes between. What a waiter is served goes out when that decision is durable. Those that only read (XREAD) are all
 * served in one.
 *
 * What is committed is listened to while a client waits, and only then. Where the transaction's budget, or the log, has no room for
 * serving, the key is looked at again in another turn, from the client on that was not tried yet; where memory has none, when there is
 * some, or waiting for it is over.
 */
import type { Clock } from '../../../clock.ts';
import { isStoreError, NoRoomYetError, StoreError } from '../../../errors.ts';
import { fixed } from '../../../limits.ts';
import { RoomWait } from '../../../store/commit/room-gate.ts';
import type { Seam, Stop } from '../../../store/seam.ts';
import { type KeyText, toKeyText } from '../../../store/views/keys.ts';
import type { PlannedChange } from '../../../store/views/planned-change.ts';
import type { View } from '../../../store/views/view.ts';
import type { WorkDone } from '../../../work-budget.ts';
import type { Command } from '../commands/command.ts';
import { isLogFull, type CommandRunner } from '../commands/run-command.ts';
import type { RunningCall } from '../commands/running-call.ts';
import type { TurnBudget } from './turn-budget.ts';

/** What each decision would be told from now on. */
const ENDS = ['storageFailed', 'readOnly', 'closed'] as const;

export interface BlockedClient {
  readonly command: Command;
  /** With words of its own, and a reply of its own. */
  readonly call: RunningCall;
  readonly keys: readonly KeyText[];
  /** Of the protocol, for its reply. */
  readonly version: 2 | 3;
  /** Whether it is tried when a key of it is deleted, too. */
  readonly seesDeletion: boolean;
  /** Throws a `ReplyError` when its user may not run the command any more. */
  readonly admit: () => void;
  /** Its reply is written, and the decision that it is from is made. @param durationMs that this took. */
  served(durationMs: number): void;
}

export class BlockedClients {
  readonly #seam: Seam;
  readonly #clock: Clock;
  /** Of its own: clients are served in the middle of what others run. */
  readonly #runner: CommandRunner;
  readonly #turn: Pick<TurnBudget, 'spend'>;
  readonly #waitersByKey = new Map<KeyText, KeyWaiters>();
  /** Keys that are queued to be served. */
  readonly #queuedKeys = new Set<KeyText>();
  /** Keys that there was no room for. */
  readonly #leftKeys = new Set<KeyText>();
  /** Whose decision is not made yet. */
  #serving: BlockedClient | undefined;
  /** Where in the buffer its reply begins. */
  #begun = 0;
  /** That this one's command has taken. */
  #servingMs = 0;
  #stop: Stop | undefined;
  #isRetrying = false;
  /** How serving has waited for room in memory. */
  #room: RoomWait | undefined;
  /** Waiting for it has been in vain: those that need it are told so. */
  #isImpatient = false;

  constructor(seam: Seam, clock: Clock, runner: CommandRunner, turn: Pick<TurnBudget, 'spend'>) {
    this.#seam = seam;
    this.#clock = clock;
    this.#runner = runner;
    this.#turn = turn;
  }

  add(client: BlockedClient): void {
    for (const key of client.keys) {
      const waiters = this.#waitersByKey.get(key) ?? new KeyWaiters();
      waiters.clients.add(client);
      this.#waitersByKey.set(key, waiters);
    }
    this.#stop ??= this.#seam.onCommitted((changes) => this.#committed(changes));
  }

  remove(client: BlockedClient): void {
    for (const key of client.keys) {
      const clients = this.#waitersByKey.get(key)?.clients;
      clients?.delete(client);
      if (clients?.size === 0) this.#waitersByKey.delete(key);
    }
    if (this.#waitersByKey.size === 0 && this.#serving === undefined) {
      this.#stop?.();
      this.#stop = undefined;
    }
  }

  /** The log has written what it held. */
  durable(): void {
    if (this.#leftKeys.size > 0) this.#retryLater();
  }

  #committed(changes: readonly PlannedChange[]): void {
    this.#settle();
    for (const { key, deleted } of changes) {
      const text = toKeyText(key);
      const waiters = this.#waitersByKey.get(text);
      if (waiters === undefined || (deleted && !seesDeletion(waiters.clients))) continue;
      waiters.beginAgain();
      this.#queue(text);
    }
  }

  /** The decision that served a client is made. */
  #settle(): void {
    const served = this.#serving;
    this.#serving = undefined;
    if (served === undefined) return;
    this.remove(served);
    served.served(this.#servingMs);
  }

  #queue(key: KeyText): void {
    if (this.#queuedKeys.has(key)) return;
    this.#queuedKeys.add(key);
    try {
      this.#seam.queueDecide(
        (view) => {
          this.#queuedKeys.delete(key);
          this.#serve(view, key);
        },
        (error) => this.#failed(key, error),
      );
    } catch (error) {
      this.#failed(key, error);
    }
  }

  #failed(key: KeyText, error: unknown): void {
    this.#queuedKeys.delete(key);
    this.#takeBack();
    // Nothing is written any more: to try again would be to try for ever.
    if (ENDS.some((code) => isStoreError(error, code))) return;
    this.#leftKeys.add(key);
    if (error instanceof NoRoomYetError) this.#waitForRoom(error);
    else if (!isLogFull(error)) this.#retryLater();
  }

  #waitForRoom(error: NoRoomYetError): void {
    if (this.#room?.isWaiting === true) return;
    this.#room ??= new RoomWait(() => this.#retryLater(), { decidesLater: true });
    if (this.#seam.waitForRoom(this.#room, error)) return;
    this.#room = undefined;
    this.#isImpatient = true;
    this.#retryLater();
  }

  /** What served a client could not be committed: it was never told, and waits on. */
  #takeBack(): void {
    const { call } = this.#serving ?? {};
    this.#serving = undefined;
    if (call === undefined) return;
    call.reply.rollBack(this.#begun);
    call.events.length = 0;
  }

  /** Serves the first of a key's clients that can be; the change that this makes has the next one tried. */
  #serve(view: View, key: KeyText): void {
    // The decision before this one is made, whether it has changed anything or not.
    this.#settle();
    this.#runner.visitsSpent = this.#runner.bytesSpent = 0;
    try {
      this.#serveFirst(view, key);
    } finally {
      this.#turn.spend(this.#runner.visitsSpent, this.#runner.bytesSpent);
    }
  }

  #serveFirst(view: View, key: KeyText): void {
    const waiters = this.#waitersByKey.get(key);
    for (let client = waiters?.next; client !== undefined; client = waiters?.next) {
      const { reply } = client.call;
      reply.version = client.version;
      const begun = reply.length;
      const savepoint = view.savepoint();
      const startMs = this.#clock.monotonicMs();
      const { visitsSpent, bytesSpent } = view.budget;
      try {
        client.admit();
        client.call.changed(key);
        if (this.#runner.tryWithin(view, client.command, client.call) !== undefined) {
          waiters?.triedInVain();
          continue;
        }
        this.#serving = client;
        this.#begun = begun;
        this.#servingMs = this.#clock.monotonicMs() - startMs;
        if (view.replyRevision !== view.revision) return;
        // It has only read (XREAD): no change has the next one tried.
        this.#settle();
      } catch (error) {
        view.rollBack(savepoint);
        reply.rollBack(begun);
        client.call.events.length = 0;
        // The key has a value of another kind than it waits for: it goes on waiting.
        if (error instanceof StoreError && error.code === 'wrongType') {
          waiters?.triedInVain();
          continue;
        }
        if (error instanceof NoRoomYetError && !this.#isImpatient) throw error;
        if (view.budget.isSpent && !hasSpentMost(view.budget, visitsSpent, bytesSpent)) throw error;
        this.#runner.answer(error, reply, client.command.name);
        // It has changed nothing: its wait is over now, and the next one is tried.
        this.#serving = client;
        this.#servingMs = this.#clock.monotonicMs() - startMs;
        this.#settle();
      }
    }
  }

  #retryLater(): void {
    if (this.#isRetrying) return;
    this.#isRetrying = true;
    this.#clock.yieldNow(() => {
      this.#isRetrying = false;
      for (const key of this.#leftKeys) {
        this.#leftKeys.delete(key);
        try {
          this.#seam.decide((view) => this.#serve(view, key));
          this.#settle();
        } catch (error) {
          this.#failed(key, error);
          return;
        }
      }
      if (this.#room !== undefined) this.#seam.leaveRoom(this.#room);
      this.#room = undefined;
      this.#isImpatient = false;
    });
  }
}

/**
 * The clients that wait for one key, in the order in which they came, and how far they were tried since it has changed: those that were
 * tried in vain are not tried again before it changes again, so that each turn gets further.
 */
class KeyWaiters {
  readonly clients = new Set<BlockedClient>();
  /** Behind `#next`; those that come later lie behind it too, and those that go are left out. */
  #untried = this.clients.values();
  #next: BlockedClient | undefined;

  /** The first one that was not tried yet, and still waits. */
  get next(): BlockedClient | undefined {
    while (this.#next === undefined || !this.clients.has(this.#next)) {
      const { value, done } = this.#untried.next();
      if (done === true) return undefined;
      this.#next = value;
    }
    return this.#next;
  }

  /** The next one waits on. */
  triedInVain(): void {
    this.#next = undefined;
  }

  /** The key has changed. */
  beginAgain(): void {
    this.#untried = this.clients.values();
    this.#next = undefined;
  }
}

function seesDeletion(clients: Iterable<BlockedClient>): boolean {
  for (const client of clients) if (client.seesDeletion) return true;
  return false;
}

/** Whether a client has taken so much of the budget by itself that there would be no room for it in another turn either. */
function hasSpentMost(budget: WorkDone, visitsBefore: number, bytesBefore: number): boolean {
  return (
    (budget.visitsSpent - visitsBefore) * 2 >= fixed.requestVisitsMax ||
    (budget.bytesSpent - bytesBefore) * 2 >= fixed.requestBytesMax
  );
}
