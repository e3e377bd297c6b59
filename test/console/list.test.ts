/** How the list of keys goes on where reads and scrolling meet; the server's answers are made here. */
import type { Route } from 'playwright-core';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { isChromiumInstalled } from '../peers/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { ConsoleBrowser } from './browser.ts';

const COUNT = 20_000;
/** What the page keeps of a list: `limits` of `src/console/page/limits.ts`. */
const ROWS_KEPT = 10_000;
const DIGITS = 7;

interface ScanAsked {
  readonly range?: { readonly startBytes?: string; readonly endBytes?: string };
  readonly reverse?: boolean;
  readonly countOnly?: boolean;
  readonly limit?: number;
}

const keyAt = (index: number): string => String(index).padStart(DIGITS, '0');
/** The number in a border of a range; a byte behind it: the next one. */
function indexOf(border: string | undefined, otherwise: number): number {
  const text = Buffer.from(border ?? '', 'base64').toString('latin1');
  return text === '' ? otherwise : Number(text.slice(0, DIGITS)) + (text.length > DIGITS ? 1 : 0);
}

function answerTo({ range = {}, reverse = false, countOnly = false, limit = 0 }: ScanAsked): object {
  if (countOnly) return { count: String(COUNT), revision: '1' };
  const [start, end] = [indexOf(range.startBytes, 0), indexOf(range.endBytes, COUNT)];
  const length = Math.max(0, Math.min(limit, end - start));
  const entries = Array.from({ length }, (_, index) => ({
    key: keyAt(reverse ? end - 1 - index : start + index),
  }));
  return { entries, nextPageToken: length < end - start ? 'more' : '', revision: '1' };
}

describe.runIf(isChromiumInstalled)('a list in the console', { timeout: 120_000 }, () => {
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    browser = await ConsoleBrowser.start();
  }, 120_000);
  afterAll(() => browser.close());

  test('reads on behind what is seen where a read that was under way has brought nothing', async () => {
    const page = await browser.openAt(await browser.startServer(), '');
    let held: Route | undefined;
    await page.route('**/kelp.v1.KvService/Scan', async (route) => {
      const asked = route.request().postDataJSON() as ScanAsked;
      if (asked.reverse === true) held = route;
      else await route.fulfill({ json: answerTo(asked) });
    });
    await page.evaluate("location.hash = '#/keys?view=list'");
    const list = page.getByRole('listbox');
    const lastSeen = async (): Promise<number> => Number(await list.getByRole('option').last().textContent());
    const scrollTo = (end: 'top' | 'bottom'): Promise<void> =>
      list.evaluate((element, end) => {
        element.scrollTop = end === 'top' ? 0 : element.scrollHeight;
      }, end);
    await list.getByRole('option', { name: keyAt(0) }).waitFor();
    await eventually(async () => {
      await scrollTo('bottom');
      return lastSeen();
    }).toBeGreaterThan(ROWS_KEPT + 500);
    await scrollTo('top');
    await eventually(() => held !== undefined).toBe(true);
    await scrollTo('bottom');
    await eventually(() => lastSeen()).toBeGreaterThan(ROWS_KEPT);
    const before = await lastSeen();
    // What stood before was deleted meanwhile.
    await held?.fulfill({ json: { entries: [], nextPageToken: '', revision: '2' } });
    await eventually(() =>
      list.evaluate(({ scrollHeight, scrollTop }) => scrollHeight - scrollTop > 2000),
    ).toBe(true);
    await scrollTo('bottom');
    await eventually(lastSeen).toBeGreaterThan(before);
  });
});
