/**
 * `RedisDoor`: what all connections of the Redis protocol share, over an open store. It tells them when the log is durable, has room,
 * or has failed, cuts those that do not read, and ends all of them.
 */
import type { Clock, Timer } from '../../clock.ts';
import type { Login } from '../../access/login/login.ts';
import { serverFixed } from '../../limits.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import type { Stop } from '../../store/seam.ts';
import type { ClientSession, ClientSessions } from './commands/session-command.ts';
import { CommandRunner, type RunObserver } from './commands/run-command.ts';
import { CommandTable, mayWrite, type TableRow } from './commands/table.ts';
import { BlockedClients } from './connection/blocked-clients.ts';
import { Connection } from './connection/connection.ts';
import type {
  CommandHooks,
  CommandMeter,
  ConnectionContext,
  LoginGate,
  RedisStore,
  Wire,
} from './connection/connection-context.ts';
import type { ConnectionNames } from './connection/session/connection-session.ts';
import { ElementRow } from './connection/rows/element-row.ts';
import { ListRow } from './connection/rows/list-row.ts';
import { PlainRow } from './connection/rows/plain-row.ts';
import { type Patience, SlowClients } from './connection/slow-clients.ts';
import { ReplyQueue } from './connection/reply-queue.ts';
import { TurnBudget } from './connection/turn-budget.ts';
import { WatchedKeys } from './connection/watched-keys.ts';
import { ClusterDoor, type RedisCluster } from './cluster/cluster-door.ts';
import { CursorRing } from './cursors/cursor-ring.ts';
import { PlacedArguments } from './protocol/placed-arguments.ts';
import { ReplyWriter } from './protocol/reply-writer.ts';

export interface RedisDoorOptions {
  readonly store: RedisStore;
  readonly clock: Clock;
  /** Of all commands. */
  readonly rows: readonly TableRow[];
  readonly logins: LoginGate;
  readonly meter: CommandMeter & RunObserver;
  /** Of the store. */
  readonly valueBytesMax: number;
  /** Where what users may do in a second is limited. */
  readonly rates: RateLimits | undefined;
  /** Left out: the store is alone. */
  readonly cluster?: RedisCluster | undefined;
  readonly patience: Patience;
  /** From 0 to below 1, by chance: where cursors begin. */
  readonly cursorSeed: number;
}

export class RedisDoor implements ClientSessions {
  readonly table: CommandTable;
  /** Set by who looks at what runs. */
  readonly hooks: CommandHooks = { ran: undefined, ended: undefined, events: undefined };
  readonly #options: RedisDoorOptions;
  readonly #context: ConnectionContext;
  readonly #connections = new Map<number, Connection>();
  readonly #stopListening: Stop;
  #lastId = 0;
  #inputBytes = 0;
  #unreadBytes = 0;
  #heldBytes = 0;
  readonly #slowClients: SlowClients;
  /** Runs while a client has something to take, to send or to show. */
  #checkTimer: Timer | undefined;
  #idleTimeoutSeconds = 0;
  /** Connections whose next command waits until the log has room. */
  #waitingForLog: (() => void)[] = [];
  #pausedUntilMs = 0;
  #pausesAll = false;
  #waitingForPause: (() => void)[] = [];
  #pauseTimer: Timer | undefined;

