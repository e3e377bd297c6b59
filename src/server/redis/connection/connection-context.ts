/** What all connections of the Redis door share. */
import type { Login } from '../../../access/login/login.ts';
import type { Clock } from '../../../clock.ts';
import type { RateLimits } from '../../limits/rate-limits.ts';
import type { Seam } from '../../../store/seam.ts';
import type { ClientSession } from '../commands/session-command.ts';
import type { CommandRunner } from '../commands/run-command.ts';
import type { KeyspaceEvent } from '../commands/running-call.ts';
import type { CommandTable, TableRow } from '../commands/table.ts';
import type { ScanCursors } from '../cursors/cursor-ring.ts';
import type { Arguments } from '../commands/command.ts';
import type { ClusterDoor } from '../cluster/cluster-door.ts';
import type { PlacedArguments } from '../protocol/placed-arguments.ts';
import type { ReplyWriter } from '../protocol/reply-writer.ts';
import type { DeniedContext, DeniedError } from '../replies/errors.ts';
import type { BlockedClients } from './blocked-clients.ts';
import type { RowStore } from './rows/call-row.ts';
import type { ElementRow } from './rows/element-row.ts';
import type { ListRow } from './rows/list-row.ts';
import type { PlainRow } from './rows/plain-row.ts';
import type { SlowClient } from './slow-clients.ts';
import type { ReplyQueue } from './reply-queue.ts';
import type { TurnBudget } from './turn-budget.ts';
import type { WatchedKeys } from './watched-keys.ts';

/** What a connection needs of a socket. */
export interface Wire {
  /** @returns false: some of it waits to be taken, and `drained` will be told. */
  write(bytes: Uint8Array): boolean;
  /** What waits to be taken. */
  readonly writableLength: number;
  pause(): unknown;
  resume(): unknown;
  end(): unknown;
  destroy(): unknown;
}

/** The store, with the clock read once for commands that come together. */
export interface RedisStore extends Seam, RowStore {
  atOneInstant(run: () => void): void;
}

/** Who looks at what runs: MONITOR, SLOWLOG, keyspace events, the meters. Left out where none is wanted, since each costs every command. */
export interface CommandHooks {
  /** Once for each call, when it has run, be it that it goes on in other turns. */
  ran: ((session: ClientSession, row: TableRow, args: Arguments) => void) | undefined;
  /** When it has come to its end, with the time that its turns took: for a key it may have waited longer. */
  ended: ((session: ClientSession, row: TableRow, args: Arguments, durationMs: number) => void) | undefined;
  /** After calls of one command have run together, with the time of all. */
  afterRow?: ((row: TableRow, count: number, durationMs: number) => void) | undefined;
  /** Whether each call is to be told of by itself. */
  wantsEach?: (() => boolean) | undefined;
  /** For what commands of a transaction do besides its changes, which must not be when these are not. */
  transactions?: { begins(): void; failed(): void } | undefined;
  /** A call was not allowed. */
  denied?: ((session: ClientSession, error: DeniedError, context: DeniedContext) => void) | undefined;
  /** Credentials that a command has shown were refused. @param userName as the client says; '' for `AUTH password`. */
  loginRefused?: ((session: ClientSession, userName: string, command: string) => void) | undefined;
  /** Events of keys, which may be told once the sequence is durable. `hasChanged`: the decision has this sequence itself. */
  events: ((events: readonly KeyspaceEvent[], sequence: number, hasChanged: boolean) => void) | undefined;
}

/** Counts commands, for the metrics. */
export interface CommandMeter {
  ran(name: string, count?: number): void;
}

export interface LoginGate {
  /** While nothing was shown: the certificate's, or the anonymous one. */
  first(wire: object): Login | Promise<Login>;
  /** Rejects or throws with what is wrong. */
  logIn(wire: object, userName: string, password: string): Login | Promise<Login>;
  /** A call was not allowed. */
  denied(login: Login, wire: object, name: string): void;
}

export interface ConnectionContext {
  /** `undefined`: the store is alone. */
  readonly cluster: ClusterDoor | undefined;
  readonly seam: RedisStore;
  readonly clock: Clock;
  readonly table: CommandTable;
  readonly runner: CommandRunner;
  readonly args: PlacedArguments;
  /** Empty between two connections' turns. */
  reply: ReplyWriter;
  /** What blocked clients are served with. */
  readonly servedReply: ReplyWriter;
  readonly plainRow: PlainRow;
  readonly listRow: ListRow;
  readonly elementRow: ElementRow;
  readonly cursors: ScanCursors;
  readonly queue: ReplyQueue;
  readonly watched: WatchedKeys;
  readonly blocked: BlockedClients;
  readonly turn: TurnBudget;
  readonly hooks: CommandHooks;
  readonly meter: CommandMeter;
  readonly logins: LoginGate;
  readonly wordBytesMax: number;
  /** Where what users may do in a second is limited. */
  readonly rates: RateLimits | undefined;
  /** Memory of what has come in and waits. @returns false: there is no room. */
  readonly chargeInput: (bytes: number) => boolean;
  /** Bytes of replies that clients have not taken. @returns false: there is no room. */
  readonly chargeUnread: (bytes: number) => boolean;
  /** Memory of what long replies have gathered. @returns false: there is no room. */
  readonly chargeHeld: (bytes: number) => boolean;
  /** The log has no room: the connection goes on when it has. */
  whenLogHasRoom(run: () => void): void;
  /** CLIENT PAUSE: whether a command would have to wait. */
  isPausing(row: TableRow): boolean;
  /** CLIENT PAUSE. @returns whether a command waits; then `run` is called when that is over. */
  isPaused(row: TableRow, run: () => void): boolean;
  closed(connection: ClientSession & SlowClient): void;
}
