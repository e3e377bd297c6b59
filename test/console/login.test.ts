/** Who the console is to the server: logins, what they may do, and a server that goes away and comes back. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { isChromiumInstalled } from '../peers/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { type TestServer, temporaryDirectory } from '../support/test-server.ts';
import { ConsoleBrowser, violations } from './browser.ts';

const PASSWORD = 'of root: ü';

describe.runIf(isChromiumInstalled)('the console', { timeout: 120_000 }, () => {
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

  test('asks for a login where access is closed, keeps it in its tab, and never in a cookie', async () => {
    const server = await closedServer();
    await using client = createClient({
      address: server.address,
      credentials: { user: 'root', password: PASSWORD },
    });
    await client.put('a', 'v');
    const page = await browser.openAt(server, '#/keys?key=ta');
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('textbox', { name: 'User' }).fill('root');
    await page.getByLabel('Password', { exact: true }).fill('wrong');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    const value = page.getByRole('tabpanel').locator('pre');
    await eventually(() => value.textContent()).toBe('v');
    await page.reload();
    await eventually(() => value.textContent()).toBe('v');
    expect(await page.context().cookies()).toEqual([]);
    expect(await page.evaluate('[document.cookie, localStorage.length]')).toEqual(['', 0]);
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.getByRole('heading', { name: 'Log in' }).waitFor();
    await page.evaluate('globalThis.isOfThisLogin = true');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    // What the page held in memory is gone with it.
    expect(await page.evaluate('typeof isOfThisLogin')).toBe('undefined');
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
  });

  test('takes a token, shows what its user may see, and says what it may not', async () => {
    const server = await closedServer();
    await using root = createClient({
      address: server.address,
      credentials: { user: 'root', password: PASSWORD },
    });
    await root.put('config/theme', 'dark');
    await root.put('secret', 'hidden');
    await root.access.createRole('reader');
    await root.access.addGrant('reader', { permission: 'read', prefix: 'config/' });
    await root.access.createUser('ann', { roles: ['reader'] });
    const { secret } = await root.access.createToken('laptop', { user: 'ann' });
    const page = await browser.openAt(server, '#/keys');
    await page.getByRole('radio', { name: 'a token' }).check();
    await page.getByLabel('Token', { exact: true }).fill(secret);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('Not allowed.').first().waitFor();
    await page.getByRole('searchbox').fill('config/');
    await page.getByRole('treeitem', { name: 'theme' }).click();
    await eventually(() => page.getByRole('tabpanel').locator('pre').textContent()).toBe('dark');
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Value', { exact: true }).fill('light');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Not allowed.').waitFor();
    expect((await root.get('config/theme')).entry?.text()).toBe('dark');
  });

  test('tells that the server is gone, and goes on by itself when it is back', async () => {
    const dataDir = await temporaryDirectory();
    const server = await browser.startServer({ flags: { 'data-dir': dataDir, fsync: 'always' } });
    const first = createClient({ address: server.address });
    await first.put('a', 'v');
    first.close();
    const page = await browser.openAt(server, '#/keys?key=ta');
    const value = page.getByRole('tabpanel').locator('pre');
    await eventually(() => value.textContent()).toBe('v');
    await server.stop();
    await page.getByRole('button', { name: 'Read again' }).last().click();
    await page.getByText('The server does not answer').waitFor();
    // What was read stays.
    expect(await value.textContent()).toBe('v');
    expect(await violations(page)).toEqual([]);
    await browser.startServer({ flags: { 'data-dir': dataDir, listen: server.address } });
    await page.getByText('The server does not answer').waitFor({ state: 'detached' });
    await eventually(() => value.textContent()).toBe('v');
  });
});
