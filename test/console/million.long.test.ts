/** The console over a store of a million keys, or a part of them. */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { isChromiumInstalled } from '../peers/chromium.ts';
import { rounds } from '../support/share.ts';
import { ConsoleBrowser } from './browser.ts';
import { scrollThrough } from './many-keys.ts';

/** More than the page keeps. */
const LEAST = 20_000;

describe.runIf(isChromiumInstalled)('a million keys in the console', () => {
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    browser = await ConsoleBrowser.start();
  }, 120_000);
  afterAll(() => browser.close());

  test('are scrolled through as fewer are', { timeout: 900_000 }, () =>
    scrollThrough(browser, Math.max(LEAST, rounds(1_000_000))),
  );
});
