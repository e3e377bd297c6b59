/** Snapshots, checkpoints and backups that are downloaded, in Chromium; and the download without one. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { BackupDownload } from '../../src/console/snapshots/backup-download.ts';
import { Kelp } from '../cli/kelp.ts';
import { isChromiumInstalled } from '../peers/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { ConsoleBrowser, violations } from './browser.ts';

describe('a download', () => {
  const sizes = { backupBytes: 10, backupPartBytes: 4, progressMs: 0 };

  function download(open: (signal: AbortSignal) => AsyncIterable<{ data: Uint8Array }>): {
    backup: BackupDownload;
    saved: Blob[];
  } {
    const saved: Blob[] = [];
    const save = (file: Blob): void => void saved.push(file);
    return { backup: new BackupDownload({ open, save, nowMs: () => 0 }, sizes), saved };
  }

  test('is one file of all pieces, however they come', async () => {
    const scratch = new Uint8Array(3);
    const { backup, saved } = download(async function* () {
      // The same memory again, as a reader of messages may use it.
      for (const byte of [1, 2, 3]) yield { data: scratch.fill(byte) };
    });
    await backup.start();
    expect(backup.state.value).toEqual({ kind: 'saved', bytes: 9 });
    expect([...new Uint8Array((await saved[0]?.arrayBuffer()) ?? [])]).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3]);
  });

  test('saves nothing of what is too long, breaks off or is cancelled', async () => {
    let isOpen = true;
    const long = download(async function* (signal) {
      signal.addEventListener('abort', () => (isOpen = false));
      for (;;) yield { data: new Uint8Array(3) };
    });
    await long.backup.start();
    expect(long.backup.state.value).toEqual({ kind: 'tooLong' });
    expect(isOpen).toBe(false);

    const broken = download(async function* () {
      yield { data: new Uint8Array(3) };
      throw new ConnectError('too slow', Code.ResourceExhausted);
    });
    await broken.backup.start();
    expect(broken.backup.state.value).toMatchObject({ kind: 'failed', failure: { message: 'too slow' } });

    const cancelled = download(async function* (signal) {
      yield { data: new Uint8Array(3) };
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    });
    const running = cancelled.backup.start();
    cancelled.backup.cancel();
    await running;
    expect(cancelled.backup.state.value).toEqual({ kind: 'none' });
    expect([long, broken, cancelled].flatMap(({ saved }) => saved)).toEqual([]);
  });
});

describe.runIf(isChromiumInstalled)('the page of snapshots', { timeout: 120_000 }, () => {
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    browser = await ConsoleBrowser.start();
  }, 120_000);
  afterAll(() => browser.close());

  test('makes a snapshot, and gives a whole backup to the browser, by the keyboard', async () => {
    const server = await browser.startServer({ flags: { engine: 'memory' } });
    await using client = createClient({ address: server.address });
    for (let index = 0; index < 100; index++) await client.put(`key/${index}`, 'x'.repeat(10_000));
    const page = await browser.openAt(server, '#/snapshots');
    await page.getByText('none yet').waitFor();
    await page.getByRole('button', { name: 'Make a snapshot now' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('It holds revision 100,').waitFor();
    await page.getByText('none yet').waitFor({ state: 'detached' });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page)).toEqual([]);
    }
    await page.setViewportSize({ width: 400, height: 800 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(400);
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download a backup' }).press('Enter'),
    ]);
    expect(file.suggestedFilename()).toMatch(/^kelp-.*\.backup$/);
    await page.getByText('whole; your browser saves it').waitFor();
    const path = join(await temporaryDirectory(), 'kelp.backup');
    await file.saveAs(path);
    expect(await new Kelp(server.address).json('verify', path)).toMatchObject([
      { revision: 100, isWhole: true, versionCount: 100 },
    ]);
    await page.getByText(`kelp backup kelp.backup --address ${server.address}`).waitFor();
  });

  test('makes checkpoints of an engine on disk, and merges its files', async () => {
    const server = await browser.startServer({ flags: { engine: 'lsm' } });
    await using client = createClient({ address: server.address });
    await client.put('a', 'v');
    const page = await browser.openAt(server, '#/snapshots');
    await page.getByRole('heading', { name: 'Files of the engine lsm' }).waitFor();
    await page.getByRole('button', { name: 'Make a checkpoint now' }).click();
    await page.getByText('It holds revision 1,').waitFor();
    await eventually(() => page.getByRole('row').count()).toBeGreaterThan(1);
    await page.getByRole('button', { name: 'Merge the files' }).click();
    await page.getByText(/ before, .* now\./).waitFor();
    expect(await violations(page)).toEqual([]);
  });

  test('says to who is no operator what is missing', async () => {
    const file = join(await temporaryDirectory(), 'root.password');
    await writeFile(file, 'secret-of-root', { mode: 0o600 });
    const server = await browser.startServer({ flags: { 'root-password-file': file } });
    await using root = createClient({
      address: server.address,
      credentials: { user: 'root', password: 'secret-of-root' },
    });
    await root.access.createUser('ann', { password: 'of-ann' });
    const page = await browser.openAt(server, '#/snapshots');
    await page.getByRole('textbox', { name: 'User' }).fill('ann');
    await page.getByLabel('Password', { exact: true }).fill('of-ann');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('kelp role grant ROLE admin').waitFor();
    expect(await page.getByRole('button', { name: /Make|Download/ }).count()).toBe(0);
    expect(await violations(page)).toEqual([]);
  });
});
