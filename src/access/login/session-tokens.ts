/**
 * What a client is given for its password, by etcd's `Authenticate`, and shows in its place. Nothing is kept of one: it says whose it is
 * and until when, and is signed with a key of this process alone, so that a restart ends all of them, as one of etcd does.
 *
 *     USER.UNTIL.SIGNATURE      UNTIL in milliseconds since 1970, in base 36; the others in Base64 (RFC 4648, section 5)
 *     YWxpY2U.mgh0k2w0.0pJ1…    of alice
 *
 * What is kept of the user's password is signed, too (and not in the token): with another password, or none, it is a token no more.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Whose a text would be a token, if its signature were right. */
export interface SessionClaim {
  readonly userName: string;
  readonly untilMs: number;
  readonly signature: string;
}

/** A token of `kelp token` has no point. */
const FORM = /^([\w-]+)\.([0-9a-z]{1,11})\.([\w-]{43})$/;

/** `undefined`: it is not of that form. */
export function sessionClaimIn(token: string): SessionClaim | undefined {
  const match = FORM.exec(token);
  if (match === null) return undefined;
  const [, user = '', until = '', signature = ''] = match;
  return {
    userName: Buffer.from(user, 'base64url').toString('utf8'),
    untilMs: Number.parseInt(until, 36),
    signature,
  };
}

export class SessionTokens {
  readonly #key: Uint8Array;

  /** @param key 32 random bytes. */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** @param passwordHash what is kept of the user's password. */
  make(userName: string, untilMs: number, passwordHash: Uint8Array): string {
    const signature = this.#sign(userName, untilMs, passwordHash).toString('base64url');
    return `${Buffer.from(userName, 'utf8').toString('base64url')}.${untilMs.toString(36)}.${signature}`;
  }

  /** Whether this process has signed it, while the password was the one that it is. */
  isGenuine({ userName, untilMs, signature }: SessionClaim, passwordHash: Uint8Array): boolean {
    const signed = this.#sign(userName, untilMs, passwordHash);
    return timingSafeEqual(signed, Buffer.from(signature, 'base64url'));
  }

  /** The hash has 32 bytes and the time no zero byte, so that no two are signed alike. */
  #sign(userName: string, untilMs: number, passwordHash: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(passwordHash).update(`${untilMs}\0${userName}`).digest();
  }
}
