/**
 * Whose a request is, for all doors of a server: by the header `authorization`, else by the certificate of its connection; a
 * request without either is anonymous, which may do everything while access is open, and then nothing.
 *
 * What is found is good as long as access does not change, and is kept with the head that a connection knows again (`LoginMemo`):
 * a call with the same credentials as the one before costs a comparison.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Access } from '../../access/access.ts';
import type { AccessTable } from '../../access/access-table.ts';
import type { Credentials } from '../../access/login/authenticator.ts';
import type { Login } from '../../access/login/login.ts';
import { type LoginRefusal, RefusedLogin } from '../../access/login/refused-login.ts';
import { checkAdmin, checkUser } from '../../access/checks.ts';
import { isStoreError } from '../../errors.ts';
import { type RequestHead, fieldOf } from '../../http2/contract/fields.ts';
import { recoveringError } from '../calls/call-error.ts';
import type { Peer, ShownCredentials } from '../calls/call.ts';
import type { Dialect } from '../calls/dialect.ts';
import { networkOfPeer } from '../limits/address-limit.ts';
import { credentialsIn } from './credentials.ts';
import { forwardedClient } from './forwarded-client.ts';

/** What is kept of a login where the same credentials come again. */
export interface LoginMemo {
  login: Login | undefined;
  /** Of access, by which it was found: a store that is opened again has another one. */
  table: AccessTable | undefined;
  /** Of that table, as it was then. */
  generation: number;
}

export type LoginKind = Credentials['kind'] | 'none';
export type LoginOutcome = 'accepted' | 'refused' | 'busy';

/** Who was let in, and who was not. */
export interface LoginObserver {
  loginAccepted(kind: LoginKind): void;
  loginRefused(refused: RefusedAttempt, connection: Peer): void;
}

/** What is told of a login that was refused. */
export interface RefusedAttempt {
  /** `none`: no credentials were shown, or what was shown is in no form of them. */
  readonly kind: LoginKind;
  /** Which user it was said to be; empty: that is not known. It may be anything that a client sends. */
  readonly userName: string;
  readonly reason: LoginRefusal | 'noCredentials' | 'malformed' | 'busy';
}

/** A token by which another node of the cluster has shown what it is. */
interface NodeMemo {
  readonly token: string;
  readonly login: Login;
  readonly table: AccessTable;
  readonly generation: number;
}

/** The credentials that a connection has by itself: its client's certificate. */
export type CredentialsOfConnection = (connection: Peer) => Credentials | undefined;

export class Logins {
  readonly #access: () => Access | undefined;
  readonly #ofConnection: CredentialsOfConnection;
  readonly #observer: LoginObserver;
  #node: NodeMemo | undefined;

  /** @param access `undefined` until the store is open. */
  constructor(
    access: () => Access | undefined,
    ofConnection: CredentialsOfConnection,
    observer: LoginObserver,
  ) {
    this.#access = access;
    this.#ofConnection = ofConnection;
    this.#observer = observer;
  }

  /**
   * @returns the login at once, unless a password has to be checked. Throws, or rejects, with `unauthenticated` and `limitReached`;
   * what it returns may throw `unauthenticated` when it is asked, too.
   */
  of(authorization: string | undefined, connection: Peer): Login | Promise<Login> {
    const { logins } = this.#opened();
    const credentials =
      authorization === undefined ? this.#ofConnection(connection) : this.#read(authorization, connection);
    return credentials === undefined ? logins.anonymous : this.show(credentials, connection);
  }

  /** What a connection has by itself, before it shows anything: its certificate's login, or the anonymous one. */
  ofConnection(connection: Peer): Login | Promise<Login> {
    return this.of(undefined, connection);
  }

  /** What a client has shown, for a node of a cluster that passes its call on. */
  shownBy(authorization: string | undefined, connection: Peer): ShownCredentials {
    const isByConnection =
      authorization === undefined &&
      this.#opened().table.isClosed &&
      this.#ofConnection(connection) !== undefined;
    return { authorization, isByConnection };
  }

