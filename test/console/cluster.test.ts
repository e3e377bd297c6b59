/** What a node is in its cluster, in Chromium. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { isChromiumInstalled } from '../peers/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { StubNodes } from '../support/stub-node.ts';
import { ConsoleBrowser, violations } from './browser.ts';

const LOG = 'etcd://127.0.0.1:1/kelp/test';

async function expectNoViolations(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page)).toEqual([]);
  }
}

describe.runIf(isChromiumInstalled)('the page of the cluster', { timeout: 120_000 }, () => {
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    browser = await ConsoleBrowser.start();
  }, 120_000);
  afterAll(() => browser.close());

  test('says that a server is alone, and how a cluster begins', async () => {
    const { page } = await browser.open({ address: '#/cluster' });
    await page.getByRole('heading', { name: 'This server is alone' }).waitFor();
    await page.getByText('kelp cluster init --log').waitFor();
    await expectNoViolations(page);
    await page.setViewportSize({ width: 400, height: 800 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(400);
  });

  test('shows the nodes, and hands over when that is confirmed', async () => {
    const nodes = new StubNodes();
    const server = await browser.startServer({
      flags: { log: LOG, advertise: 'one.example:7379' },
      nodeParts: nodes.parts,
    });
    nodes.last.role = 'writer';
    nodes.last.writerAddress = 'one.example:7379';
    await using client = createClient({ address: server.address });
    const { storeId } = await client.admin.status();
    const report = { address: 'two.example:7379', position: 5, snapshotPosition: 0, storeId, nonce: '' };
    await client.cluster.report(report);
    const page = await browser.openAt(server, '#/cluster');
    const cellsOf = (name: string): Promise<string[]> =>
      page
        .getByRole('row', { name: new RegExp(`^${name}`) })
        .getByRole('cell')
        .allTextContents();
    await eventually(() => cellsOf('one.example:7379')).toEqual(['writer', '7', '2', '3']);
    expect(await cellsOf('two.example:7379')).toEqual(['follower', '5', '4', 'none']);
    await page.getByRole('combobox', { name: 'To' }).waitFor();
    await expectNoViolations(page);

    await page.getByRole('button', { name: 'Hand over' }).press('Enter');
    await page.getByRole('dialog').waitFor();
    expect(await violations(page)).toEqual([]);
    // The focus is on the answer that changes nothing.
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(nodes.last.handOvers).toBe(0);
    const [writer] = nodes.opened;
    await page.getByRole('button', { name: 'Hand over' }).press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Hand over' }).press('Enter');
    await eventually(() => writer?.handOvers).toBe(1);
    await page.getByText('A follower knows of itself alone').waitFor();
    await page.getByRole('button', { name: 'Hand over' }).waitFor({ state: 'detached' });
  });
});
