/** The console over a store of a million keys. */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { isChromiumInstalled } from '../peers/chromium.ts';
import { ConsoleBrowser } from './browser.ts';
import { scrollThrough } from './many-keys.ts';

describe.runIf(isChromiumInstalled)('a million keys in the console', () => {
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    browser = await ConsoleBrowser.start();
  }, 120_000);
  afterAll(() => browser.close());

  test('are scrolled through as fewer are', { timeout: 900_000 }, () => scrollThrough(browser, 1_000_000));
});
