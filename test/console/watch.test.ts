/** The page of changes in a browser. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { isChromiumInstalled } from '../peers/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { ConsoleBrowser, violations } from './browser.ts';

describe.runIf(isChromiumInstalled)('changes in the console', { timeout: 120_000 }, () => {
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    browser = await ConsoleBrowser.start();
  }, 120_000);
  afterAll(() => browser.close());

  test('come live, the newest first, through filters, and wait while it is paused', async () => {
    const { server, page } = await browser.open({ address: '#/watch' });
    await using client = createClient({ address: server.address });
    const names = (): Promise<string[]> => page.locator('.row .key-name').allTextContents();
    await page.getByText('Live, up to revision').or(page.getByText('Live, 0 changes')).waitFor();
    await client.put('config/a', 'one');
    await client.put('<b>other</b>', 'two');
    await client.delete('config/a');
    await eventually(names).toEqual(['config/a ', '<b>other</b> two', 'config/a one']);
    expect(await page.locator('.row .kind').allTextContents()).toEqual(['delete', 'put', 'put']);
    await page.getByRole('button', { name: 'Pause' }).click();
    await client.put('paused', 'three');
    await page.getByRole('button', { name: 'Go on' }).click();
    await eventually(names).toContain('paused three');
    await page.getByRole('option', { name: /paused/ }).click();
    await eventually(() => page.locator('pre').textContent()).toBe('three');
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page)).toEqual([]);
    }
    await page.getByRole('searchbox').fill('config/');
    await page.getByRole('checkbox', { name: 'put' }).uncheck();
    await eventually(names).toEqual([]);
    await page.getByText('Live').waitFor();
    await eventually(async () => {
      await client.put('config/b', '1');
      await client.delete('config/b');
      await client.delete('other');
      return (await names()).at(-1);
    }).toBe('config/b ');
  });

  test('are all there when another page was shown meanwhile', async () => {
    const { server, page } = await browser.open({ address: '#/watch' });
    await using client = createClient({ address: server.address });
    const revisions = (): Promise<string[]> => page.locator('.row .revision').allTextContents();
    await page.getByText(/^Live/).waitFor();
    await eventually(async () => {
      await client.put('a', '');
      return (await revisions()).length;
    }).toBeGreaterThan(0);
    const before = (await revisions()).at(-1);
    await page.getByRole('link', { name: 'Keys', exact: true }).click();
    await page.getByRole('treeitem', { name: 'a', exact: true }).waitFor();
    await client.put('b', '');
    const { revision } = await client.put('c', '');
    await page.goBack();
    await eventually(async () => (await revisions())[0]).toBe(String(revision));
    const seen = (await revisions()).map(Number);
    expect(seen).toEqual(seen.map((_, index) => revision - index));
    expect(seen.at(-1)).toBe(Number(before));
  });

  test('go on without a gap when the server is started again', async () => {
    const dataDir = await temporaryDirectory();
    const server = await browser.startServer({ flags: { 'data-dir': dataDir, fsync: 'always' } });
    const first = createClient({ address: server.address });
    const page = await browser.openAt(server, '#/watch');
    await page.getByText(/^Live/).waitFor();
    const revisions = (): Promise<string[]> => page.locator('.row .revision').allTextContents();
    await eventually(async () => {
      await first.put('a', 'before');
      return (await revisions()).length;
    }).toBeGreaterThan(0);
    first.close();
    await server.stop();
    await page.getByText('Waiting for the server').waitFor();
    expect((await revisions()).length).toBeGreaterThan(0);
    const again = await browser.startServer({ flags: { 'data-dir': dataDir, listen: server.address } });
    const second = createClient({ address: again.address });
    const { revision } = await second.put('a', 'after');
    await eventually(async () => (await revisions())[0]).toBe(String(revision));
    const seen = (await revisions()).map(Number);
    expect(seen).toEqual(seen.map((_, index) => revision - index));
    second.close();
  });

  test('are as many as a busy store makes, in a page that stays small', async () => {
    const { server, page } = await browser.open({ address: '#/watch' });
    await using client = createClient({ address: server.address });
    await page.getByText(/^Live/).waitFor();
    const count = 20_000;
    const each = 1000;
    await eventually(async () => {
      await client.put('first', '');
      return page.locator('.row').count();
    }).toBeGreaterThan(0);
    for (let from = 0; from < count; from += each) {
      const success = Array.from({ length: each }, (_, index) => ({
        kind: 'put' as const,
        key: `k${from + index}`,
        value: 'v',
      }));
      await client.txn({ success });
    }
    await eventually(() => page.locator('.row .key-name').first().textContent()).toBe(`k${count - 1} v`);
    await page.getByText('10,000 changes').waitFor();
    expect(await page.locator('.row').count()).toBeLessThan(100);
  });
});
