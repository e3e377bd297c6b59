/**
 * Makes the pictures of the console that the documentation has, in `docs/images/`: a server with the data of an imaginary shop, some
 * traffic, and Debian's Chromium. Run it with `npm run screenshots`.
 *
 * `--all FOLDER` makes one of each page there, in light and dark, wide and narrow, to be looked at; `--seconds` is for how long there is
 * traffic before.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Browser, type Page, chromium } from 'playwright-core';
import { type KelpClient, createClient } from '../src/client/client.ts';
import { loadConfig } from '../src/server/config/config.ts';
import { createLogger } from '../src/server/logging/logger.ts';
import { startServer } from '../src/server/server.ts';
import { chromiumPath } from '../test/peers/chromium.ts';
import { buildConsole } from './build-console.ts';

interface Picture {
  readonly name: string;
  /** Behind `/console`. */
  readonly address: string;
  /** What stands in the page when it is whole. */
  readonly text: string;
  readonly colorScheme: 'light' | 'dark';
  readonly width: number;
  readonly height: number;
}

const { values: options } = parseArgs({
  options: { all: { type: 'string' }, seconds: { type: 'string', default: '90' } },
});

const ORDER = 'orders/2026/1042';

const wide = { width: 1280, height: 800 };

const documented: readonly Picture[] = [
  {
    name: 'console-overview',
    address: '#/overview',
    text: 'orders/2026',
    colorScheme: 'light',
    ...wide,
    height: 540,
  },
  {
    name: 'console-keys',
    address: `#/keys?q=orders%2F2026%2F&key=t${ORDER}`,
    text: 'Ada',
    colorScheme: 'dark',
    ...wide,
    height: 640,
  },
];

const addresses: Readonly<Record<string, readonly [address: string, text: string]>> = {
  overview: ['#/overview', 'orders/2026'],
  keys: [`#/keys?q=orders%2F2026%2F&key=t${ORDER}`, 'Ada'],
  watch: ['#/watch', 'Live, up to'],
  snapshots: ['#/snapshots', 'Newest'],
  cluster: ['#/cluster', 'alone'],
};

const all = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [1200, 400].flatMap((width) =>
    Object.entries(addresses).map(([name, [address, text]]): Picture => ({
      name: `${name}-${colorScheme}-${width}`,
      address,
      text,
      colorScheme,
      width,
      height: 800,
    })),
  ),
);

const pictures = options.all === undefined ? documented : all;
const folder = resolve(options.all ?? join(import.meta.dirname, '../docs/images'));
const scratch = mkdtempSync(join(tmpdir(), 'kelp-screenshots-'));
mkdirSync(folder, { recursive: true });
await buildConsole(join(scratch, 'console'));
const config = await loadConfig({
  flags: { listen: '127.0.0.1:0', 'data-dir': join(scratch, 'data'), 'log-level': 'warn' },
});
const server = await startServer(config, {
  logger: createLogger({ level: 'warn', format: 'json' }, process.stderr),
  version: '1.0.0',
  consoleFolder: join(scratch, 'console'),
});
await server.ready;
const client = createClient({ address: server.address });
const browser = await chromium.launch({
  executablePath: chromiumPath ?? '',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server'],
});
try {
  await fillShop(client);
  await client.admin.snapshot();
  const ending = new AbortController();
  const traffic = shop(client, ending.signal);
  const pages: [Picture, Page][] = [];
  for (const picture of pictures) pages.push([picture, await openPage(browser, picture)]);
  await new Promise((resolve) => setTimeout(resolve, Number(options.seconds) * 1000));
  for (const [{ name, text }, page] of pages) {
    await page.bringToFront();
    await page.getByText(text).first().waitFor();
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: false });
    await page.close();
  }
  ending.abort();
  await traffic;
} finally {
  await browser.close();
  client.close();
  await server.stop();
  rmSync(scratch, { recursive: true });
}

async function openPage(browser: Browser, { address, colorScheme, width, height }: Picture): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page = await context.newPage();
  page.on('pageerror', (error) => process.stderr.write(`${error.stack}\n`));
  page.on('console', (message) => {
    if (message.type() === 'error') process.stderr.write(`${message.text()}\n`);
  });
  await page.goto(`http://${server.address}/console${address}`);
  return page;
}

async function fillShop(client: KelpClient): Promise<void> {
  const puts: [string, string][] = [];
  for (let id = 1000; id < 13_000; id++) puts.push([`orders/2026/${id}`, order(id, 'paid')]);
  for (let id = 0; id < 5200; id++)
    puts.push([`sessions/${id.toString(16).padStart(6, '0')}`, 'x'.repeat(180)]);
  for (let id = 0; id < 1900; id++) puts.push([`products/${id}`, 'd'.repeat(1400 + (id % 7) * 90)]);
  for (let id = 0; id < 840; id++) puts.push([`carts/${id}`, JSON.stringify({ items: [id, id + 1] })]);
  for (const key of ['theme', 'currency', 'features/search', 'features/gifts', 'limits/uploads']) {
    puts.push([`config/${key}`, JSON.stringify({ value: key.length, since: '2026-01-31' })]);
  }
  for (let from = 0; from < puts.length; from += 1000) {
    const success = puts
      .slice(from, from + 1000)
      .map(([key, value]) => ({ kind: 'put' as const, key, value }));
    await client.txn({ success });
  }
  for (const state of ['packed', 'sent']) await client.put(ORDER, order(1042, state));
}

function order(id: number, state: string): string {
  const name = ['Ada', 'Grace', 'Edsger', 'Barbara'][id % 4] ?? '';
  const lines = [
    { product: 7 + (id % 40), count: 1 + (id % 3) },
    { product: 61, count: 2 },
  ];
  return JSON.stringify({
    order: id,
    customer: id % 4 === 2 ? 'Ada' : name,
    state,
    total: 12.5 + (id % 90),
    lines,
  });
}

/** Comes in waves, as that of people does. */
async function shop(client: KelpClient, signal: AbortSignal): Promise<void> {
  const watched = (async () => {
    try {
      for await (const message of client.watch({ ranges: [{ prefix: 'config/' }], signal })) void message;
    } catch {
      // It has ended with the signal.
    }
  })();
  for (let turn = 0; !signal.aborted; turn++) {
    const busy = 14 + Math.round(9 * Math.sin(turn / 90) + 4 * Math.sin(turn / 17));
    const id = 1000 + ((turn * 37) % 12_000);
    await Promise.all([
      ...Array.from({ length: busy }, (_, index) => client.get(`orders/2026/${id + index}`)),
      ...Array.from({ length: Math.ceil(busy / 3) }, (_, index) =>
        client.put(`sessions/${((id + index) % 5200).toString(16).padStart(6, '0')}`, 'x'.repeat(180)),
      ),
      client.increment('visits'),
      turn % 8 === 0 ? client.count({ prefix: 'carts/' }) : undefined,
    ]);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  await watched;
}
