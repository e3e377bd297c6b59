/**
 * Who a command says that it is: options and variables that name a user or a token, and where the secret comes from. No option
 * holds a secret itself: every user of a machine can read what stands on its command lines.
 *
 * Options go before variables, whatever these are: who gives `--user` does not mean the token of the environment.
 */
import { Option } from 'commander';
import { KelpError, isKelpError } from '../../client/errors/error.ts';
import { UsageError } from '../../shell-words/usage-error.ts';

/** As they stand on the command line. */
export interface LoginFlags {
  readonly user?: string;
  readonly passwordFile?: string;
  readonly tokenFile?: string;
}

/** A file, and the option or variable that names it. */
export interface SecretSource {
  readonly path: string;
  readonly source: string;
}

export type Login =
  | { readonly kind: 'none' }
  /** Without a file the password is asked for. */
  | { readonly kind: 'password'; readonly user: string; readonly file?: SecretSource }
  | { readonly kind: 'tokenFile'; readonly file: SecretSource }
  | { readonly kind: 'token'; readonly token: string };

export const loginEnvironmentNames = ['KELP_USER', 'KELP_PASSWORD_FILE', 'KELP_TOKEN_FILE', 'KELP_TOKEN'];

/** Of the program: they stand with every command that talks to a server. */
export function loginOptions(): Option[] {
  return [
    new Option('--user <name>', 'log in as this user, whose password is asked for (env: KELP_USER)'),
    new Option('--password-file <file>', "file with the user's password (env: KELP_PASSWORD_FILE)"),
    new Option(
      '--token-file <file>',
      'log in by the token in this file (env: KELP_TOKEN_FILE, or KELP_TOKEN with the token itself)',
    ),
  ];
}

/** @throws UsageError where it is not clear who is meant. */
export function chooseLogin(
  flags: LoginFlags,
  environment: Readonly<Record<string, string | undefined>>,
): Login {
  const { user, passwordFile, tokenFile } = flags;
  for (const [name, value] of [
    ['--user', user],
    ['--password-file', passwordFile],
    ['--token-file', tokenFile],
  ]) {
    if (value === '') throw new UsageError(`${name} is empty; leave it out, or give a name`);
  }
  const other = user === undefined ? '--password-file' : '--user';
  if (tokenFile !== undefined && (user ?? passwordFile) !== undefined) {
    throw new UsageError(`${other} and --token-file are two logins; give one of them`);
  }
  if (tokenFile !== undefined) {
    return { kind: 'tokenFile', file: { path: tokenFile, source: '--token-file' } };
  }
  if (user !== undefined || passwordFile !== undefined) return loginOfUser(user, passwordFile, environment);
  return loginOfEnvironment(environment);
}

/** A user or a file of the environment goes with the other of the command line. */
function loginOfUser(
  user: string | undefined,
  passwordFile: string | undefined,
  { KELP_USER, KELP_PASSWORD_FILE }: Readonly<Record<string, string | undefined>>,
): Login {
  const name = user ?? KELP_USER;
  if (!name) throw new UsageError('--password-file needs a --user, whose password it holds');
  if (passwordFile !== undefined) {
    return { kind: 'password', user: name, file: { path: passwordFile, source: '--password-file' } };
  }
  // The file is that of the user beside it, and not of another one.
  const isOfUser = !KELP_USER || KELP_USER === name;
  return { kind: 'password', user: name, ...(isOfUser && fileOf(KELP_PASSWORD_FILE)) };
}

function loginOfEnvironment(environment: Readonly<Record<string, string | undefined>>): Login {
  const { KELP_USER: user, KELP_PASSWORD_FILE, KELP_TOKEN_FILE, KELP_TOKEN } = environment;
  const set = ['KELP_USER', 'KELP_TOKEN_FILE', 'KELP_TOKEN'].filter((name) => environment[name]);
  if (set.length > 1) {
    throw new UsageError(
      `${set.join(' and ')} each name a login; unset all but one, or give --user or --token-file`,
    );
  }
  if (user) return { kind: 'password', user, ...fileOf(KELP_PASSWORD_FILE) };
  if (KELP_TOKEN_FILE) {
    return { kind: 'tokenFile', file: { path: KELP_TOKEN_FILE, source: 'KELP_TOKEN_FILE' } };
  }
  return KELP_TOKEN ? { kind: 'token', token: KELP_TOKEN } : { kind: 'none' };
}

function fileOf(path: string | undefined): { readonly file?: SecretSource } {
  return path ? { file: { path, source: 'KELP_PASSWORD_FILE' } } : {};
}

/** A refusal says which login it is of: one of the environment is easily forgotten. Any other error stays as it is. */
export function namingLogin(error: unknown, login: Login): unknown {
  if (login.kind === 'none' || !isKelpError(error, 'unauthenticated')) return error;
  const message = `${error.message} (${loginText(login)})`;
  return new KelpError('unauthenticated', message, undefined, { cause: error });
}

function loginText(login: Exclude<Login, { kind: 'none' }>): string {
  switch (login.kind) {
    case 'password':
      return `user ${login.user}`;
    case 'tokenFile':
      return `token of ${login.file.path}`;
    case 'token':
      return 'token of KELP_TOKEN';
  }
}
