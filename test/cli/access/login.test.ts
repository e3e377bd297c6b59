/** Which login options and variables mean. */
import { expect, test } from 'vitest';
import { type LoginFlags, chooseLogin } from '../../../src/cli/session/login.ts';

test.each<[string, LoginFlags, Record<string, string>, object]>([
  ['nothing', {}, {}, { kind: 'none' }],
  ['empty variables', {}, { KELP_USER: '', KELP_TOKEN: '', KELP_TOKEN_FILE: '' }, { kind: 'none' }],
  ['a file alone', {}, { KELP_PASSWORD_FILE: 'p' }, { kind: 'none' }],
  ['--user', { user: 'bob' }, {}, { kind: 'password', user: 'bob' }],
  [
    '--user and its file',
    { user: 'bob', passwordFile: 'p' },
    {},
    { kind: 'password', user: 'bob', file: { path: 'p', source: '--password-file' } },
  ],
  [
    'a user of the environment with a file of the line',
    { passwordFile: 'p' },
    { KELP_USER: 'bob', KELP_PASSWORD_FILE: 'q' },
    { kind: 'password', user: 'bob', file: { path: 'p', source: '--password-file' } },
  ],
  [
    'both of the environment',
    {},
    { KELP_USER: 'bob', KELP_PASSWORD_FILE: 'q' },
    { kind: 'password', user: 'bob', file: { path: 'q', source: 'KELP_PASSWORD_FILE' } },
  ],
  [
    '--user with a file of the environment',
    { user: 'bob' },
    { KELP_PASSWORD_FILE: 'q' },
    { kind: 'password', user: 'bob', file: { path: 'q', source: 'KELP_PASSWORD_FILE' } },
  ],
  [
    'another user than that of the file',
    { user: 'eve' },
    { KELP_USER: 'bob', KELP_PASSWORD_FILE: 'q' },
    { kind: 'password', user: 'eve' },
  ],
  ['KELP_TOKEN', {}, { KELP_TOKEN: 't' }, { kind: 'token', token: 't' }],
  ['--user over KELP_TOKEN', { user: 'bob' }, { KELP_TOKEN: 't' }, { kind: 'password', user: 'bob' }],
  [
    '--token-file over all variables',
    { tokenFile: 'f' },
    { KELP_TOKEN: 't', KELP_USER: 'bob', KELP_TOKEN_FILE: 'g' },
    { kind: 'tokenFile', file: { path: 'f', source: '--token-file' } },
  ],
  [
    'KELP_TOKEN_FILE',
    {},
    { KELP_TOKEN_FILE: 'g' },
    { kind: 'tokenFile', file: { path: 'g', source: 'KELP_TOKEN_FILE' } },
  ],
])('%s', (_, flags, environment, login) => {
  expect(chooseLogin(flags, environment)).toEqual(login);
});

test.each<[LoginFlags, Record<string, string>, string]>([
  [{ user: 'bob', tokenFile: 'f' }, {}, '--user and --token-file are two logins; give one of them'],
  [
    { passwordFile: 'p', tokenFile: 'f' },
    {},
    '--password-file and --token-file are two logins; give one of them',
  ],
  [{ passwordFile: 'p' }, {}, '--password-file needs a --user, whose password it holds'],
  [{ user: '' }, {}, '--user is empty; leave it out, or give a name'],
  [
    {},
    { KELP_USER: 'bob', KELP_TOKEN: 't' },
    'KELP_USER and KELP_TOKEN each name a login; unset all but one, or give --user or --token-file',
  ],
  [
    {},
    { KELP_TOKEN_FILE: 'f', KELP_TOKEN: 't' },
    'KELP_TOKEN_FILE and KELP_TOKEN each name a login; unset all but one, or give --user or --token-file',
  ],
])('%j with %j is refused', (flags, environment, message) => {
  expect(() => chooseLogin(flags, environment)).toThrow(message);
});
