/** Logins of the Redis door on the users of the store: by user and password, or by a token in the place of the password. */
import { type Login } from '../../access/login/login.ts';
import { isStoreError } from '../../errors.ts';
import type { Audit } from '../access/audit.ts';
import type { Logins } from '../access/logins.ts';
import type { Peer } from '../calls/call.ts';
import type { LoginGate } from './connection/connection-context.ts';
import { noPasswordConfigured, type ReplyError, wrongPassword, wrongSecret } from './replies/errors.ts';

/**
 * The user of `AUTH password`, as in Redis. There is one only if an operator has made it: a password alone is never tried for any other
 * user, so that it can't be guessed for all of them at once, and root is never reached without its name.
 */
const DEFAULT_USER = 'default';

export class RedisLogins implements LoginGate {
  readonly #logins: Logins;
  readonly #audit: Audit;

  constructor(logins: Logins, audit: Audit) {
    this.#logins = logins;
    this.#audit = audit;
  }

  first(wire: Peer): Login | Promise<Login> {
    return this.#logins.ofConnection(wire);
  }

  async logIn(wire: Peer, userName: string, password: string): Promise<Login> {
    const refused = (): ReplyError => (userName === '' ? wrongSecret(DEFAULT_USER) : wrongPassword());
    try {
      const isToken = this.#logins.isToken(password);
      // As Redis without passwords: its default user takes any.
      if (!isToken && this.#logins.isOpenTo(DEFAULT_USER)) {
        if (userName === '') throw noPasswordConfigured();
        if (userName === DEFAULT_USER) return await this.#logins.ofConnection(wire);
      }
      // Bytes that are no UTF-8, which others would be taken for.
      if (!userName.isWellFormed() || !password.isWellFormed()) throw refused();
      const login = await this.#logins.show(
        isToken
          ? { kind: 'token', secret: password }
          : { kind: 'password', userName: userName === '' ? DEFAULT_USER : userName, password },
        wire,
      );
      if (isToken && userName !== '' && login.userName !== userName) throw wrongPassword();
      return login;
    } catch (error) {
      if (!isStoreError(error, 'unauthenticated')) throw error;
      throw refused();
    }
  }

  denied(login: Login, wire: Peer, name: string): void {
    this.#audit.callDenied({ login, client: wire }, `redis/${name}`);
  }
}
