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
import { serverFixed } from '../../limits.ts';
import type { Call, Peer } from '../calls/calls.ts';
import { escapeUnprintable } from '../logging/printable.ts';
import { RareLines } from '../logging/rare-lines.ts';

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
export type Caller = Pick<Call, 'login' | 'peer'>;

export interface AccessAudit {
  /** @param method of `AccessService`. */
  accessChanged(caller: Caller, method: string, names: ChangedNames): void;
  /** A call for operators is allowed, and begins. @param method as `AdminService/Snapshot`. */
  adminCalled(caller: Caller, method: string): void;
}

export class Audit implements AccessAudit {
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
    if (caller.login.userName === '') this.#rare.tell(keyOf(fields), fields, message);
    else this.#logger.info(fields, message);
  }
}

interface CallerFields {
  readonly user?: string;
  readonly peer?: string;
}

function callerFields({ login: { userName }, peer }: Caller): CallerFields {
  return { ...(userName !== '' && { user: escapeUnprintable(userName) }), ...peerFields(peer) };
}

function peerFields(peer: Peer | undefined): Pick<CallerFields, 'peer'> {
  const address = peer?.remoteAddress ?? '';
  return address === '' ? {} : { peer: address };
}

function keyOf(fields: { readonly event: string; readonly method: string } & CallerFields): string {
  return JSON.stringify([fields.event, fields.method, fields.user, fields.peer]);
}
