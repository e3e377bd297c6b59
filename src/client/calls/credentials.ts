/**
 * What a client shows of who it is, how that is checked, and the value of the header `authorization` that carries it: `Basic` (RFC
 * 7617, in UTF-8) or `Bearer` (RFC 6750). No text that is made here holds any of it but that value.
 */
import { type Check, named } from '../../arguments/check.ts';
import { kindOf, secret } from '../../arguments/secret.ts';
import { isRecord, shape } from '../../arguments/shape.ts';

/** A user of the server, with its password. */
export interface PasswordCredentials {
  readonly user: string;
  readonly password: string;
}

/** A token, as `access.createToken` gave it. */
export interface TokenCredentials {
  readonly token: string;
}

export type Credentials = PasswordCredentials | TokenCredentials;

/** Gives the credentials that hold now; also later, by a promise. */
export type CredentialsSource = () => Credentials | Promise<Credentials>;

const wanted = '{ user, password } or { token }';

/** Tokens are text without spaces; one that was read from a file often ends with a line break. */
const token: Check<string> = (given) => {
  const complaint = secret(given);
  if (complaint !== undefined) return complaint;
  const text = given as string;
  if (/^\s|\s$/.test(text)) return ' has a line break or space around it; give it without, such as by trim()';
  return /^[\x21-\x7e]+$/.test(text) ? undefined : ' holds characters that no token has';
};

export const userName: Check<string> = (given) => {
  const complaint = secret(given);
  if (complaint !== undefined) return complaint;
  const text = given as string;
  if (text.includes(':')) return ' has a colon, which no user with a password has in its name';
  return /[\s\p{C}]/u.test(text)
    ? ' has a space or a control character, which no name of a user has'
    : undefined;
};

const members = shape<{ readonly user?: string; readonly password?: string; readonly token?: string }>({
  user: userName,
  password: secret,
  token,
});

export const credentials: Check<Credentials> = (given) => {
  // Not said by the checks for objects: they would show a text.
  if (!isRecord(given)) return ` is ${kindOf(given)}; it must be ${wanted}`;
  const complaint = members(given);
  if (complaint !== undefined) return complaint;
  const hasToken = given['token'] !== undefined;
  const hasPassword = given['user'] !== undefined || given['password'] !== undefined;
  if (hasToken && hasPassword) return ` has a token and a user or password; it must be ${wanted}`;
  if (hasToken) return undefined;
  // Such as of a variable that was not set.
  if (!hasPassword)
    return 'token' in given ? named('.token', token(undefined)) : ` is empty; it must be ${wanted}`;
  return named('.user', userName(given['user'])) ?? named('.password', secret(given['password']));
};

/** Credentials, or a function that gives them. */
export const credentialsOrSource: Check<Credentials | CredentialsSource> = (given) => {
  if (typeof given === 'function') return undefined;
  const complaint = credentials(given);
  return complaint?.replace(wanted, `${wanted} or a function that gives one of them`);
};

/** The value of the header `authorization`. */
export function authorizationOf(given: Credentials): string {
  if ('token' in given && given.token !== undefined) return `Bearer ${given.token}`;
  const { user: name, password } = given as PasswordCredentials;
  return `Basic ${Buffer.from(`${name}:${password}`, 'utf8').toString('base64')}`;
}
