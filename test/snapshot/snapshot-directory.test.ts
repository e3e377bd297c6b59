import { beforeEach, describe, expect, it } from 'vitest';
import {
  listSnapshots,
  removeSnapshots,
  removeUnfinishedSnapshots,
} from '../../src/snapshot/snapshot-directory.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { DIRECTORY, example, writeSnapshot } from './whole-snapshot.ts';

describe('a directory of snapshots', () => {
  let disk: SimulatedDisk;

  beforeEach(async () => {
    disk = new SimulatedDisk({ seed: 1 });
    await disk.makeDirectory(DIRECTORY);
  });

  async function revisions(): Promise<number[]> {
    return (await listSnapshots(disk, DIRECTORY)).map(({ revision }) => revision);
  }

  it('lists them from the newest to the oldest, with their lengths', async () => {
    const infos = [];
    for (const revision of [9, Number.MAX_SAFE_INTEGER, 0, 10]) {
      infos.push(await writeSnapshot(disk, revision, example));
    }
    expect(await listSnapshots(disk, DIRECTORY)).toEqual(infos.sort((a, b) => b.revision - a.revision));
    expect(disk.contentOf(`${DIRECTORY}/00000000000000000010.snapshot`).length).toBe(infos[0]?.bytes);
  });

  it('is empty when it does not exist', async () => {
    expect(await listSnapshots(disk, '/none')).toEqual([]);
  });

  it('leaves files of other names alone', async () => {
    const names = [
      '00000000000000000001.snapshot.tmp',
      '1.snapshot',
      '000000000000000000001.snapshot',
      '00000000000000000001.snapshot~',
      '99999999999999999999.snapshot',
      'x00000000000000000001.snapshot',
      'lock',
    ];
    for (const name of names) disk.setContent(`${DIRECTORY}/${name}`, Buffer.from('x'));
    expect(await revisions()).toEqual([]);
    await removeSnapshots(disk, DIRECTORY, 1);
    expect(await disk.list(DIRECTORY)).toEqual(names);
    await removeUnfinishedSnapshots(disk, DIRECTORY);
    expect(await disk.list(DIRECTORY)).toEqual(names.slice(1));
  });

  it('keeps the newest when it is cleared', async () => {
    for (const revision of [1, 2, 3, 4, 5]) await writeSnapshot(disk, revision, example);
    await removeSnapshots(disk, DIRECTORY, 9);
    expect(await revisions()).toEqual([5, 4, 3, 2, 1]);
    await removeSnapshots(disk, DIRECTORY, 2);
    expect(await revisions()).toEqual([5, 4]);
    await expect(removeSnapshots(disk, DIRECTORY, 0)).rejects.toThrow('broken invariant');
  });

  it('loses the oldest first when clearing it fails', async () => {
    for (const revision of [1, 2, 3, 4, 5]) await writeSnapshot(disk, revision, example);
    disk.injectFault({ call: 'remove', at: 3, code: 'noPermission' });
    await expect(removeSnapshots(disk, DIRECTORY, 1)).rejects.toMatchObject({ code: 'noPermission' });
    expect(await revisions()).toEqual([5, 4, 3]);
  });
});
