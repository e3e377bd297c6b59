/**
 * `SessionState`: where a connection stands, as its parts see it. They share these fields, and nothing else of each other but what is
 * public.
 *
 * What stays true: once closed it stays closed, and nothing more runs or goes out; while it is busy no other command begins, and what
 * made it busy has `goOn` called when that is over.
 */
import type { Login } from '../../../../access/login/login.ts';
import type { RunningCall } from '../../commands/running-call.ts';
import type { ClientSession, Shown } from '../../commands/session-command.ts';
import type { TableRow } from '../../commands/table.ts';
import type { PlacedArguments } from '../../protocol/placed-arguments.ts';
import type { CommandPace } from '../command-pace.ts';
import type { ConnectionContext, Wire } from '../connection-context.ts';

export interface SessionState extends ClientSession {
  readonly context: ConnectionContext;
  readonly wire: Wire;
  /** Whose credentials and address count: the wire, or the client that another node passes on. */
  readonly peer: object;
  /** The call that runs: one object for all that end in their turn. */
  readonly call: RunningCall;
  /** Where it is limited what a user may do in a second. */
  readonly pace: CommandPace | undefined;
  login: Login;
  /** To the writer, when the connection is passed on: then it is busy to its end. */
  readonly relay: Passing | undefined;
  /** A command goes on by itself, or waits: no other one begins. */
  isBusy: boolean;
  /** Commands run, and their replies are gathered. */
  readonly isRunning: boolean;
  /** The last reply is written. */
  isClosing: boolean;
  readonly isClosed: boolean;
  /** Goes on with what waits. */
  readonly goOn: () => void;

  /** The login of what a command shows, which is none of the session yet. Throws, or rejects, with what is wrong with it. */
  checkLogin(command: string, shown: Shown): Login | Promise<Login>;
  /** A call has come to its end in a later turn than its first. */
  endedLater(row: TableRow, args: PlacedArguments, moreMs: number): void;
  /** At once, with what waits. */
  close(): void;
}

/** What passes a connection on. */
export interface Passing {
  /** Whether nothing more is to be read of the client. */
  readonly isFull: boolean;
}

/** A command that waits for a key. */
export interface Wait {
  /** CLIENT UNBLOCK. */
  unblock(withError: boolean): void;
  /** The connection is closed. */
  close(): void;
}
