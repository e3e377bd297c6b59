/** The page of changes under 10,000 events a second for as long as 30 seconds: it stays small, draws on, and answers a click. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { isChromiumInstalled } from '../peers/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { rounds } from '../support/share.ts';
import { ConsoleBrowser } from './browser.ts';

const EVENTS_PER_SECOND = 10_000;
const EACH = 500;
/** What the page keeps, and a few more rows than it has in sight. */
const CHANGES_KEPT = '10,000 changes';
const ROWS_MAX = 100;
const HEAP_BYTES_MAX = 150 * 1024 * 1024;
const CLICK_MS_MAX = 5000;

interface Drawn {
  readonly frameCount: number;
  readonly longestMs: number;
  readonly heapBytes: number;
}

describe.runIf(isChromiumInstalled)('10,000 changes a second in the console', () => {
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    browser = await ConsoleBrowser.start();
  }, 120_000);
  afterAll(() => browser.close());

  test('are shown by a page that stays small and answers', { timeout: 300_000 }, async () => {
    const seconds = Math.max(5, rounds(30));
    const { server, page } = await browser.open({ address: '#/watch' });
    await using client = createClient({ address: server.address });
    await page.getByText(/^Live/).waitFor();
    await page.evaluate(`{
      const drawn = { frameCount: 0, longestMs: 0 };
      let lastMs = performance.now();
      const draw = (nowMs) => {
        drawn.frameCount++;
        drawn.longestMs = Math.max(drawn.longestMs, nowMs - lastMs);
        lastMs = nowMs;
        requestAnimationFrame(draw);
      };
      requestAnimationFrame(draw);
      globalThis.drawn = drawn;
    }`);
    const drawn = (): Promise<Drawn> =>
      page.evaluate<Drawn>('({ ...globalThis.drawn, heapBytes: performance.memory.usedJSHeapSize })');
    const count = seconds * EVENTS_PER_SECOND;
    const startMs = performance.now();
    let halfway: Drawn | undefined;
    let clickMs = 0;
    for (let from = 0; from < count; from += EACH) {
      const success = Array.from({ length: EACH }, (_, index) => ({
        kind: 'put' as const,
        key: `k/${(from + index) % 50_000}`,
        value: `of ${from + index}`,
      }));
      await client.txn({ success });
      if (halfway === undefined && from >= count / 2) {
        halfway = await drawn();
        const clickedMs = performance.now();
        await page.getByRole('button', { name: 'Pause' }).click();
        await page.getByText(/^Paused/).waitFor();
        clickMs = performance.now() - clickedMs;
        await page.getByRole('button', { name: 'Go on' }).click();
      }
      await pause(Math.max(0, startMs + ((from + EACH) / EVENTS_PER_SECOND) * 1000 - performance.now()));
    }
    const tookSeconds = (performance.now() - startMs) / 1000;
    await eventually(() => page.locator('.row .key-name').first().textContent()).toContain(`of ${count - 1}`);
    await page.getByText(CHANGES_KEPT).waitFor();
    const end = await drawn();
    const told = { rate: Math.round(count / tookSeconds), clickMs: Math.round(clickMs), halfway, end };
    expect(await page.locator('.row').count(), JSON.stringify(told)).toBeLessThan(ROWS_MAX);
    expect(end.heapBytes, JSON.stringify(told)).toBeLessThan(HEAP_BYTES_MAX);
    expect(clickMs, JSON.stringify(told)).toBeLessThan(CLICK_MS_MAX);
    // It goes on to draw while changes come: some frames in each second, however busy the machine.
    expect(end.frameCount, JSON.stringify(told)).toBeGreaterThan(seconds);
    process.stdout.write(`${JSON.stringify(told)}\n`);
  });
});
