/** How the server does, in Chromium. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { isChromiumInstalled } from '../peers/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { ConsoleBrowser, violations } from './browser.ts';

async function isWiderThanScreen(page: Page): Promise<boolean> {
  return page.evaluate<boolean>(
    'document.documentElement.scrollWidth > document.documentElement.clientWidth',
  );
}

describe.runIf(isChromiumInstalled)('the overview', { timeout: 120_000 }, () => {
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    browser = await ConsoleBrowser.start();
  }, 120_000);
  afterAll(() => browser.close());

  test('is the first page, tells how the server does, and draws what goes on', async () => {
    const { server, page } = await browser.open();
    await using client = createClient({ address: server.address });
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.getByText('Serving').waitFor();
    await page.getByText('Alone, not in a cluster').waitFor();
    const rowOf = (name: string): ReturnType<typeof page.locator> =>
      page.getByRole('row', { name: new RegExp(`^${name} `) });
    await eventually(async () => {
      await client.put('config/theme', 'dark');
      return rowOf('Put').count();
    }).toBe(1);
    const calls = page.getByRole('img', { name: /^Calls a second over the last 15 minutes.*Put: / });
    await calls.waitFor();
    await eventually(() => calls.locator('canvas').count()).toBe(1);
    const drawn = `[...document.querySelectorAll('.chart canvas')].every((canvas) =>
      canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value !== 0))`;
    await eventually(() => page.evaluate(drawn)).toBe(true);
    await page.getByRole('img', { name: /^Delay of the event loop.* ms/ }).waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page)).toEqual([]);
    }
    const canvasWidth = (): Promise<number> =>
      calls.locator('canvas').evaluate(({ clientWidth }) => clientWidth);
    const before = await canvasWidth();
    await page.setViewportSize({ width: 700, height: 800 });
    await eventually(canvasWidth).not.toBe(before);
    await page.setViewportSize({ width: 400, height: 800 });
    expect(await isWiderThanScreen(page)).toBe(false);
    expect(await violations(page)).toEqual([]);
  });

  test('tells what fills the store, and leads to it by the keyboard', async () => {
    const server = await browser.startServer();
    await using client = createClient({ address: server.address });
    for (let index = 0; index < 30; index++) await client.put(`orders/${index}`, 'x'.repeat(1000));
    await client.put('<b>/1', 'v');
    const page = await browser.openAt(server);
    const row = page.getByRole('row', { name: /^orders\// });
    await eventually(() => row.getByRole('cell').allTextContents()).toEqual(['30', '29.5 KiB', '']);
    await page.getByRole('link', { name: '<b>/' }).waitFor();
    await page.getByRole('link', { name: 'orders/' }).focus();
    await page.keyboard.press('Enter');
    await eventually(() => page.getByRole('searchbox').inputValue()).toBe('orders/');
  });

  test('asks nothing while it is hidden, and goes on when it is seen again', async () => {
    const { page } = await browser.open();
    let askedCount = 0;
    page.on('request', (request) => {
      if (request.url().endsWith('/Status')) askedCount++;
    });
    const show = (visibility: string): Promise<unknown> =>
      page.evaluate(`
        Object.defineProperty(document, 'visibilityState', { value: '${visibility}', configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      `);
    await eventually(() => askedCount).toBeGreaterThan(1);
    await show('hidden');
    // One may be under way; then the timer of the page goes by three times.
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 1000))');
    const before = askedCount;
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 3000))');
    expect(askedCount).toBe(before);
    await show('visible');
    await eventually(() => askedCount).toBeGreaterThan(before);
  });

  test('shows who is no operator what it may see, and says which right is missing', async () => {
    const file = join(await temporaryDirectory(), 'root.password');
    await writeFile(file, 'secret-of-root', { mode: 0o600 });
    const server = await browser.startServer({ flags: { 'root-password-file': file } });
    await using root = createClient({
      address: server.address,
      credentials: { user: 'root', password: 'secret-of-root' },
    });
    await root.access.createUser('ann', { password: 'of-ann' });
    const page = await browser.openAt(server, '#/overview');
    await page.getByRole('textbox', { name: 'User' }).fill('ann');
    await page.getByLabel('Password', { exact: true }).fill('of-ann');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('Serving').waitFor();
    await page.getByText('kelp role grant ROLE admin').waitFor();
    await page.getByText('kelp role grant ROLE read --all').waitFor();
    await page.getByRole('img', { name: /^Memory over/ }).waitFor();
    expect(await page.getByText('Calls by method').count()).toBe(0);
    expect(await violations(page)).toEqual([]);
  });
});
