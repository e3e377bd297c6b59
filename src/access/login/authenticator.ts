/**
 * From credentials to a login. All wrong ones get the same answer after the same work, whether there is such a user or not.
 *
 * A password costs a thread of the pool (`passwords.ts`), which a client that sends it with each request does not pay again: what was
 * verified is remembered by a hash, for as long as the user's record is the one that it was verified by. A token is looked up by
 * its hash, which who guesses can't steer. A token of a session (`session-tokens.ts`) is one to be shown wherever a token is.
 */
import { createHash } from 'node:crypto';
import type { Clock, Random } from '../../clock.ts';
import { fixed } from '../../limits.ts';
import type { AccessTable } from '../access-table.ts';
import { AnonymousLogin, GroundedLogin, type Login } from './login.ts';
import type { LoginPeer } from './login-line.ts';
import { Passwords } from './passwords.ts';
import { RefusedLogin } from './refused-login.ts';
import { type SessionClaim, SessionTokens, sessionClaimIn } from './session-tokens.ts';

/** What a client shows of itself. */
export type Credentials =
  | { readonly kind: 'password'; readonly userName: string; readonly password: string }
  | { readonly kind: 'token'; readonly secret: string }
  /** The names in its certificate, the first that is a user's counts; and when that expires, by the wall clock. */
  | { readonly kind: 'certificate'; readonly names: readonly string[]; readonly expireTimeMs: number };

export interface AuthenticatorOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Of scrypt, for new passwords; left out: as much as can be borne. */
  readonly passwordCost?: number | undefined;
}

interface Verified {
  readonly hash: Uint8Array;
  readonly login: Login;
}

export class Authenticator {
  readonly anonymous: Login;
  readonly passwords: Passwords;
  readonly #table: AccessTable;
  readonly #clock: Clock;
  /** By the hash of user and password, the one that was used last at the end. */
  readonly #verified = new Map<string, Verified>();
  /** Those under way, by the same hash: a client that sends many calls at once has its password checked once. */
  readonly #verifying = new Map<string, Promise<Login>>();
  /** Of this process alone, so that the hashes in memory are good for nothing else. */
  readonly #pepper: Uint8Array;
  readonly #sessions: SessionTokens;

  constructor(table: AccessTable, { clock, random, passwordCost }: AuthenticatorOptions) {
    this.#table = table;
    this.#clock = clock;
    this.#pepper = random.bytes(32);
    this.#sessions = new SessionTokens(random.bytes(32));
    this.passwords = new Passwords({ clock, random }, passwordCost);
    this.anonymous = new AnonymousLogin(table);
  }

  /** @returns the login at once where no password has to be checked. Throws or rejects with `unauthenticated`, `limitReached`. */
  login(credentials: Credentials, peer?: LoginPeer): Login | Promise<Login> {
    switch (credentials.kind) {
      case 'password':
        return this.#byPassword(credentials.userName, credentials.password, peer);
      case 'token':
        return this.#byToken(credentials.secret);
      case 'certificate':
        return this.#byCertificate(credentials.names, credentials.expireTimeMs);
    }
  }

  /** Whether a text is the secret of a token, for doors where it comes in the place of a password. */
  isToken(secret: string): boolean {
    return this.#table.tokenByHash(hashOfToken(secret)) !== undefined;
  }

  /** A token that stands for the password of a user who has just shown it. @returns `undefined`: the user has none any more. */
  sessionToken(userName: string): string | undefined {
    const hash = this.#table.user(userName)?.password?.hash;
    return hash && this.#sessions.make(userName, this.#clock.nowMs() + fixed.sessionMs, hash);
  }

  #byPassword(userName: string, password: string, peer: LoginPeer | undefined): Login | Promise<Login> {
    const id = createHash('sha256')
      .update(this.#pepper)
      .update(userName)
      .update('\0')
      .update(password)
      .digest('base64');
    const verified = this.#verified.get(id);
    if (verified !== undefined && this.#hasPassword(userName, verified.hash)) {
      this.#remember(id, verified);
      return verified.login;
    }
    let verifying = this.#verifying.get(id);
    if (verifying === undefined) {
      verifying = this.#verify(id, userName, password, peer).finally(() => this.#verifying.delete(id));
      this.#verifying.set(id, verifying);
    }
    return verifying;
  }