  constructor(options: RedisDoorOptions) {
    const { store, clock, rows, logins, meter, valueBytesMax, rates, cursorSeed } = options;
    this.#options = options;
    this.table = new CommandTable(rows);
    this.#slowClients = new SlowClients(options.patience);
    const runner = new CommandRunner(store, meter);
    const turn = new TurnBudget(clock);
    const queue = new ReplyQueue((run) => turn.later(run));
    const blocked = new BlockedClients(store, clock, new CommandRunner(store, meter), turn);
    this.#context = {
      cluster: options.cluster && new ClusterDoor(options.cluster, clock),
      seam: store,
      clock,
      table: this.table,
      runner,
      args: new PlacedArguments(),
      reply: new ReplyWriter(),
      servedReply: new ReplyWriter(),
      plainRow: new PlainRow(),
      listRow: new ListRow(),
      elementRow: new ElementRow(),
      cursors: new CursorRing(cursorSeed),
      queue,
      watched: new WatchedKeys(store, (bytes) => this.#chargeInput(bytes)),
      blocked,
      turn,
      hooks: this.hooks,
      meter,
      logins,
      wordBytesMax: valueBytesMax + serverFixed.redisWordBytesAboveValue,
      rates,
      chargeInput: (bytes) => this.#chargeInput(bytes),
      chargeUnread: (bytes) => this.#chargeUnread(bytes),
      chargeHeld: (bytes) => this.#chargeHeld(bytes),
      whenLogHasRoom: (run) => void this.#waitingForLog.push(run),
      isPausing: (row) => this.#isPausing(row),
      isPaused: (row, run) => this.#isPaused(row, run),
      closed: (connection) => {
        this.#connections.delete(connection.id);
        this.#slowClients.gone(connection);
      },
    };
    this.#stopListening = store.onDurable((sequence, failure) => {
      if (failure === undefined) queue.durable(sequence);
      else queue.fail();
      blocked.durable();
      this.#logMoved();
    });
  }

  accept(wire: Wire, names: Omit<ConnectionNames, 'id'>, login: Login): Connection {
    const connection = new Connection(this.#context, wire, { ...names, id: ++this.#lastId }, login);
    this.#connections.set(connection.id, connection);
    this.#slowClients.came(connection, this.#options.clock.monotonicMs());
    this.#checkLater();
    return connection;
  }

  get all(): Iterable<ClientSession> {
    return this.#connections.values();
  }

  get count(): number {
    return this.#connections.size;
  }

  /** Memory of what has come in and waits. */
  get inputBytes(): number {
    return this.#inputBytes;
  }

  byId(id: number): ClientSession | undefined {
    return this.#connections.get(id);
  }

  get idleTimeoutSeconds(): number {
    return this.#idleTimeoutSeconds;
  }

  set idleTimeoutSeconds(seconds: number) {
    this.#idleTimeoutSeconds = seconds;
    this.#checkLater();
  }

  pause(untilMs: number, what: 'writes' | 'all'): void {
    this.#pausedUntilMs = untilMs;
    this.#pausesAll = what === 'all';
    this.#pauseTimer?.cancel();
    const leftMs = untilMs - this.#options.clock.nowMs();
    if (leftMs <= 0) this.#endPause();
    else this.#pauseTimer = this.#options.clock.setTimer(leftMs, () => this.#endPause());
  }

  /** Takes no more commands; what was begun is answered, and each connection closed when its replies are out. */
  stop(): void {
    this.#endPause();
    for (const connection of this.#connections.values()) connection.stop();
  }

  /** Closes all at once. */
  destroy(): void {
    for (const connection of this.#connections.values()) connection.close();
    this.#checkTimer?.cancel();
    this.#pauseTimer?.cancel();
    this.#stopListening();
  }

  #isPausing(row: TableRow): boolean {
    if (this.#pausedUntilMs === 0 || row.group === 'connection' || row.group === 'server') return false;
    if (!this.#pausesAll && !mayWrite(row) && row.name !== 'exec' && !row.flags.includes('may_replicate'))
      return false;
    return true;
  }

  #isPaused(row: TableRow, run: () => void): boolean {
    if (!this.#isPausing(row)) return false;
    this.#waitingForPause.push(run);
    return true;
  }

  #endPause(): void {
    this.#pausedUntilMs = 0;
    this.#pauseTimer?.cancel();
    this.#pauseTimer = undefined;
    for (const run of this.#waitingForPause.splice(0)) this.#context.turn.later(run);
  }

  #logMoved(): void {
    if (this.#waitingForLog.length === 0) return;
    const waiting = this.#waitingForLog;
    this.#waitingForLog = [];
    for (const run of waiting) this.#context.turn.later(run);
  }

  #chargeInput(bytes: number): boolean {
    if (bytes > 0 && this.#inputBytes + bytes > serverFixed.redisInputBytesMax) return false;
    this.#inputBytes += bytes;
    this.#checkLater();
    return true;
  }

  #chargeUnread(bytes: number): boolean {
    this.#unreadBytes += bytes;
    this.#checkLater();
    return this.#unreadBytes <= serverFixed.redisUnreadBytesOfAllMax;
  }

  #chargeHeld(bytes: number): boolean {
    if (bytes > 0 && this.#heldBytes + bytes > serverFixed.redisHeldBytesMax) return false;
    this.#heldBytes += bytes;
    return true;
  }

  #checkLater(): void {
    if (this.#checkTimer !== undefined) return;
    const isNeeded =
      this.#unreadBytes > 0 ||
      this.#inputBytes > 0 ||
      this.#slowClients.hasStrangers ||
      (this.#idleTimeoutSeconds > 0 && this.#connections.size > 0);
    if (!isNeeded) return;
    const { clock } = this.#options;
    this.#checkTimer = clock.setTimer(serverFixed.redisClientCheckMs, () => {
      this.#checkTimer = undefined;
      const nowMs = clock.monotonicMs();
      for (const connection of this.#connections.values()) {
        connection.checkUnread(nowMs);
        if (this.#idleTimeoutSeconds > 0)
          connection.checkIdle(clock.nowMs() - this.#idleTimeoutSeconds * MS_PER_SECOND);
        this.#slowClients.check(connection, nowMs);
      }
      this.#checkLater();
    });
  }
}

const MS_PER_SECOND = 1000;
