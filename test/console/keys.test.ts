/** The page of keys in a browser, as it is used with a mouse and with a keyboard. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { eventually } from '../support/eventually.ts';
import { isChromiumInstalled } from '../peers/chromium.ts';
import { ConsoleBrowser, violations } from './browser.ts';
import { scrollThrough } from './many-keys.ts';

type Client = ReturnType<typeof createClient>;

const MARKUP = '<img src=x onerror="document.title=1">';

describe.runIf(isChromiumInstalled)('keys in the console', { timeout: 120_000 }, () => {
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    browser = await ConsoleBrowser.start();
  }, 120_000);
  afterAll(() => browser.close());

  /** A server whose store was filled before the page is opened. */
  async function open(
    fill: (client: Client) => Promise<unknown>,
    address = '#/keys',
  ): Promise<{ client: Client; page: Page }> {
    const server = await browser.startServer();
    const client = createClient({ address: server.address });
    await fill(client);
    return { client, page: await browser.openAt(server, address) };
  }

  const item = (page: Page, name: string): ReturnType<Page['getByRole']> =>
    page.getByRole('treeitem', { name, exact: true });
  const value = (page: Page): ReturnType<Page['locator']> => page.getByRole('tabpanel').locator('pre');
  const press = async (page: Page, ...keys: string[]): Promise<void> => {
    for (const key of keys) await page.keyboard.press(key);
  };

  test('stand in folders, with how many lie in each, and as a list', async () => {
    const { page } = await open(async (client) => {
      for (const key of ['config/a/1', 'config/a/2', 'config/b', 'config', 'x']) await client.put(key, 'v');
    });
    await eventually(() => page.getByRole('treeitem').allTextContents()).toEqual([
      'config',
      'config/ 3',
      'x',
    ]);
    await item(page, 'config/ 3').click();
    await eventually(() => page.getByRole('treeitem').allTextContents()).toEqual([
      'config',
      'config/ 3',
      'a/ 2',
      'b',
      'x',
    ]);
    await page.getByRole('radio', { name: 'List' }).check();
    await eventually(() => page.getByRole('listbox').getByRole('option').allTextContents()).toEqual([
      'config',
      'config/a/1',
      'config/a/2',
      'config/b',
      'x',
    ]);
    await page.getByRole('searchbox').fill('config/a');
    await eventually(() => page.getByRole('listbox').getByRole('option').allTextContents()).toEqual([
      'config/a/1',
      'config/a/2',
    ]);
    await page.getByLabel('Search by').selectOption('glob');
    await page.getByRole('searchbox').fill('*[bx]');
    await eventually(() => page.getByRole('listbox').getByRole('option').allTextContents()).toEqual([
      'config/b',
      'x',
    ]);
  });

  test('that are named like markup, and values of it, are text', async () => {
    const { page } = await open(async (client) => {
      await client.put(MARKUP, '<script>document.title=2</script><b>bold</b>');
      await client.put(`${MARKUP}\u202e\n`, 'v');
    });
    await item(page, MARKUP).click();
    await eventually(() => value(page).textContent()).toBe('<script>document.title=2</script><b>bold</b>');
    expect(await page.getByRole('heading', { level: 2 }).textContent()).toBe(MARKUP);
    expect(await page.locator('main img, main b, main script').count()).toBe(0);
    expect(await page.title()).toMatch(/^Keys - KelpDB/);
    await item(page, String.raw`${MARKUP}\u{202e}\u{a}`).click();
    await eventually(() => value(page).textContent()).toBe('v');
  });

  test('show text, formatted JSON with its numbers as they are, bytes, and what is no text', async () => {
    const { page } = await open(async (client) => {
      await client.put('json', '{"n":12345678901234567890,"s":"a\\",b","e":[],"o":{"x":1.50}}');
      await client.put('bytes', new Uint8Array([0, 255, 65]));
      await client.put(new Uint8Array([0xff, 0x01]), 'of a key in bytes');
    });
    await item(page, 'json').click();
    await eventually(() => value(page).textContent()).toBe(
      '{\n  "n": 12345678901234567890,\n  "s": "a\\",b",\n  "e": [],\n  "o": {\n    "x": 1.50\n  }\n}',
    );
    await page.getByRole('radio', { name: 'Hex' }).check();
    expect(await value(page).textContent()).toMatch(/^0{8} {2}7b 22 6e 22 3a/);
    await item(page, 'bytes').click();
    await eventually(() => value(page).textContent()).toMatch(/^0{8} {2}00 ff 41 .* \.\.A$/);
    await item(page, '0xff01').click();
    await eventually(() => value(page).textContent()).toBe('of a key in bytes');
  });

  test('show the elements of each type', async () => {
    const { page } = await open(async (client) => {
      await client.hash.set('h', { name: 'ada', role: 'admin' });
      await client.list.push('l', ['one', 'two']);
      await client.set.add('s', ['member']);
      await client.sortedSet.add('z', { ada: 2.5 });
    });
    const cells = {
      h: ['name', 'ada', '×', 'role', 'admin', '×'],
      l: ['0', 'one', '1', 'two'],
      s: ['member', '×'],
      z: ['2.5', 'ada', '×'],
    };
    for (const [key, texts] of Object.entries(cells)) {
      await page.getByRole('treeitem').getByText(key, { exact: true }).click();
      await eventually(() => page.getByRole('cell').allTextContents()).toEqual(texts);
    }
  });

  test('count down to the end of their time to live', async () => {
    const { page } = await open((client) => client.put('a', 'v', { ttlMs: 3_600_000 }), '#/keys?key=ta');
    const left = page.locator('dd time');
    await eventually(() => left.textContent()).toMatch(/^59 min \d+ s$/);
    const first = await left.textContent();
    await eventually(() => left.textContent()).not.toBe(first);
  });

  test('have a history: versions that can be read, and what is different in two', async () => {
    const { page } = await open(async (client) => {
      for (const theme of ['dark', 'dim', 'light']) await client.put('a', `{"theme":"${theme}","size":1}`);
    }, '#/keys?key=ta');
    await page.getByRole('tab', { name: 'History' }).click();
    await page.getByText('The key was created by the last of these.').waitFor();
    const lines = async (): Promise<(string | null)[]> =>
      page.locator('.diff .added, .diff .removed').allTextContents();
    expect(await lines()).toEqual(['-   "theme": "dim",\n', '+   "theme": "light",\n']);
    await page.getByRole('radio', { name: 'Compare from revision 1' }).check();
    expect(await lines()).toEqual(['-   "theme": "dark",\n', '+   "theme": "light",\n']);
  });

  test('are changed on the condition that nothing else has changed them; else both sides are shown', async () => {
    const { client, page } = await open(
      (client) => client.put('a', 'first', { ttlMs: 3_600_000 }),
      '#/keys?key=ta',
    );
    await page.getByRole('button', { name: 'Edit' }).click();
    await client.put('a', 'theirs');
    await page.getByLabel('Value', { exact: true }).fill('mine');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The key was changed meanwhile, at revision 2.').waitFor();
    expect(await page.getByRole('region', { name: 'Theirs' }).locator('pre').textContent()).toBe('theirs');
    expect(await page.getByRole('region', { name: 'Mine' }).locator('pre').textContent()).toBe('mine');
    expect((await client.get('a')).entry?.text()).toBe('theirs');
    expect(await violations(page)).toEqual([]);
    await client.put('a', 'theirs again');
    await page.getByRole('button', { name: 'Write mine over it' }).click();
    await page.getByText('The key was changed meanwhile, at revision 3.').waitFor();
    await page.getByRole('button', { name: 'Write mine over it' }).click();
    await eventually(() => value(page).textContent()).toBe('mine');
    const { entry } = await client.get('a');
    expect(entry).toMatchObject({ modRevision: 4 });
    // What was left of the time to live when it was read.
    expect(Number(entry?.expireTimeMs)).toBeGreaterThan(Date.now() + 3_000_000);
  });

  test.each(['Edit', 'Delete'])(
    '%s: what is read again while it goes on, since the server was away, is not taken for what was seen',
    async (work) => {
      const { client, page } = await open((client) => client.put('a', 'first'), '#/keys?key=ta');
      await page.getByRole('button', { name: work, exact: true }).click();
      if (work === 'Edit') await page.getByLabel('Value', { exact: true }).fill('mine');
      const dialog = page.getByRole('dialog');
      const confirm =
        work === 'Edit'
          ? page.getByRole('button', { name: 'Save' })
          : dialog.getByRole('button', { name: 'Delete' });
      await page.context().setOffline(true);
      await confirm.click();
      await page.getByText('The server does not answer').waitFor();
      await client.put('a', 'theirs');
      await page.context().setOffline(false);
      await page.getByText('The server does not answer').waitFor({ state: 'detached' });
      await page.locator('.entry[aria-busy=false]').waitFor();
      await confirm.click();
      if (work === 'Edit') await page.getByText('The key was changed meanwhile, at revision 2.').waitFor();
      else await page.getByText('It has changed since you saw it').waitFor();
      expect((await client.get('a')).entry?.text()).toBe('theirs');
    },
  );

  test('that were deleted while they are edited are told as a conflict, and what was typed stays', async () => {
    const { client, page } = await open((client) => client.put('a', 'first'), '#/keys?key=ta');
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Value', { exact: true }).fill('mine');
    await page.context().setOffline(true);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The server does not answer').waitFor();
    await client.delete('a');
    await page.context().setOffline(false);
    await page.getByText('The server does not answer').waitFor({ state: 'detached' });
    await page.locator('.entry[aria-busy=false]').waitFor();
    expect(await page.getByLabel('Value', { exact: true }).inputValue()).toBe('mine');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Write mine over it' }).click();
    await eventually(() => value(page).textContent()).toBe('mine');
  });

  test.each([
    ['a\r\nb\r\nc', 'Value', 'a\nb\nc!', 'a\r\nb\r\nc!'],
    ['a\nb\nc', 'Value', 'a\nb\nc!', 'a\nb\nc!'],
    ['a\r\nb\nc', 'Value, in hexadecimal digits', '610d0a620a6321', 'a\r\nb\nc!'],
    ['a\rb', 'Value, in hexadecimal digits', '610d6221', 'a\rb!'],
  ])('keep the ends of their lines when they are edited: %j', async (before, label, typed, after) => {
    const { client, page } = await open((client) => client.put('a', before), '#/keys?key=ta');
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel(label, { exact: true }).fill(typed);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('tabpanel').waitFor();
    expect((await client.get('a')).entry?.text()).toBe(after);
  });

  test('are edited on from what was typed when the form was left, unless it was cancelled', async () => {
    const { client, page } = await open(async (client) => {
      for (const key of ['a', 'b']) await client.put(key, 'first');
    }, '#/keys?key=ta');
    const edit = page.getByRole('button', { name: 'Edit' });
    const typed = page.getByLabel('Value', { exact: true });
    await edit.click();
    await typed.fill('mine');
    await typed.press('Escape');
    await edit.click();
    expect(await typed.inputValue()).toBe('mine');
    await item(page, 'b').click();
    await page.getByRole('heading', { name: 'b', exact: true }).waitFor();
    await client.put('a', 'theirs');
    await item(page, 'a').click();
    await page.getByRole('heading', { name: 'a', exact: true }).waitFor();
    await eventually(() => value(page).textContent()).toBe('theirs');
    await edit.click();
    expect(await typed.inputValue()).toBe('mine');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The key was changed meanwhile, at revision 3.').waitFor();
    await page.getByRole('button', { name: 'Leave it as it is' }).click();
    await edit.click();
    expect(await typed.inputValue()).toBe('theirs');
  });

  test('are created only where there is none, deleted after a question, and brought back from history', async () => {
    const { client, page } = await open((client) => client.put('there', 'old'));
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Key', { exact: true }).fill('there');
    await page.getByLabel('Value', { exact: true }).fill('new');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByText('The key was changed meanwhile, at revision 1.').waitFor();
    await page.getByLabel('Key', { exact: true }).fill('fresh');
    await page.getByRole('button', { name: 'Create' }).click();
    await eventually(() => value(page).textContent()).toBe('new');
    expect((await client.get('there')).entry?.text()).toBe('old');

    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Keep it' }).click();
    expect((await client.get('fresh')).entry?.text()).toBe('new');
    await page.getByRole('button', { name: 'Delete' }).click();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Deleted at revision 3.').waitFor();
    expect((await client.get('fresh')).entry).toBeUndefined();
    await page.getByRole('button', { name: 'Undo' }).click();
    await eventually(() => value(page).textContent()).toBe('new');
    expect((await client.get('fresh')).entry?.text()).toBe('new');
  });

  const remove = async (page: Page): Promise<void> => {
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Deleted at revision').waitFor();
  };
  const undo = (page: Page): ReturnType<Page['getByRole']> => page.getByRole('button', { name: 'Undo' });
  const readAgain = (page: Page): Promise<void> =>
    page.getByRole('region', { name: 'The chosen key' }).getByRole('button', { name: 'Read again' }).click();

  test('that others delete after a deletion was undone are not told as deleted here', async () => {
    const { client, page } = await open((client) => client.put('a', 'old'), '#/keys?key=ta');
    await remove(page);
    await undo(page).click();
    await eventually(() => value(page).textContent()).toBe('old');
    await client.put('a', 'new');
    await client.delete('a');
    await readAgain(page);
    await page.getByText('There is no such key at revision 5.').waitFor();
    expect(await undo(page).count()).toBe(0);
  });

  test('that others wrote and deleted after they were deleted here are not brought back as they were before', async () => {
    const { client, page } = await open((client) => client.put('a', 'old'), '#/keys?key=ta');
    await remove(page);
    await client.put('a', 'new');
    await client.delete('a');
    // What the page has seen is of before: it finds out when it is to act on it.
    await undo(page).click();
    await page.getByText('The key was deleted meanwhile (seen at revision 4).').waitFor();
    expect((await client.get('a')).entry).toBeUndefined();
    await readAgain(page);
    await page.getByText('It was changed after you deleted it at revision 2').waitFor();
    expect(await undo(page).count()).toBe(0);
  });

  test('that others wrote after they were deleted here are shown when that is undone, and stay', async () => {
    const { client, page } = await open((client) => client.put('a', 'old'), '#/keys?key=ta');
    await remove(page);
    await client.put('a', 'theirs');
    await undo(page).click();
    await page.getByText('The key was changed meanwhile, at revision 3.').waitFor();
    expect(await page.getByRole('region', { name: 'Theirs' }).locator('pre').textContent()).toBe('theirs');
    expect(await page.getByRole('region', { name: 'Mine' }).locator('pre').textContent()).toBe('old');
    expect((await client.get('a')).entry?.text()).toBe('theirs');
  });

  test('leave the list and its count when they are deleted, and come back to it', async () => {
    const { page } = await open(async (client) => {
      for (const key of ['a', 'b']) await client.put(key, 'v');
    }, '#/keys?key=ta');
    const names = (): Promise<string[]> => page.getByRole('treeitem').allTextContents();
    await page.getByText('2 keys', { exact: true }).waitFor();
    await remove(page);
    await eventually(names).toEqual(['b']);
    await page.getByText('1 key', { exact: true }).waitFor();
    await undo(page).click();
    await eventually(names).toEqual(['a', 'b']);
    await page.getByText('2 keys', { exact: true }).waitFor();
  });

  test('are not deleted when they have changed since they were seen', async () => {
    const { client, page } = await open((client) => client.put('a', '1'), '#/keys?key=ta');
    await page.getByRole('button', { name: 'Delete' }).click();
    await client.put('a', '2');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('It has changed since you saw it').waitFor();
    await page.getByRole('button', { name: 'Read again' }).last().click();
    await eventually(() => value(page).textContent()).toBe('2');
  });

  test('can be found, read, changed and deleted by the keyboard alone', async () => {
    const { client, page } = await open(async (client) => {
      for (const key of ['a/1', 'a/2', 'b']) await client.put(key, `of ${key}`);
    });
    await item(page, 'a/ 2').waitFor();
    await press(page, '/');
    expect(await page.locator(':focus').getAttribute('type')).toBe('search');
    await press(page, 'Tab', 'Tab', 'Tab');
    expect(await page.locator(':focus').getAttribute('role')).toBe('tree');
    await press(page, 'ArrowDown', 'ArrowRight');
    await item(page, '2').waitFor();
    await press(page, 'ArrowRight', 'ArrowDown', 'Enter');
    await eventually(() => value(page).textContent()).toBe('of a/2');
    // The focus is on the name of the key; the tabs and the buttons come next.
    await press(page, 'Tab', 'Tab', 'Tab', 'Enter');
    await page.locator('textarea:focus').waitFor();
    await press(page, 'Control+a');
    await page.keyboard.type('typed');
    await press(page, 'Control+Enter');
    await eventually(() => value(page).textContent()).toBe('typed');
    expect((await client.get('a/2')).entry?.text()).toBe('typed');
    await press(page, 'Tab', 'Tab', 'Tab', 'Tab', 'Enter');
    await page.getByRole('dialog').locator('button:focus').waitFor();
    await press(page, 'Shift+Tab', 'Enter');
    await page.getByText('Deleted at revision').waitFor();
    expect((await client.get('a/2')).entry).toBeUndefined();
  });

  test('of more than the page keeps are scrolled through, both ways, and it stays small', async () => {
    await scrollThrough(browser, 13_000);
  });

  test.each(['light', 'dark'] as const)(
    'meet the rules of accessibility in %s, also where there is little room',
    async (colorScheme) => {
      const { page } = await open(async (client) => {
        await client.put('config/theme', '{"theme":"dark"}', { ttlMs: 60_000 });
        await client.put('config/theme', '{"theme":"light"}', { ttlMs: 60_000 });
        await client.hash.set('user:1', { name: 'ada' });
      });
      await page.emulateMedia({ colorScheme });
      await item(page, 'config/ 1').click();
      await item(page, 'theme').click();
      for (const width of [1200, 400]) {
        await page.setViewportSize({ width, height: 800 });
        await page.getByRole('tab', { name: 'Value' }).click();
        expect(await violations(page)).toEqual([]);
        await page.getByRole('tab', { name: 'History' }).click();
        await page.locator('.diff').waitFor();
        expect(await violations(page)).toEqual([]);
        const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
        expect(overflow).toBeLessThanOrEqual(0);
      }
      await page.getByRole('button', { name: 'Edit' }).click();
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('button', { name: 'Keys' }).click();
      await item(page, 'theme').waitFor();
      expect(await violations(page)).toEqual([]);
    },
  );
});
