/** The credentials of a login, read or asked for before the first call, once for each run of the command. */
import { named } from '../../arguments/check.ts';
import { type Credentials, type CredentialsSource, userName } from '../../client/calls/credentials.ts';
import { assert } from '../../errors.ts';
import type { SecretKind } from '../../secret-file.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import type { Login, SecretSource } from './login.ts';
import { readSecretOf } from './secret-input.ts';
import { type Desk, askSecrets, canAsk } from './secret-prompt.ts';

/** @throws UsageError where there is no secret, or none that could be one. */
export async function credentialsOf(
  login: Exclude<Login, { kind: 'none' }>,
  desk: Desk,
  isJson: boolean,
): Promise<Credentials | CredentialsSource> {
  // With --json, standard error holds nothing but JSON.
  const warn = (line: string): void => (isJson ? undefined : desk.output.note(line));
  switch (login.kind) {
    case 'token':
      return { token: checkedToken(login.token, 'KELP_TOKEN') };
    case 'tokenFile': {
      const { path, source } = login.file;
      return rereadable(login.file, 'token', warn, (secret) => ({
        token: checkedToken(secret, `${source}: ${path}`),
      }));
    }
    case 'password': {
      const { user, file } = login;
      const wrong = named('the user to log in as', userName(user));
      if (wrong !== undefined) throw new UsageError(wrong);
      if (file !== undefined) return rereadable(file, 'password', warn, (password) => ({ user, password }));
      return { user, password: await askPassword(user, desk) };
    }
  }
}

async function askPassword(user: string, desk: Desk): Promise<string> {
  if (!canAsk(desk)) {
    throw new UsageError(
      `there is no terminal to ask for the password of ${user}; give it with --password-file FILE, or use a token`,
    );
  }
  const [password] = await askSecrets([`password of ${user}`], desk);
  assert(password !== undefined, 'each question has an answer');
  return password;
}

/** A long command outlives a secret: when its login is over, the file may hold the next one. */
async function rereadable(
  file: SecretSource,
  kind: SecretKind,
  warn: (line: string) => void,
  toCredentials: (secret: string) => Credentials,
): Promise<Credentials | CredentialsSource> {
  const { secret, mayAllRead, isRereadable } = await readSecretOf(file, kind);
  if (mayAllRead) warn(`${file.source}: every user of this machine may read ${file.path}; chmod 600 it`);
  const credentials = toCredentials(secret);
  if (!isRereadable) return credentials;
  let first: Credentials | undefined = credentials;
  return async () => {
    const current = first ?? toCredentials((await readSecretOf(file, kind)).secret);
    first = undefined;
    return current;
  };
}

/** What is no word of ASCII can't stand in the header that a token travels in. */
function checkedToken(secret: string, subject: string): string {
  if (/^[\x21-\x7e]+$/.test(secret)) return secret;
  throw new UsageError(`${subject} holds no token; a token is one word, as kelp token create prints it`);
}
