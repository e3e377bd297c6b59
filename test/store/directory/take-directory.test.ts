/** Which directories a store takes: empty ones and its own, whatever a crash has left of a first start. */
import { describe, expect, it } from 'vitest';
import { openStore } from '../../../src/kv/open-store.ts';
import type { Store } from '../../../src/api.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { valueOf } from '../model/readable.ts';
import { DATA_DIR, LOG_DIR, SNAPSHOT_DIR } from '../model/store-harness.ts';

const SEGMENT = '00000000000000000001.log';

async function diskWith(...paths: string[]): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ seed: 1 });
  await disk.makeDirectory(DATA_DIR);
  for (const path of paths) {
    if (path.endsWith('/')) await disk.makeDirectory(`${DATA_DIR}/${path.slice(0, -1)}`);
    else disk.setContent(`${DATA_DIR}/${path}`, Buffer.alloc(0));
  }
  return disk;
}

function open(disk: SimulatedDisk): Promise<Store> {
  return openStore({ dataDir: DATA_DIR, disk, clock: new ManualClock() });
}

async function everything(disk: SimulatedDisk, folder = DATA_DIR): Promise<string[]> {
  const names = (await disk.list(folder)).sort();
  const below = await Promise.all(names.map((name) => everything(disk, `${folder}/${name}`)));
  return names.flatMap((name, index) => [`${folder}/${name}`, ...(below[index] ?? [])]);
}

describe('a directory with files of others', () => {
  it.each([
    [['passwd', 'hosts'], 'hosts'],
    [['home/'], 'home'],
    [['LOCK', 'CURRENT', 'MANIFEST-000001'], 'CURRENT'],
    [['log/', 'lib/'], 'lib'],
    [['log/', 'log/syslog'], 'log/syslog'],
    [['log/', 'log/1.log'], 'log/1.log'],
    [['snapshots/', 'snapshots/monday.img'], 'snapshots/monday.img'],
    [['NEWEST', 'notes.txt'], 'notes.txt'],
    [['restoring/', 'notes.txt'], 'notes.txt'],
  ])('%j is refused before anything is made in it, and %s is named', async (paths, named) => {
    const disk = await diskWith(...paths);
    const before = await everything(disk);
    await expect(open(disk)).rejects.toMatchObject({
      name: 'StoreError',
      code: 'invalidArgument',
      message: expect.stringContaining(`${DATA_DIR}/${named}. Give a directory of its own`),
    });
    expect(await everything(disk)).toEqual(before);
  });

  it('is served when it holds a store, whatever lies beside', async () => {
    const disk = await diskWith();
    const store = await open(disk);
    await store.put('k', 'v');
    await store.snapshot();
    await store.close();
    for (const path of ['notes.txt', 'log/notes.txt', 'snapshots/notes.txt', 'LOCK.old']) {
      disk.setContent(`${DATA_DIR}/${path}`, Buffer.from('of others'));
    }
    await disk.makeDirectory(`${DATA_DIR}/backups`);
    const again = await open(disk);
    expect(await valueOf(again, 'k')).toBe('v');
    await again.close();
  });

  it('is called damaged, not foreign, when a part of a store is missing', async () => {
    for (const lost of [`${LOG_DIR}/${SEGMENT}`, undefined]) {
      const disk = await diskWith();
      const store = await open(disk);
      await store.put('k', 'v');
      await store.snapshot();
      await store.close();
      disk.setContent(`${DATA_DIR}/notes.txt`, Buffer.from('of others'));
      // The whole log with the file that names it, or all but that file.
      if (lost === undefined) await disk.remove(`${DATA_DIR}/NEWEST`);
      for (const name of await disk.list(LOG_DIR)) await disk.remove(`${LOG_DIR}/${name}`);
      if (lost !== undefined)
        for (const name of await disk.list(SNAPSHOT_DIR)) await disk.remove(`${SNAPSHOT_DIR}/${name}`);
      await expect(open(disk)).rejects.toMatchObject({ code: 'damaged' });
    }
  });
});

describe('a directory that counts as empty', () => {
  it.each([
    [['lost+found/']],
    [['.gitkeep', '.DS_Store', '.nfs0000000001', 'kelp.yaml']],
    [['LOCK']],
    [['LOCK', 'log/']],
    [['LOCK', 'log/', 'log/.lock', 'snapshots/']],
    [['LOCK', 'log/', `log/${SEGMENT}.tmp`]],
    [['LOCK', 'log/', 'NEWEST.tmp', 'snapshots/', 'snapshots/00000000000000000001.snapshot.tmp']],
    [['NEWEST']],
    [['snapshots/', 'snapshots/00000000000000000001.snapshot.damaged']],
  ])('%j is taken', async (paths) => {
    const store = await open(await diskWith(...paths));
    await store.put('k', 'v');
    await store.close();
  });

  it('is one in which a first start was killed, or lost its power, at any call', async () => {
    for (let at = 1, isOver = false; !isOver; at++) {
      for (const end of ['endProcess', 'losePower'] as const) {
        const disk = new SimulatedDisk({ seed: at });
        disk.injectFault({ call: 'any', at });
        const first = await open(disk).catch(() => undefined);
        isOver = first !== undefined;
        await first?.close().catch(() => undefined);
        const next = await open(disk[end]());
        await next.put('k', 'v');
        await next.close();
      }
      expect(at).toBeLessThan(200);
    }
  });
});
