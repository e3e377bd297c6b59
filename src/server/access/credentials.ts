/** Credentials as they come with a request: the header `authorization` ("HTTP Authentication", RFC 9110, section 11; RFC 7617; RFC 6750). */
import type { Credentials } from '../../access/login/authenticator.ts';
import { StoreError } from '../../errors.ts';
import { serverFixed } from '../../limits.ts';

const FORM = /^(basic|bearer) +([A-Za-z0-9._~+/-]+=*)$/i;

/** What a client that is refused is told to show ("WWW-Authenticate"): the first is what programs should have. */
export const CHALLENGE = 'Bearer realm="KelpDB", Basic realm="KelpDB", charset="UTF-8"';

/** Throws `unauthenticated` for what is in neither form. It never tells what was given. */
export function credentialsIn(authorization: string): Credentials {
  const match =
    authorization.length > serverFixed.authorizationCharactersMax ? null : FORM.exec(authorization);
  if (match === null) throw malformed('it is "Basic BASE64(USER:PASSWORD)" or "Bearer TOKEN"');
  const [, scheme = '', value = ''] = match;
  return scheme.toLowerCase() === 'bearer' ? { kind: 'token', secret: value } : basic(value);
}

function basic(value: string): Credentials {
  const bytes = Buffer.from(value, 'base64');
  const text = bytes.toString('utf8');
  const colonAt = text.indexOf(':');
  if (colonAt < 0 || !Buffer.from(text, 'utf8').equals(bytes)) {
    throw malformed('what follows "Basic" is USER:PASSWORD in UTF-8, as Base64');
  }
  return { kind: 'password', userName: text.slice(0, colonAt), password: text.slice(colonAt + 1) };
}

function malformed(what: string): StoreError {
  return new StoreError('unauthenticated', `the header authorization can't be read: ${what}`);
}
