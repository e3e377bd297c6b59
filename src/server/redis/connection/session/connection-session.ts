/**
 * `ConnectionSession`: a connection as commands, other connections and its own parts see it: who it is, who has logged in, where it
 * stands, and what commands about the session change.
 *
 * Its parts: `Outlet` (what goes out), `TransactionSession` (MULTI and WATCH), `WaitingCall` (a command that waits for a key), and
 * `Dispatch` with `runLong` (a call from its row to its reply). What stays true of what they share stands at `SessionState`.
 * `Connection` adds what comes in and the loop that runs it.
 */
import type { Login } from '../../../../access/login/login.ts';
import { ALL_KEYS, type Rights } from '../../../../access/rights/rights.ts';
import type { Caller } from '../../../access/audit.ts';
import { clientOf } from '../../../access/forwarded-client.ts';
import { RunningCall } from '../../commands/running-call.ts';
import type {
  ClientOption,
  SessionFigures,
  Shown,
  SubscriptionCounts,
} from '../../commands/session-command.ts';
import type { SessionTracking } from '../../commands/session-tracking.ts';
import type { TableRow } from '../../commands/table.ts';
import type { PlacedArguments } from '../../protocol/placed-arguments.ts';
import { CommandPace } from '../command-pace.ts';
import type { ConnectionContext, Wire } from '../connection-context.ts';
import { type DeniedContext, type DeniedError, isLoginRefusal, notANode } from '../../replies/errors.ts';
import { RequestParser } from '../request-parser.ts';
import type { SlowClient } from '../slow-clients.ts';
import { Outlet } from './outlet.ts';
import type { Relay } from './relay.ts';
import type { SessionState, Wait } from './session-state.ts';
import { TransactionSession } from './transaction-session.ts';

export interface ConnectionNames {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
}

export abstract class ConnectionSession implements SessionState, SlowClient {
  readonly id: number;
  address: string;
  readonly localAddress: string;
  name = '';
  database = 0;
  replyMode: 'on' | 'off' | 'skip' = 'on';
  readonly options = new Set<ClientOption>();
  libraryName = '';
  libraryVersion = '';
  readonly subscriptionCounts: SubscriptionCounts = { channels: 0, patterns: 0, shardChannels: 0 };
  tracking: SessionTracking | undefined;
  isMonitor = false;
  /** READONLY: at a follower of a cluster it is served there. */
  isReadOnly = false;
  isInTransaction = false;
  readonly isInScript = false;
  readonly context: ConnectionContext;
  readonly wire: Wire;
  peer: object;
  readonly parser: RequestParser;
  readonly call: RunningCall;
  readonly pace: CommandPace | undefined;
  readonly outlet: Outlet;
  readonly transaction: TransactionSession;
  /** The command that waits for a key. */
  waiting: Wait | undefined;
  /** The command that takes its time. */
  longCall: RunningCall | undefined;
  /** Of the protocol. */
  version: 2 | 3 = 2;
  login: Login;
  /** What it has logged in with, as it may have to be shown to the writer of a cluster. */
  shown: Shown | undefined;
  relay: Relay | undefined;
  lastCommandAtMs: number;
  lastCommand = '';
  /** That the command which runs has taken so far. */
  spentMs = 0;
  isBusy = false;
  isRunning = false;
  isClosing = false;
  isClosed = false;
  #firstLogin: Login;
  readonly #connectedAtMs: number;
  readonly #onClose: (() => void)[] = [];

  constructor(context: ConnectionContext, wire: Wire, names: ConnectionNames, login: Login) {
    this.context = context;
    this.wire = this.peer = wire;
    this.id = names.id;
    this.address = names.address;
    this.localAddress = names.localAddress;
    this.login = this.#firstLogin = login;
    this.#connectedAtMs = this.lastCommandAtMs = context.clock.nowMs();
    this.parser = new RequestParser({
      wordBytesMax: context.wordBytesMax,
      charge: (bytes) => context.chargeInput(bytes),
    });
    this.call = new RunningCall(context.args, context.reply, this, context.cursors);
    this.pace = context.rates && new CommandPace(context.rates, wire, context.turn);
    this.outlet = new Outlet(this);
    this.transaction = new TransactionSession(this, this.outlet);
  }

  abstract readonly goOn: () => void;

  /** What comes in goes to the writer from now on. */
  abstract relayTo(relay: Relay): void;

