/**
 * Whose a request is, for all doors of a server: by the header `authorization`, else by the certificate of its connection; a
 * request without either is anonymous, which may do everything while access is open, and then nothing.
 *
 * What is found is good as long as access does not change, and is kept with the head that a connection knows again (`LoginMemo`):
 * a call with the same credentials as the one before costs a comparison.
 */
import type { Access } from '../../access/access.ts';
import type { Credentials } from '../../access/login/authenticator.ts';
import type { Login } from '../../access/login/login.ts';
import { recoveringError } from '../calls/call-error.ts';
import { credentialsIn } from './credentials.ts';

/** What is kept of a login where the same credentials come again. */
export interface LoginMemo {
  login: Login | undefined;
  /** Of the table of access, as it was found. */
  generation: number;
}

/** The credentials that a connection has by itself: its client's certificate. */
export type CredentialsOfConnection = (connection: object) => Credentials | undefined;

export class Logins {
  readonly #access: () => Access | undefined;
  readonly #ofConnection: CredentialsOfConnection;

  /** @param access `undefined` until the store is open. */
  constructor(access: () => Access | undefined, ofConnection: CredentialsOfConnection) {
    this.#access = access;
    this.#ofConnection = ofConnection;
  }

  /**
   * @returns the login at once, unless a password has to be checked. Throws, or rejects, with `unauthenticated` and `limitReached`;
   * what it returns may throw `unauthenticated` when it is asked, too.
   */
  of(authorization: string | undefined, connection: object): Login | Promise<Login> {
    const { logins } = this.#opened();
    const credentials =
      authorization === undefined ? this.#ofConnection(connection) : credentialsIn(authorization);
    return credentials === undefined ? logins.anonymous : logins.login(credentials);
  }

  /** As `of`, for a head that comes again. @param authorization asked for when it is not known. */
  remembered(
    memo: LoginMemo,
    authorization: () => string | undefined,
    connection: object,
  ): Login | Promise<Login> {
    const { generation } = this.#opened().table;
    if (memo.login !== undefined && memo.generation === generation) return memo.login;
    const login = this.of(authorization(), connection);
    if (login instanceof Promise) return login;
    memo.login = login;
    memo.generation = generation;
    return login;
  }

  #opened(): Access {
    const access = this.#access();
    if (access === undefined) throw recoveringError();
    return access;
  }
}
