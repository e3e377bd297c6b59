/** The lines of shells before, in a file that several write at once. */
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { History } from '../../../src/cli/shell/terminal/history.ts';
import { shell as limits } from '../../../src/limits.ts';
import { temporaryDirectory } from '../../support/test-server.ts';

let state: string;
let path: string;
beforeEach(async () => {
  state = await temporaryDirectory();
  path = join(state, 'kelp', 'history');
});

const open = (): Promise<History> => History.open({ XDG_STATE_HOME: state, HOME: '/nowhere' });

async function write(lines: readonly string[]): Promise<void> {
  const history = await open();
  for (const line of lines) history.add(line);
  await history.close();
}

const numbered = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${name} ${index}`);

test('lines are kept in their order, for the user alone', async () => {
  await write(['GET a', 'GET b']);
  await write(['GET c']);
  expect((await open()).lines).toEqual(['GET a', 'GET b', 'GET c']);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(state, 'kelp')).mode & 0o777).toBe(0o700);
});

test('without XDG_STATE_HOME it is below the home', async () => {
  const history = await History.open({ HOME: state });
  history.add('GET a');
  await history.close();
  expect(readFileSync(join(state, '.local/state/kelp/history'), 'utf8')).toBe('GET a\n');
});

test('a line behind a blank, an empty one and one that is too long are left out', async () => {
  await write([' SET password 1', '', 'x'.repeat(limits.historyLineCharactersMax + 1), 'GET a']);
  expect((await open()).lines).toEqual(['GET a']);
});

test('a line that may hold a password, as people know it from Redis, is left out', async () => {
  await write([
    'AUTH hunter2',
    'auth bob hunter2',
    '"AUTH" hunter2',
    'HELLO 3 AUTH a b',
    'ACL SETUSER a >b',
    'GET a',
  ]);
  expect((await open()).lines).toEqual(['GET a']);
  expect(readFileSync(path, 'utf8')).toBe('GET a\n');
});

test('several shells at once lose none of each other', async () => {
  const count = limits.historyLinesMax / 4;
  const names = ['one', 'two', 'three'];
  await Promise.all(names.map((name) => write(numbered(name, count))));
  const { lines } = await open();
  for (const name of names) {
    expect(lines.filter((line) => line.startsWith(`${name} `))).toEqual(numbered(name, count));
  }
});

test('it is bounded, on disk and in memory, and keeps the newest', async () => {
  const count = limits.historyLinesMax * 3 + 10;
  await write(numbered('GET', count));
  const { lines } = await open();
  expect(lines).toEqual(numbered('GET', count).slice(-limits.historyLinesMax));
  for (const file of [path, `${path}.old`]) {
    expect(readFileSync(file, 'utf8').split('\n').length - 1).toBeLessThanOrEqual(limits.historyLinesMax);
  }
});

test('several shells that fill it at once put it aside once', async () => {
  await write(numbered('before', limits.historyLinesMax - 5));
  const shells = await Promise.all(Array.from({ length: 8 }, open));
  for (const [index, history] of shells.entries()) history.add(`GET ${index}`);
  for (const [index, history] of shells.entries()) history.add(`DEL ${index}`);
  await Promise.all(shells.map((history) => history.close()));
  const { lines } = await open();
  for (const [index] of shells.entries()) expect(lines).toContain(`GET ${index}`);
  for (const [index] of shells.entries()) expect(lines).toContain(`DEL ${index}`);
  expect(lines.filter((line) => line.startsWith('before')).length).toBeGreaterThan(
    limits.historyLinesMax / 2,
  );
});

test('a lock that a killed shell has left goes after a while', async () => {
  await write(numbered('GET', limits.historyLinesMax));
  const lock = `${path}.lock`;
  writeFileSync(lock, '');
  await write(['GET last']);
  expect(existsSync(`${path}.old`)).toBe(false);
  utimesSync(lock, 0, 0);
  await write(['GET one', 'GET two']);
  expect(existsSync(`${path}.old`)).toBe(true);
  expect(existsSync(lock)).toBe(false);
});

test('a file that others could read is taken from their eyes', async () => {
  mkdirSync(join(state, 'kelp'), { mode: 0o700 });
  writeFileSync(path, 'GET a\n', { mode: 0o644 });
  expect((await open()).lines).toEqual(['GET a']);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test.each<readonly [string, () => Record<string, string>]>([
  ['there is no home', () => ({})],
  [
    'the folder can not be made',
    () => {
      writeFileSync(join(state, 'file'), '');
      return { XDG_STATE_HOME: join(state, 'file') };
    },
  ],
  [
    'others may write to the folder',
    () => {
      mkdirSync(join(state, 'kelp'));
      chmodSync(join(state, 'kelp'), 0o777);
      return { XDG_STATE_HOME: state };
    },
  ],
])('where %s nothing is kept, and the shell works', async (_, environment) => {
  const history = await History.open(environment());
  history.add('GET a');
  await history.close();
  expect(history.lines).toEqual([]);
  expect(existsSync(path)).toBe(false);
});

test('a path that is not absolute does not count', async () => {
  const history = await History.open({ XDG_STATE_HOME: 'relative' });
  history.add('GET a');
  await history.close();
  expect(existsSync('relative')).toBe(false);
});
