/** Ctrl-Z in the shell: it stops as other commands do, and goes on where it was. */
import { expect, test, vi } from 'vitest';
import { startTestServer, temporaryDirectory } from '../../support/test-server.ts';
import { ShellTerminal, keys } from './shell-terminal.ts';

vi.setConfig({ testTimeout: 120_000 });

async function openShell(options: { readonly columns?: number; readonly hasJobControl?: boolean }) {
  const { address } = await startTestServer();
  const environment = { XDG_STATE_HOME: await temporaryDirectory() };
  const terminal = new ShellTerminal({ args: ['shell', '--address', address], environment, ...options });
  await terminal.prompted();
  return terminal;
}

test('a shell that was stopped goes on, with its transaction and the line that was being typed', async () => {
  const terminal = await openShell({ hasJobControl: true });
  const prompt = 'kelp (transaction)>';
  await terminal.type('BEGIN', prompt);
  await terminal.type('SET a 1', prompt);
  terminal.press('GET a');
  await terminal.until(({ cursor }) => cursor.line === `${prompt} GET a`);
  terminal.press(keys.suspend);
  await terminal.until(({ lines, cursor }) => lines.includes('stopped') && cursor.line === `${prompt} GET a`);
  expect(terminal.screen.lines.slice(-3)).toEqual([`${prompt} GET a^Z`, 'stopped', `${prompt} GET a`]);
  expect(await terminal.type('', prompt)).toEqual(['1']);
  expect(await terminal.type('COMMIT')).toEqual(['OK']);
  terminal.press(keys.endOfInput);
  expect(await terminal.ended).toBe(0);
});

test('what stood above a line of several rows is left alone', async () => {
  const terminal = await openShell({ hasJobControl: true, columns: 20 });
  terminal.press(`GET 123456789 123456789 1234567${keys.left.repeat(23)}`);
  await terminal.until(({ cursor, lines }) => lines.at(-1)?.endsWith('567') === true && cursor.column === 14);
  terminal.press(keys.suspend);
  await terminal.until(({ lines, cursor }) => lines.includes('stopped') && cursor.line.endsWith('567'));
  expect(terminal.screen.lines.slice(-5)).toEqual([
    'kelp> GET 123456789',
    '123456789 1234567^Z',
    'stopped',
    'kelp> GET 123456789',
    '123456789 1234567',
  ]);
});

test('where no shell could have it go on it is not stopped, and the terminal stays as it was', async () => {
  const terminal = await openShell({});
  terminal.press(keys.suspend);
  await terminal.until(({ lines, cursor }) => lines.at(-2) === 'kelp> ^Z' && cursor.line === 'kelp>');
  expect(await terminal.type('GET a')).toEqual(['key not found']);
  terminal.press(keys.endOfInput);
  expect(await terminal.ended).toBe(0);
});
