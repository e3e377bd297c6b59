/** Changing the elements of collections in the console. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { isChromiumInstalled } from '../peers/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { ConsoleBrowser, lookAt, press } from './browser.ts';

describe.runIf(isChromiumInstalled)('elements in the console', { timeout: 120_000 }, () => {
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    browser = await ConsoleBrowser.start();
  }, 120_000);
  afterAll(() => browser.close());

  const cells = (page: Page): Promise<string[]> => page.getByRole('cell').allTextContents();

  test('of each type are set, added, pushed, popped and removed', async () => {
    const server = await browser.startServer();
    await using client = createClient({ address: server.address });
    await client.hash.set('h', { role: 'admin' });
    await client.list.push('l', ['one']);
    await client.set.add('s', ['a']);
    await client.sortedSet.add('z', { ada: 1 });
    const page = await browser.openAt(server, '#/keys?key=th');
    const show = (key: string): Promise<void> => page.evaluate(`location.hash = '#/keys?key=t${key}'`);
    const form = page.getByRole('form', { name: 'Change elements' });
    await form.getByLabel('Field').fill('role');
    await form.getByLabel('Value').fill('<b>guest</b>');
    await form.getByRole('button', { name: 'Set' }).click();
    await eventually(() => cells(page)).toEqual(['role', '<b>guest</b>', '×']);
    await lookAt(page, 'elements');
    await form.getByLabel('Field').fill('name');
    await press(page, 'Tab');
    await page.keyboard.type('ada');
    await press(page, 'Enter');
    await eventually(async () => (await cells(page)).toSorted()).toEqual(
      ['role', '<b>guest</b>', '×', 'name', 'ada', '×'].toSorted(),
    );
    await page.getByRole('button', { name: 'Remove role' }).click();
    await eventually(() => cells(page)).toEqual(['name', 'ada', '×']);

    await show('l');
    await form.getByLabel('Element').fill('zero');
    await form.getByRole('button', { name: 'Push first' }).click();
    await eventually(() => cells(page)).toEqual(['0', 'zero', '1', 'one']);
    await form.getByLabel('Element').fill('two');
    await form.getByRole('button', { name: 'Push last' }).click();
    await eventually(() => cells(page)).toEqual(['0', 'zero', '1', 'one', '2', 'two']);
    await form.getByLabel('Index').fill('first');
    await form.getByLabel('Element').fill('none');
    await form.getByRole('button', { name: 'Replace' }).click();
    await page.getByText('An index is a number').waitFor();
    await form.getByLabel('Index').fill('0');
    await form.getByRole('button', { name: 'Replace' }).click();
    await eventually(() => cells(page)).toEqual(['0', 'none', '1', 'one', '2', 'two']);
    await form.getByLabel('Index').fill('3');
    await form.getByRole('button', { name: 'Replace' }).click();
    await eventually(() => page.getByRole('alert').allTextContents()).toEqual([
      'Refused. the list has 3 elements, and none at 3',
    ]);
    await form.getByRole('button', { name: 'Pop first' }).click();
    await eventually(() => cells(page)).toEqual(['0', 'one', '1', 'two']);
    await form.getByRole('button', { name: 'Pop last' }).click();
    await eventually(() => cells(page)).toEqual(['0', 'one']);

    await show('s');
    await form.getByLabel('Member').fill('b');
    await form.getByRole('button', { name: 'Add' }).click();
    await eventually(() => cells(page)).toEqual(['a', '×', 'b', '×']);

    await show('z');
    await form.getByLabel('Score').fill('high');
    await form.getByLabel('Member').fill('bob');
    await form.getByRole('button', { name: 'Set' }).click();
    await page.getByText('A score is a number.').waitFor();
    await form.getByLabel('Score').fill('0.5');
    await form.getByRole('button', { name: 'Set' }).click();
    await eventually(() => cells(page)).toEqual(['0.5', 'bob', '×', '1', 'ada', '×']);
  });

  test('are not changed when something else has changed the key since', async () => {
    const server = await browser.startServer();
    await using client = createClient({ address: server.address });
    await client.set.add('s', ['a']);
    const page = await browser.openAt(server, '#/keys?key=ts');
    const remove = page.getByRole('button', { name: 'Remove a' });
    await remove.waitFor();
    await client.set.add('s', ['b']);
    await remove.click();
    await page.getByText('Something else has changed the key').waitFor();
    expect((await client.set.contains('s', ['a'])).contained).toEqual([true]);
    await page.getByRole('button', { name: 'Read again' }).last().click();
    await eventually(() => cells(page)).toEqual(['a', '×', 'b', '×']);
    await remove.click();
    await eventually(() => cells(page)).toEqual(['b', '×']);
  });
});
