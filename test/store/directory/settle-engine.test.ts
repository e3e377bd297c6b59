/** A directory stays with the engine that has made it. */
import { describe, expect, it } from 'vitest';
import type { EngineName } from '../../../src/engine-names.ts';
import { dataDirectory } from '../../../src/store/directory/data-directory.ts';
import { readEngineFile } from '../../../src/store/directory/engine-file.ts';
import { settleEngine } from '../../../src/store/directory/settle-engine.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';

const directory = dataDirectory('/data');

async function newDisk(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ seed: 1 });
  await disk.makeDirectory('/data');
  await disk.syncDirectory('/');
  return disk;
}

async function diskOf(engine: EngineName): Promise<SimulatedDisk> {
  const disk = await newDisk();
  await settleEngine(disk, directory, engine, true);
  return disk;
}

describe('the engine of a directory', () => {
  it('is named durably at the first start, and not at all for memory', async () => {
    const disk = (await diskOf('bitcask')).losePower();
    expect(await readEngineFile(disk, directory.engine)).toBe('bitcask');
    expect(await (await diskOf('memory')).list('/data')).toEqual([]);
  });

  it('stays', async () => {
    const disk = await diskOf('lsm');
    await settleEngine(disk, directory, 'lsm', false);
    for (const other of ['memory', 'btree', 'bitcask'] as const) {
      await expect(settleEngine(disk, directory, other, false)).rejects.toMatchObject({
        code: 'invalidArgument',
        message: expect.stringMatching(
          new RegExp(
            `/data is .* of the engine lsm, not of ${other}: start it with --engine lsm .*--engine ${other}`,
          ),
        ),
      });
    }
    expect(await readEngineFile(disk, directory.engine)).toBe('lsm');
  });

  it('is memory where none is named, as before there were others', async () => {
    await expect(settleEngine(await newDisk(), directory, 'lsm', false)).rejects.toMatchObject({
      code: 'invalidArgument',
      message: expect.stringContaining('of the engine memory, not of lsm'),
    });
  });

  it('may be chosen again as long as a start has made nothing that counts', async () => {
    const disk = await diskOf('lsm');
    await settleEngine(disk, directory, 'btree', true);
    expect(await readEngineFile(disk, directory.engine)).toBe('btree');
    await settleEngine(disk, directory, 'memory', true);
    expect(await disk.losePower().list('/data')).toEqual([]);
  });

  it('has a log where it has files', async () => {
    const disk = await diskOf('lsm');
    await disk.makeDirectory(directory.base);
    disk.setContent(`${directory.base}/MANIFEST`, Buffer.from('m'));
    await expect(settleEngine(disk, directory, 'lsm', true)).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringContaining('the log is missing'),
    });
  });

  it('may not once there are files of the engine', async () => {
    const disk = await diskOf('lsm');
    await disk.makeDirectory(directory.base);
    disk.setContent(`${directory.base}/MANIFEST`, Buffer.from('m'));
    await expect(settleEngine(disk, directory, 'memory', true)).rejects.toMatchObject({
      code: 'invalidArgument',
    });
  });

  it('is not guessed where it has files and is not named', async () => {
    const disk = await newDisk();
    await disk.makeDirectory(directory.base);
    disk.setContent(`${directory.base}/MANIFEST`, Buffer.from('m'));
    for (const wanted of ['memory', 'lsm'] as const) {
      await expect(settleEngine(disk, directory, wanted, false)).rejects.toMatchObject({
        code: 'damaged',
        message: expect.stringContaining('/data/ENGINE, which says of which one, is missing'),
      });
    }
  });

  it('is made durable by a start where the life before could not flush it', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const disk = new SimulatedDisk({ seed });
      await disk.makeDirectory('/data');
      disk.injectFault({ call: 'syncDirectory', effect: 'none' });
      await expect(settleEngine(disk, directory, 'lsm', true)).rejects.toThrow('syncDirectory');
      const next = disk.endProcess();
      await settleEngine(next, directory, 'lsm', true);
      // From now on there is a log, and only that engine is taken.
      const after = next.losePower();
      await settleEngine(after, directory, 'lsm', false);
      await expect(settleEngine(after, directory, 'memory', false)).rejects.toThrow('not of memory');
    }
  });
});
