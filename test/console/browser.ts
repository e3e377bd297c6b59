/** The console in Debian's Chromium, driven by Playwright; built from the sources for the tests of a file. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, type Page, chromium } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { buildConsole } from '../../tools/build-console.ts';
import { chromiumPath } from '../peers/chromium.ts';
import { type TestServer, type TestServerOptions, startTestServer } from '../support/test-server.ts';

export interface OpenedConsole {
  readonly server: TestServer;
  readonly page: Page;
}

export interface ConsoleOptions extends TestServerOptions {
  readonly context?: BrowserContextOptions;
  /** Behind `/console`. */
  readonly address?: string;
}

export class ConsoleBrowser {
  readonly #browser: Browser;
  readonly folder: string;

  private constructor(browser: Browser, folder: string) {
    this.#browser = browser;
    this.folder = folder;
  }

  static async start(): Promise<ConsoleBrowser> {
    const folder = await mkdtemp(join(tmpdir(), 'kelp-console-'));
    await buildConsole(join(folder, 'console'));
    const browser = await chromium.launch({
      executablePath: chromiumPath ?? '',
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server'],
    });
    return new ConsoleBrowser(browser, join(folder, 'console'));
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  startServer(options: TestServerOptions = {}): Promise<TestServer> {
    return startTestServer({ consoleFolder: this.folder, ...options });
  }

  /** A server of its own, with its console open. */
  async open({ context, address = '', ...options }: ConsoleOptions = {}): Promise<OpenedConsole> {
    const server = await this.startServer(options);
    return { server, page: await this.openAt(server, address, context) };
  }

  /** What the page reports of errors, its policy's among them, fails the test; so does a request to anywhere but the server. */
  async openAt(server: TestServer, address = '', options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({
      viewport: { width: 1200, height: 800 },
      // A colour on its way to another passes through those without contrast.
      reducedMotion: 'reduce',
      ...options,
    });
    const page = await context.newPage();
    const wrong: string[] = [];
    page.on('pageerror', (error) => wrong.push(String(error.stack)));
    page.on('console', (message) => {
      // A call that fails is no fault of the page.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
        wrong.push(message.text());
      }
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(`${server.url}/`)) wrong.push(`a request to ${request.url()}`);
    });
    onTestFinished(async () => {
      await context.close();
      expect(wrong).toEqual([]);
    });
    await page.goto(`${server.url}/console${address}`);
    return page;
  }
}

/** What axe finds against its rules, those of WCAG AA and of good practice. The policy of the page lets no script of others in, but for the debugger's. */
export async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run({ resultTypes: ['violations'] }),
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`),
  );
}

export async function press(page: Page, ...keys: string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

/**
 * Holds what is shown to the rules of accessibility, in light and dark, with much room and with little.
 * @param name of the screenshots that are written to the folder `KELP_SCREENSHOTS`, if that is set.
 */
export async function lookAt(page: Page, name: string): Promise<void> {
  const before = page.viewportSize() ?? { width: 1200, height: 800 };
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [before.width, 400]) {
      await page.setViewportSize({ width, height: before.height });
      expect(await violations(page)).toEqual([]);
      expect(
        await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth'),
      ).toBeLessThanOrEqual(0);
      const folder = process.env['KELP_SCREENSHOTS'];
      if (folder !== undefined) {
        await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`) });
      }
    }
  }
  await page.setViewportSize(before);
}
