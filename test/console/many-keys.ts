/** Scrolls through more keys than the page keeps. */
import { expect } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { eventually } from '../support/eventually.ts';
import type { ConsoleBrowser } from './browser.ts';

/** What the page keeps of a list: `limits` of `src/console/page/limits.ts`. */
const ROWS_KEPT = 10_000;
const ROW_PIXELS = 30;
const BATCH = 1000;

/** @param count of the keys in the store; more than 12,000. */
export async function scrollThrough(browser: ConsoleBrowser, count: number): Promise<void> {
  const server = await browser.startServer();
  const client = createClient({ address: server.address });
  const keyAt = (index: number): string => `k/${String(index).padStart(7, '0')}`;
  for (let from = 0; from < count; from += BATCH) {
    const keys = Array.from({ length: Math.min(BATCH, count - from) }, (_, index) => keyAt(from + index));
    await client.txn({ success: keys.map((key) => ({ kind: 'put', key, value: 'v' })) });
  }
  const page = await browser.openAt(server, '#/keys?view=list');
  const list = page.getByRole('listbox');
  const rows = list.getByRole('option');
  const row = (index: number): ReturnType<typeof page.getByRole> =>
    page.getByRole('option', { name: keyAt(index), exact: true });
  await page.getByText(`${count.toLocaleString('en')} keys`).waitFor();
  await row(0).waitFor();

  await list.focus();
  await page.keyboard.press('End');
  await row(count - 1).waitFor();
  await eventually(() => rows.count()).toBeLessThan(100);
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await eventually(() => page.locator('h2').textContent()).toBe(keyAt(count - 2));
  await list.focus();
  await page.keyboard.press('Home');
  await row(0).waitFor();

  // One page after the other, further than it keeps, and back.
  const scrollTo = async (end: 'top' | 'bottom', isThere: (index: number) => boolean): Promise<void> => {
    const lastSeen = async (): Promise<number> => Number((await rows.last().textContent())?.slice(2));
    while (!isThere(await lastSeen())) {
      await list.evaluate((element, end) => {
        element.scrollTop = end === 'top' ? 0 : element.scrollHeight;
      }, end);
    }
  };
  await scrollTo('bottom', (index) => index > ROWS_KEPT + 1000);
  expect(await list.evaluate(({ scrollHeight }) => scrollHeight)).toBeLessThanOrEqual(ROWS_KEPT * ROW_PIXELS);
  expect(await rows.count()).toBeLessThan(100);
  await scrollTo('top', (index) => index < 100);
  await row(0).waitFor();

  await page.getByRole('radio', { name: 'Tree' }).check();
  await page.getByRole('treeitem', { name: `k/ ${count.toLocaleString('en')}` }).click();
  await page.getByRole('treeitem', { name: keyAt(0).slice(2), exact: true }).waitFor();
  await eventually(() => page.getByRole('treeitem').count()).toBeLessThan(100);
}