  async #verify(id: string, userName: string, password: string, peer: LoginPeer | undefined): Promise<Login> {
    const record = this.#table.user(userName);
    const isRight = await this.passwords.verify(password, record?.password, peer);
    const hash = record?.password?.hash;
    if (!isRight || hash === undefined) {
      await this.#waited(fixed.failedLoginDelayMs);
      throw new RefusedLogin(
        record === undefined ? 'noSuchUser' : hash === undefined ? 'noPassword' : 'wrongPassword',
      );
    }
    const isCurrent = (): boolean => this.#hasPassword(userName, hash);
    const login = new GroundedLogin(this.#table, { userName, isCurrent, expireTimeMs: 0 }, this.#nowMs);
    this.#remember(id, { hash, login });
    return login;
  }

  /** Whether access is open, and there is no user of a name. */
  isOpenTo(userName: string): boolean {
    return !this.#table.isClosed && this.#table.user(userName) === undefined;
  }

  #byToken(secret: string): Login {
    const hash = hashOfToken(secret);
    const token = this.#table.tokenByHash(hash);
    if (token === undefined) {
      const claim = sessionClaimIn(secret);
      if (claim === undefined) throw new RefusedLogin('unknownToken');
      return this.#bySession(claim);
    }
    const { user: userName, expireTimeMs } = token.record;
    // A token that is made anew under the same name has another secret.
    const isCurrent = (): boolean => this.#table.tokenByHash(hash)?.name === token.name;
    return new GroundedLogin(this.#table, { userName, isCurrent, expireTimeMs }, this.#nowMs);
  }

  /**
   * What was begun with it goes on when its time is over: such a client can't show another one for it. Clients show it on while access
   * is open, where their password would not be asked for either: then it means nothing.
   */
  #bySession(claim: SessionClaim): Login {
    if (!this.#table.isClosed) return this.anonymous;
    const { userName, untilMs } = claim;
    const hash = this.#table.user(userName)?.password?.hash;
    if (hash === undefined || !this.#sessions.isGenuine(claim, hash)) throw new RefusedLogin('unknownToken');
    if (this.#nowMs() >= untilMs) throw new RefusedLogin('over');
    const isCurrent = (): boolean => this.#hasPassword(userName, hash);
    const ground = { userName, isCurrent, expireTimeMs: 0, shownUntilMs: untilMs };
    return new GroundedLogin(this.#table, ground, this.#nowMs);
  }

  /** Clients of a network that gives each a certificate send it by themselves: so it changes nothing while access is open. */
  #byCertificate(names: readonly string[], expireTimeMs: number): Login {
    const userName = names.find((name) => this.#table.user(name) !== undefined);
    if (userName === undefined) {
      if (!this.#table.isClosed) return this.anonymous;
      throw new RefusedLogin('unknownCertificate');
    }
    return new GroundedLogin(this.#table, { userName, isCurrent: () => true, expireTimeMs }, this.#nowMs);
  }

  /** Whether that is still what is kept of the password of a user. */
  #hasPassword(userName: string, hash: Uint8Array): boolean {
    const kept = this.#table.user(userName)?.password?.hash;
    return kept !== undefined && Buffer.compare(kept, hash) === 0;
  }

  readonly #nowMs = (): number => this.#clock.nowMs();

  #remember(id: string, verified: Verified): void {
    this.#verified.delete(id);
    this.#verified.set(id, verified);
    if (this.#verified.size <= fixed.verifiedPasswordsMax) return;
    const [oldest] = this.#verified.keys();
    if (oldest !== undefined) this.#verified.delete(oldest);
  }

  #waited(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#clock.setTimer(delayMs, resolve));
  }
}

function hashOfToken(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