  /** The socket is closed, by whichever side. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.parser.close();
    this.pace?.close();
    this.transaction.close();
    this.waiting?.close();
    this.outlet.close();
    this.tracking?.end();
    this.relay?.close();
    for (const run of this.#onClose) run();
    this.context.closed(this);
    this.wire.destroy();
  }

  push(bytes: Uint8Array): void {
    this.outlet.push(bytes);
  }

  seesCommitted(): void {
    this.outlet.dependsOn(this.context.seam.committedSequence);
  }

  unblock(withError: boolean): boolean {
    const { waiting } = this;
    waiting?.unblock(withError);
    return waiting !== undefined;
  }

  endedLater(row: TableRow, args: PlacedArguments, moreMs: number): void {
    this.context.hooks.ended?.(this, row, args, this.spentMs + moreMs);
  }

  rights(): Rights | undefined {
    try {
      return this.login.rights;
    } catch {
      return undefined;
    }
  }

  get isSubscribed(): boolean {
    const { channels, patterns, shardChannels } = this.subscriptionCounts;
    return channels + patterns + shardChannels > 0;
  }

  get protocolVersion(): 2 | 3 {
    return this.version;
  }

  set protocolVersion(version: 2 | 3) {
    this.version = version;
    this.call.reply.version = version;
    if (this.longCall !== undefined) this.longCall.reply.version = version;
  }

  get isLoggedIn(): boolean {
    return this.rights() !== undefined;
  }

  get mayReadAllKeys(): boolean {
    return this.rights()?.read === ALL_KEYS;
  }

  get userName(): string {
    return this.login.userName === '' ? 'default' : this.login.userName;
  }

  logIn(userName: string, password: string): void | Promise<void> {
    if (this.transaction.shown !== undefined && this.isInTransaction) {
      this.#loggedIn(this.transaction.shown(), [userName, password]);
      return undefined;
    }
    const login = this.checkLogin(this.lastCommand, [userName, password]);
    if (!(login instanceof Promise)) {
      this.#loggedIn(login, [userName, password]);
      return undefined;
    }
    return login.then((found) => this.#loggedIn(found, [userName, password]));
  }

  checkLogin(command: string, [userName, password]: Shown): Login | Promise<Login> {
    const refused = (error: unknown): never => {
      if (isLoginRefusal(error)) this.context.hooks.loginRefused?.(this, userName, command);
      throw error;
    };
    try {
      const login = this.context.logins.logIn(this.peer, userName, password);
      return login instanceof Promise ? login.catch(refused) : login;
    } catch (error) {
      return refused(error);
    }
  }

  get caller(): Caller {
    return { login: this.login, client: this.peer };
  }

  denied(command: string, error: DeniedError, context: DeniedContext): void {
    this.context.logins.denied(this.login, this.peer, command);
    this.context.hooks.denied?.(this, error, context);
  }

  #loggedIn(login: Login, shown: Shown): void {
    this.login = login;
    // A secret is kept only where it is needed again.
    if (this.context.cluster?.isFollower === true) this.shown = shown;
  }

  async passedOnFor(address: string, certificate: string | undefined): Promise<void> {
    // While access is open, a client could say so as well.
    const isNode = this.login.userName !== '' && this.rights()?.isAdmin === true;
    if (!this.isInCluster || !isNode) throw notANode();
    this.address = address;
    this.peer = clientOf(hostOf(address), certificate);
    this.#firstLogin = await this.context.logins.first(this.peer);
    this.login = this.#firstLogin;
  }

  get isInCluster(): boolean {
    return this.context.cluster !== undefined;
  }

  /** Whether it has shown nothing that the writer of a cluster could be shown. */
  get isLoggedInByCertificate(): boolean {
    return this.shown === undefined && this.login.userName !== '';
  }

  get serverRole(): 'master' | 'replica' {
    return this.context.cluster?.isFollower === true ? 'replica' : 'master';
  }

  reset(): void {
    this.transaction.drop();
    this.transaction.unwatch();
    this.tracking?.end();
    this.isMonitor = false;
    this.database = 0;
    this.name = '';
    this.replyMode = 'on';
    this.options.clear();
    this.protocolVersion = 2;
    this.login = this.#firstLogin;
    this.shown = undefined;
    this.isReadOnly = false;
  }

  kill(when: 'now' | 'afterReply'): void {
    if (when === 'now') {
      this.close();
      return;
    }
    this.isClosing = true;
    if (!this.isRunning && !this.isBusy) this.outlet.endWhenSent();
  }

  onClose(run: () => void): void {
    this.#onClose.push(run);
  }

  get figures(): SessionFigures {
    return {
      connectedAtMs: this.#connectedAtMs,
      lastCommandAtMs: this.lastCommandAtMs,
      lastCommand: this.lastCommand,
      queryBytes: this.parser.waitingBytes,
      outputBytes: this.outlet.waitingBytes,
    };
  }

  get queuedCount(): number {
    return this.transaction.queuedCount;
  }

  get watchedCount(): number {
    return this.transaction.watchedCount;
  }

  get commandsBeforePart(): number {
    return this.isBusy || this.outlet.isReadPaused || this.parser.waitingBytes === 0
      ? -1
      : this.parser.commandCount;
  }

  get isBlocked(): boolean {
    return this.waiting !== undefined;
  }
}

/** @param address `HOST:PORT`. */
function hostOf(address: string): string {
  return address.slice(0, Math.max(0, address.lastIndexOf(':'))).replace(/^\[|\]$/g, '');
}
