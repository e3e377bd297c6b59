/** The palette of the console in a browser: words of the shell, pages and keys, by the keyboard alone. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { isChromiumInstalled } from '../peers/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { ConsoleBrowser, lookAt, press } from './browser.ts';

describe.runIf(isChromiumInstalled)('the palette of the console', { timeout: 120_000 }, () => {
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    browser = await ConsoleBrowser.start();
  }, 120_000);
  afterAll(() => browser.close());

  const answers = (page: Page): ReturnType<Page['locator']> => page.getByRole('log').locator('pre');

  test('runs the words of the shell, and keeps their answers and its history in the tab', async () => {
    const server = await browser.startServer();
    await using client = createClient({ address: server.address });
    const page = await browser.openAt(server, '#/keys');
    await page.getByRole('button', { name: 'Commands' }).waitFor();
    await press(page, 'Control+k');
    await page.locator('dialog input:focus').waitFor();
    const run = async (line: string): Promise<string | null> => {
      const before = await answers(page).count();
      await page.getByRole('dialog').getByRole('combobox').fill(line);
      await press(page, 'Enter');
      await eventually(() => answers(page).count()).toBe(before + 1);
      return answers(page).last().textContent();
    };
    expect(await run("set greeting 'good <b>morning</b>' EX 1h")).toBe('OK');
    expect((await client.get('greeting')).entry?.text()).toBe('good <b>morning</b>');
    expect(await run('GET greeting')).toBe('good <b>morning</b>');
    expect(await run('SET greeting other NX')).toBe('not set: the key exists');
    expect(await run('TTL greeting')).toMatch(/^(?:1 h|59 min)/);
    expect(await run('PERSIST greeting')).toBe('OK');
    expect(await run('TTL greeting')).toBe('lives for ever');
    expect(await run('INCRBY visits 41')).toBe('41');
    expect(await run('DECR visits')).toBe('40');
    expect(await run('EXISTS visits none')).toBe('visits: yes\nnone: no');
    expect(await run("HSET $'\\xff' name 'ada l' role admin")).toBe('2');
    expect(await run("HGETALL $'\\xff'")).toBe("name 'ada l'\nrole admin");
    expect(await run("HDEL $'\\xff' role")).toBe('1');
    expect(await run('RPUSH l one two')).toBe('2');
    expect(await run('LPOP l')).toBe('one');
    expect(await run('LRANGE l 0 -1')).toBe('two');
    expect(await run('ZADD z 2.5 ada')).toBe('1');
    expect(await run('SADD s a b')).toBe('2');
    expect(await run('SMEMBERS s')).toBe('a\nb');
    expect(await run('KEYS')).toBe("greeting\nl\ns\nvisits\nz\n$'\\xff'");
    expect(await run('DEL visits none')).toBe('Deleted visits\nnone: key not found');
    expect((await client.get('visits')).entry).toBeUndefined();
    expect(await run('WHOAMI')).toMatch(/^access is open/);
    expect(await run('HELP SET')).toMatch(/^SET key value \[EX seconds/);

    expect(await run('SET only-a-key')).toMatch(/^expected SET key value/);
    expect(await run('WATCH greeting')).toBe('there is no WATCH in a browser: the page Watch shows changes');
    expect(await run('APPEND a b')).toMatch(
      /^there is no APPEND in a browser; kelp shell has it, or redis-cli/,
    );
    expect(await run('GTE a')).toMatch(/did you mean GET\?/);
    expect(await run("GET 'open")).toMatch(/is not closed/);
    expect(await run('INCR greeting')).toMatch(/integer/);
    await page.getByRole('dialog').getByRole('combobox').fill('');
    await press(page, 'ArrowUp', 'ArrowUp');
    expect(await page.getByRole('dialog').getByRole('combobox').inputValue()).toBe("GET 'open");
    await page.getByRole('dialog').getByRole('combobox').fill('h');
    await page.getByRole('dialog').getByRole('option').first().waitFor();
    await lookAt(page, 'palette');
    await press(page, 'Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await press(page, ':');
    await eventually(() => answers(page).last().textContent()).toMatch(/integer/);
  });

  test('completes words and keys, and leads to pages and keys by name', async () => {
    const server = await browser.startServer();
    await using client = createClient({ address: server.address });
    await client.put('config/the theme', 'dark');
    const page = await browser.openAt(server, '#/keys');
    await page.getByRole('button', { name: 'Commands' }).click();
    const line = page.getByRole('dialog').getByRole('combobox');
    await line.fill('ge');
    await press(page, 'Tab');
    expect(await line.inputValue()).toBe('GET ');
    await page.keyboard.type('conf');
    await page.getByRole('dialog').getByRole('option', { name: 'config/the theme' }).waitFor();
    await press(page, 'Tab');
    expect(await line.inputValue()).toBe("GET 'config/the theme' ");
    await press(page, 'Enter');
    await eventually(() => answers(page).last().textContent()).toBe('dark');
    await line.fill('conf');
    await page.getByRole('dialog').getByRole('option', { name: 'show this key' }).waitFor();
    await press(page, 'ArrowDown', 'Enter');
    await eventually(() => page.locator('h2').textContent()).toBe('config/the theme');
    await press(page, 'Control+k');
    await line.fill('leas');
    await page.getByRole('dialog').getByRole('option', { name: 'Leases' }).waitFor();
    await press(page, 'ArrowDown', 'Enter');
    await page.getByText('No lease', { exact: true }).waitFor();
  });
});
