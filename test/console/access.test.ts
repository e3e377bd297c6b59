/** The page of access in a browser. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { isChromiumInstalled } from '../peers/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { type TestServer, temporaryDirectory } from '../support/test-server.ts';
import { ConsoleBrowser, lookAt, press } from './browser.ts';

const PASSWORD = 'of root';

describe.runIf(isChromiumInstalled)('access in the console', { timeout: 120_000 }, () => {
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    browser = await ConsoleBrowser.start();
  }, 120_000);
  afterAll(() => browser.close());

  async function closedServer(): Promise<TestServer> {
    const file = join(await temporaryDirectory(), 'root.password');
    await writeFile(file, PASSWORD, { mode: 0o600 });
    return browser.startServer({ flags: { 'root-password-file': file } });
  }

  async function logIn(page: Page, user: string, password: string): Promise<void> {
    await page.getByRole('textbox', { name: 'User' }).fill(user);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
  }

  const button = (page: Page, name: string): ReturnType<Page['getByRole']> =>
    page.getByRole('button', { name, exact: true });

  test('that is open says how it is closed, and is closed by the user root', async () => {
    const { server, page } = await browser.open({ address: '#/access' });
    await page.getByText('Every client may do everything.').waitFor();
    await page.getByText('0 users').waitFor();
    await button(page, 'New user').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('root');
    await dialog.getByText('This closes access').waitFor();
    await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await dialog.getByLabel('Password again').fill('another');
    await button(page, 'Make it').click();
    await page.getByText('The two passwords differ.').waitFor();
    await lookAt(page, 'access-user');
    await dialog.getByLabel('Password again').fill(PASSWORD);
    await button(page, 'Make it').click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await logIn(page, 'root', PASSWORD);
    await page.getByText('1 user', { exact: true }).waitFor();
    expect(await page.locator('dd').allTextContents()).toEqual(['closed', 'root', 'may do everything']);
    await using client = createClient({
      address: server.address,
      credentials: { user: 'root', password: PASSWORD },
    });
    expect(await client.access.whoAmI()).toMatchObject({ user: 'root', isClosed: true });
  });

  test('is given by roles, grants and tokens, and taken again', async () => {
    const server = await closedServer();
    await using root = createClient({
      address: server.address,
      credentials: { user: 'root', password: PASSWORD },
    });
    await root.access.createUser('ann', { password: 'of ann' });
    await root.put('config/theme', 'dark');
    const page = await browser.openAt(server, '#/access');
    await logIn(page, 'root', PASSWORD);
    await page.getByText('2 users').waitFor();
    const dialog = page.getByRole('dialog');

    await button(page, 'New role').click();
    await dialog.getByLabel('Name').fill('reader');
    await button(page, 'Make it').click();
    await button(page, 'Add grant to reader').click();
    await dialog.getByLabel('Prefix').fill('config/');
    await button(page, 'Add it').click();
    await page.getByText('read of prefix config/').waitFor();
    await button(page, 'Add grant to reader').click();
    await dialog.getByLabel('Right').selectOption('admin');
    await button(page, 'Add it').click();
    await button(page, 'Remove admin from reader').click();
    await button(page, 'Remove admin from reader').waitFor({ state: 'detached' });
    await page.getByLabel('Give a role to ann').selectOption('reader');
    await button(page, 'Take the role reader from ann').waitFor();

    await button(page, 'New token').click();
    await dialog.getByLabel('Name').fill('laptop');
    await dialog.getByLabel('User whose rights it has').fill('ann');
    await button(page, 'Make it').click();
    const secret = String(await page.getByRole('textbox', { name: 'Token' }).textContent());
    expect(secret).toMatch(/^[\w-]{43}$/);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await button(page, 'Copy').click();
    await page.getByText('It is copied.').waitFor();
    expect(await page.evaluate<string>('navigator.clipboard.readText()')).toBe(secret);
    await lookAt(page, 'access-token');
    await button(page, 'Close').click();
    await page.getByRole('cell', { name: '89 d 23 h' }).waitFor();
    expect(await page.getByText(secret).count()).toBe(0);
    await lookAt(page, 'access');
    await using ann = createClient({ address: server.address, credentials: { token: secret } });
    expect((await ann.get('config/theme')).entry?.text()).toBe('dark');
    await expect(ann.get('other')).rejects.toMatchObject({ code: 'permissionDenied' });

    await button(page, 'Delete the token laptop').click();
    await button(page, 'Keep it').click();
    expect((await ann.get('config/theme')).entry?.text()).toBe('dark');
    await button(page, 'Delete the token laptop').click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('0 tokens').waitFor();
    await expect(ann.get('config/theme')).rejects.toMatchObject({ code: 'unauthenticated' });
    await button(page, 'Take the role reader from ann').click();
    await page.getByLabel('Give a role to ann').waitFor();
    await button(page, 'Delete the role reader').click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('0 roles').waitFor();
    await button(page, 'Delete the user ann').click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('1 user', { exact: true }).waitFor();
  });

  test('without the right says what is missing, and one still sets the own password, by the keyboard alone', async () => {
    const server = await closedServer();
    await using root = createClient({
      address: server.address,
      credentials: { user: 'root', password: PASSWORD },
    });
    await root.access.createUser('ann', { password: 'of ann' });
    const page = await browser.openAt(server, '#/access');
    await logIn(page, 'ann', 'of ann');
    await page.getByText('a role with the grant admin is needed').waitFor();
    await lookAt(page, 'access-refused');
    await page.locator('#content').focus();
    await press(page, 'Tab', 'Enter');
    await page.locator('dialog input:focus').waitFor();
    await page.keyboard.type('another');
    await press(page, 'Tab');
    await page.keyboard.type('another');
    await press(page, 'Enter');
    await page.getByText('It is set.').waitFor();
    // The page goes on with the new one.
    await page.reload();
    await page.getByText('a role with the grant admin is needed').waitFor();
    await using ann = createClient({
      address: server.address,
      credentials: { user: 'ann', password: 'another' },
    });
    await eventually(async () => (await ann.access.whoAmI()).user).toBe('ann');
  });
});
