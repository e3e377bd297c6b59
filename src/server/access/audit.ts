/**
 * Who did what, as lines of the log: each change of access, each call for operators, logins that were refused, and calls that were
 * denied. `event` names the kind of line and never changes; docs/operations.md has their fields. No line holds a password, a token,
 * a hash, a key or a value.
 *
 * What a client without rights may bring about as often as it likes (a refusal, and anything while access is open) is told once for
 * each that does it and for each thing, and not more often than the log can bear: `rare-lines.ts`.
 */
import type { Logger } from 'pino';
import { systemClock } from '../../clock.ts';
import { fixed, serverFixed } from '../../limits.ts';
import type { Call, Peer } from '../calls/call.ts';
import { escapeUnprintable } from '../logging/printable.ts';
import { RareLines } from '../logging/rare-lines.ts';
import type { LoginKind, LoginObserver, LoginOutcome, RefusedAttempt } from './logins.ts';

/** What a change was of: names alone. */
export interface ChangedNames {
  /** Of the user, role or token that was changed. */
  readonly name: string;
  /** The role that was given or taken. */
  readonly role?: string;
  /** Of a user that was made. */
  readonly roles?: readonly string[];
  /** The user whose token it is. */
  readonly for?: string;
  /** That was granted. */
  readonly permission?: string;
}

/** A call, as far as it says who made it. */
export type Caller = Pick<Call, 'login' | 'client'>;

export interface AccessAudit {
  /** @param method of `AccessService`. */
  accessChanged(caller: Caller, method: string, names: ChangedNames): void;
  /** A call for operators is allowed, and begins. @param method as `AdminService/Snapshot`. */
  adminCalled(caller: Caller, method: string): void;
}

type LoginCounts = Record<LoginKind, Record<LoginOutcome, number>>;

export class Audit implements AccessAudit, LoginObserver {
  /** Credentials that were looked at, since the start. */
  readonly loginCounts: LoginCounts = {
    password: noLogins(),
    token: noLogins(),
    certificate: noLogins(),
    none: noLogins(),
  };
  /** Calls, and operations of batches, that asked for more than they are allowed. */
  deniedCount = 0;
  readonly #logger: Logger;
  /** What clients without rights bring about. */
  readonly #rare: RareLines;

  constructor(logger: Logger, nowMs = (): number => systemClock.monotonicMs()) {
    this.#logger = logger;
    const { auditWindowMs: windowMs, auditRareLinesMax: linesMax } = serverFixed;
    this.#rare = new RareLines(logger, { windowMs, linesMax }, nowMs);
  }

  accessChanged(
    caller: Caller,
    method: string,
    { role, roles, for: owner, permission, name }: ChangedNames,
  ): void {
    const fields = {
      event: 'access.changed',
      method,
      ...callerFields(caller),
      name: escapeUnprintable(name),
      ...(role !== undefined && { role: escapeUnprintable(role) }),
      ...(roles !== undefined && { roles: roles.map(escapeUnprintable) }),
      ...(owner !== undefined && { for: escapeUnprintable(owner) }),
      ...(permission !== undefined && { permission }),
    };
    this.#logger.info(fields, 'access was changed');
  }

  adminCalled(caller: Caller, method: string): void {
    const fields = { event: 'admin.called', method, ...callerFields(caller) };
    const message = 'a call for operators';
    if (caller.login.userName === '') this.#tellRarely(fields, message);
    else this.#logger.info(fields, message);
  }

  loginAccepted(kind: LoginKind): void {
    this.loginCounts[kind].accepted++;
  }

  loginRefused({ kind, userName, reason }: RefusedAttempt, connection: Peer): void {
    this.loginCounts[kind][reason === 'busy' ? 'busy' : 'refused']++;
    this.#tellRarely(
      { event: 'login.refused', kind, reason, ...userFields(userName), ...peerFields(connection) },
      'a login was refused',
    );
  }

  /** @param name of what it asked for: a method, or an operation of REST. */
  callDenied(caller: Caller, name: string): void {
    this.deniedCount++;
    this.#tellRarely({ event: 'call.denied', method: name, ...callerFields(caller) }, 'a call was denied');
  }

  #tellRarely(fields: Readonly<Record<string, string>> & { readonly event: string }, message: string): void {
    this.#rare.tell(Object.values(fields).join('\n'), fields, message);
  }
}

function noLogins(): Record<LoginOutcome, number> {
  return { accepted: 0, refused: 0, busy: 0 };
}

interface CallerFields {
  readonly user?: string;
  readonly peer?: string;
}

function callerFields({ login: { userName }, client }: Caller): CallerFields {
  return { ...userFields(userName), ...peerFields(client) };
}

/** A name may be what a client says it is: anything, and long. */
function userFields(userName: string): Pick<CallerFields, 'user'> {
  if (userName === '') return {};
  const { accessNameCharactersMax } = fixed;
  const isLong = userName.length > accessNameCharactersMax;
  const text = isLong ? `${userName.slice(0, accessNameCharactersMax)}...` : userName;
  return { user: escapeUnprintable(text.toWellFormed()) };
}

function peerFields(peer: Peer | undefined): Pick<CallerFields, 'peer'> {
  const address = peer?.remoteAddress ?? '';
  return address === '' ? {} : { peer: address };
}
