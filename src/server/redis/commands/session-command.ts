/**
 * Commands about the connection or the server, beside those of the families: they know the session that they came by, and no view.
 * Their rows stand in the same table.
 */
import type { Caller } from '../../access/audit.ts';
import type { DeniedContext, DeniedError } from '../replies/errors.ts';
import type { Arguments, CommandCall, CommandFacts, Reply, Session } from './command.ts';
import type { SessionTracking } from './session-tracking.ts';

/**
 * Runs in the connection's turn, in its order. What it returns is waited for before the connection's next command runs; its reply
 * may be written until then.
 */
export type SessionHandler = (session: ClientSession, call: CommandCall) => void | Promise<void>;

/** User, '' for `AUTH password`, and password. */
export type Shown = readonly [userName: string, password: string];

export type SessionCommand = CommandFacts & {
  readonly session: SessionHandler;
  /** The handler returns a promise: its words and its reply are its own until that is settled. It can't be part of a transaction. */
  readonly isLong?: boolean | ((args: Arguments) => boolean);
  /** The credentials that a call shows: within a transaction they are checked as it is queued, since EXEC can't wait for that. */
  readonly shows?: (args: Arguments) => Shown | undefined;
};

/** Whether a call is a long one. */
export function takesTime({ isLong = false }: SessionCommand, args: Arguments): boolean {
  return typeof isLong === 'function' ? isLong(args) : isLong;
}

/** One connection, as commands and other connections see it. */
export interface ClientSession extends Session {
  /** Counted from 1; never given out twice by one process. */
  readonly id: number;
  /** CLIENT SETNAME; '' without. */
  name: string;
  /** Who is at the other end, `HOST:PORT`, or the path of the socket and `:0`. */
  readonly address: string;
  /** The name and the certificate of a client that another node of the cluster has at the other end. Throws, or rejects, unless it is one. */
  passedOnFor(address: string, certificate: string | undefined): Promise<void>;
  /** Where it came in, in the same form. */
  readonly localAddress: string;
  /** What SELECT sets. */
  database: number;
  isInTransaction: boolean;
  /** HELLO: from the reply of this command on. */
  protocolVersion: 2 | 3;
  /** Whether it may run commands at all. */
  readonly isLoggedIn: boolean;
  /** Whether its user may, now. */
  readonly mayReadAllKeys: boolean;
  /** The user that it is logged in as, or `default`. */
  readonly userName: string;
  /** For the lines of what concerns access. */
  readonly caller: Caller;
  /** A call of its user was not allowed. @param command its name. */
  denied(command: string, error: DeniedError, context: DeniedContext): void;
  /** CLIENT REPLY: what is done with replies. `skip` ends behind the next command. */
  replyMode: 'on' | 'off' | 'skip';
  /** CLIENT NO-EVICT, NO-TOUCH; told by CLIENT LIST. */
  readonly options: Set<ClientOption>;
  /** CLIENT SETINFO. */
  libraryName: string;
  libraryVersion: string;
  /** What pub/sub keeps of it; while one is above 0, RESP2 takes few commands. */
  readonly subscriptionCounts: SubscriptionCounts;
  /** CLIENT TRACKING; `undefined`: it is off. */
  tracking: SessionTracking | undefined;
  /** What it is shown from now on has all that is committed by now. */
  seesCommitted(): void;
  /** Whether its server is a node of a cluster. */
  readonly isInCluster: boolean;
  /** What READONLY sets. */
  isReadOnly: boolean;
  /** What HELLO tells of the server. */
  readonly serverRole: 'master' | 'replica';
  /** MONITOR: is sent what others run. */
  isMonitor: boolean;

  readonly figures: SessionFigures;
  /** Commands queued by MULTI; -1 outside of it. */
  readonly queuedCount: number;
  readonly watchedCount: number;
  /** Whether it waits in a command that blocks. */
  readonly isBlocked: boolean;

  /** Sends what is no reply: a message of pub/sub, a line of MONITOR. It goes behind all replies that have been written. */
  push(bytes: Uint8Array): void;
  /** Closes it: at once, or behind the reply to the command that runs now. */
  kill(when: 'now' | 'afterReply'): void;
  /** Ends its wait. @returns whether it waited. @param withError CLIENT UNBLOCK ... ERROR. */
  unblock(withError: boolean): boolean;
  /** Runs once, as it is closed. */
  onClose(run: () => void): void;
  /** AUTH. Rejects, or throws, with what is wrong; then the session is as it was. @param userName '' for `AUTH password`. */
  logIn(userName: string, password: string): void | Promise<void>;
  /** MULTI, DISCARD, EXEC, WATCH, UNWATCH. */
  readonly transaction: TransactionControl;
  /** As RESET does: no MULTI, no WATCH, no tracking, database 0, RESP2, no name, the user that it began as. */
  reset(): void;
}

/** What a session can do about its transaction; each throws a `ReplyError` where Redis gives an error. */
export interface TransactionControl {
  begin(): void;
  discard(): void;
  /** Writes the replies. */
  execute(reply: Reply): void;
  /** @param keys as the engine has them. */
  watch(keys: readonly Uint8Array[]): void;
  unwatch(): void;
}

export type ClientOption = 'noEvict' | 'noTouch';

export interface SubscriptionCounts {
  channels: number;
  patterns: number;
  shardChannels: number;
}

export interface SessionFigures {
  /** By the wall clock. */
  readonly connectedAtMs: number;
  readonly lastCommandAtMs: number;
  /** `config|get`; '' before the first. */
  readonly lastCommand: string;
  /** What is read and not yet a whole command. */
  readonly queryBytes: number;
  /** What is written and not sent. */
  readonly outputBytes: number;
}

/** All connections of the door, and what can be done to them together. */
export interface ClientSessions {
  readonly all: Iterable<ClientSession>;
  readonly count: number;
  byId(id: number): ClientSession | undefined;
  /** `timeout` of CONFIG: who sends nothing for so long is closed, unless it waits for a key or for messages; 0: never. */
  idleTimeoutSeconds: number;
  /** CLIENT PAUSE: commands that write, or all, wait until then, by the wall clock; 0 ends it. */
  pause(untilMs: number, what: 'writes' | 'all'): void;
}