  /**
   * The client of a call that another node of the cluster has passed on; `undefined`: it comes from its client itself, or it is not known
   * whether a node says so.
   * @param field gives a header of the request.
   */
  passedOnFor(field: (name: string) => string | undefined, connection: Peer): Peer | undefined {
    return forwardedClient(field, (token) => this.#isNode(token, connection));
  }

  /** Whether access is open, and there is no user of a name. */
  isOpenTo(userName: string): boolean {
    return this.#opened().logins.isOpenTo(userName);
  }

  /** Whether a text that came in the place of a password is the secret of a token. */
  isToken(secret: string): boolean {
    return this.#opened().logins.isToken(secret);
  }

  /** As `of`, for credentials that came in a form of their own. */
  show(credentials: Credentials, connection: Peer): Login | Promise<Login> {
    const { logins } = this.#opened();
    try {
      const network = networkOfPeer(connection.remoteAddress);
      const login = logins.login(credentials, { connection, network });
      if (login instanceof Promise) return this.#answered(login, credentials, connection);
      this.#observer.loginAccepted(credentials.kind);
      return login;
    } catch (error) {
      this.#tellRefused(error, credentials, connection);
      throw error;
    }
  }

  /** What only those may do who have shown who they are, unless access is open. Throws `unauthenticated`. */
  check(login: Login, connection: Peer): void {
    try {
      checkUser(login);
    } catch (error) {
      const { userName } = login;
      const reason = userName === '' ? 'noCredentials' : 'over';
      this.#observer.loginRefused({ kind: 'none', userName, reason }, connection);
      throw error;
    }
  }

  /** As `of` and `check`, for a head that comes again: what was found for it is good until access changes, or it is over by itself. */
  ofHead(
    memo: LoginMemo,
    { fields }: RequestHead,
    connection: Peer,
    dialect?: Dialect,
  ): Login | Promise<Login> {
    const { table } = this.#opened();
    const { generation } = table;
    const known = memo.login;
    const isOfNow = memo.table === table && memo.generation === generation;
    if (known !== undefined && isOfNow && !this.#isTooLateFor(known)) {
      if (known.expireTimeMs !== 0) this.check(known, connection);
      return known;
    }
    const field = (name: string): string | undefined => fieldOf(fields, name);
    const authorization = dialect === undefined ? field('authorization') : dialect.authorizationIn(field);
    const login = this.of(authorization, connection);
    if (login instanceof Promise) return login;
    this.check(login, connection);
    memo.login = login;
    memo.table = table;
    memo.generation = generation;
    return login;
  }

  /** Nodes may do everything, and show so. While access is open none can, since there is nothing that others could not show as well. */
  #isNode(token: string, connection: Peer): boolean {
    const { table } = this.#opened();
    if (!table.isClosed) return false;
    const { generation } = table;
    try {
      const known = this.#node;
      const isKnown =
        known?.table === table && known.generation === generation && isSameSecret(known.token, token);
      const login = isKnown ? known.login : this.show({ kind: 'token', secret: token }, connection);
      if (login instanceof Promise) return false;
      checkAdmin(login);
      if (!isKnown) this.#node = { token, login, table, generation };
      return true;
    } catch {
      return false;
    }
  }

  /** What it was found by is not to be shown any more: it is looked at again, and refused. */
  #isTooLateFor({ shownUntilMs }: Login): boolean {
    return shownUntilMs !== undefined && this.#opened().clock.nowMs() >= shownUntilMs;
  }

  #read(authorization: string, connection: Peer): Credentials {
    try {
      return credentialsIn(authorization);
    } catch (error) {
      this.#observer.loginRefused({ kind: 'none', userName: '', reason: 'malformed' }, connection);
      throw error;
    }
  }

  async #answered(login: Promise<Login>, credentials: Credentials, connection: Peer): Promise<Login> {
    try {
      const found = await login;
      this.#observer.loginAccepted(credentials.kind);
      return found;
    } catch (error) {
      this.#tellRefused(error, credentials, connection);
      throw error;
    }
  }

  #tellRefused(error: unknown, credentials: Credentials, connection: Peer): void {
    const { kind } = credentials;
    const userName = kind === 'password' ? credentials.userName : '';
    if (error instanceof RefusedLogin) {
      this.#observer.loginRefused({ kind, userName, reason: error.reason }, connection);
    } else if (isStoreError(error, 'limitReached')) {
      this.#observer.loginRefused({ kind, userName, reason: 'busy' }, connection);
    }
  }

  #opened(): Access {
    const access = this.#access();
    if (access === undefined) throw recoveringError();
    return access;
  }
}

function isSameSecret(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
