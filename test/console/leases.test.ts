/** The page of leases in a browser. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { isChromiumInstalled } from '../peers/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { ConsoleBrowser, lookAt, press } from './browser.ts';

const HOUR_MS = 3_600_000;

describe.runIf(isChromiumInstalled)('leases in the console', { timeout: 120_000 }, () => {
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    browser = await ConsoleBrowser.start();
  }, 120_000);
  afterAll(() => browser.close());

  test('are listed with what is left of them, lead to their keys, and are renewed and revoked', async () => {
    const server = await browser.startServer();
    await using client = createClient({ address: server.address });
    await client.leases.grant(HOUR_MS, { leaseId: 7 });
    await client.put('session/<b>ada</b>', 'v', { leaseId: 7 });
    await client.put(new Uint8Array([0xff]), 'v', { leaseId: 7 });
    const page = await browser.openAt(server, '#/leases');
    const row = page.getByRole('option', { name: /^7 *2 keys/ });
    await eventually(() => row.locator('.left').textContent()).toMatch(/^(?:1 h|59 min(?: \d+ s)?)$/);
    const first = await row.locator('.left').textContent();
    await eventually(() => row.locator('.left').textContent()).not.toBe(first);
    await row.click();
    const keys = page.getByRole('listbox', { name: 'Keys of the lease' }).getByRole('option');
    await eventually(() => keys.allTextContents()).toEqual(['session/<b>ada</b>', '0xff']);
    await lookAt(page, 'leases');

    const renewals = page.waitForResponse('**/kelp.v1.LeaseService/Renew');
    await page.getByRole('button', { name: 'Renew' }).click();
    expect((await renewals).status()).toBe(200);

    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Keep it' }).click();
    expect((await client.get('session/<b>ada</b>')).entry?.text()).toBe('v');
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('its 2 keys are deleted with it').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('There is no such lease any more.').waitFor();
    await page.getByText('No lease', { exact: true }).waitFor();
    expect((await client.get('session/<b>ada</b>')).entry).toBeUndefined();
  });

  test('are granted, and a key of one is gone to, by the keyboard alone', async () => {
    const server = await browser.startServer();
    await using client = createClient({ address: server.address });
    const page = await browser.openAt(server, '#/leases');
    await page.getByText('No lease', { exact: true }).waitFor();
    await page.getByRole('listbox').focus();
    await press(page, 'Tab', 'Enter');
    await page.locator('input:focus').waitFor();
    await press(page, 'Control+a');
    await page.keyboard.type('soon');
    await press(page, 'Enter');
    await page.getByRole('alert').waitFor();
    await press(page, 'Control+a');
    await page.keyboard.type('2h');
    await press(page, 'Enter');
    await page.getByText('No key is attached to it.').waitFor();
    await page.getByText('1 lease', { exact: true }).waitFor();
    const leaseId = Number(await page.getByRole('heading', { level: 2 }).textContent());
    await client.put('held', 'v', { leaseId });
    // The focus is on the name of the lease; the buttons come next, then the keys.
    await press(page, 'Tab', 'Tab', 'Enter');
    await page.getByRole('option', { name: 'held' }).waitFor();
    await press(page, 'Tab', 'Tab', 'ArrowDown', 'Enter');
    await eventually(() => page.locator('h2').textContent()).toBe('held');
  });

  test('are as many as there are, in a page that stays small', async () => {
    const server = await browser.startServer();
    await using client = createClient({ address: server.address });
    const count = 1200;
    const grants = Array.from({ length: count }, (_, index) =>
      client.leases.grant(HOUR_MS, { leaseId: index + 1 }),
    );
    await Promise.all(grants);
    const page = await browser.openAt(server, '#/leases');
    const list = page.getByRole('listbox', { name: 'Leases' });
    await page.getByText(/leases and more/).waitFor();
    await eventually(async () => {
      await list.evaluate((element) => {
        element.scrollTop = element.scrollHeight;
      });
      return list.getByRole('option').last().locator('.key-name').textContent();
    }).toBe(String(count));
    await page.getByText('1,200 leases', { exact: true }).waitFor();
    expect(await list.getByRole('option').count()).toBeLessThan(100);
  });
});
