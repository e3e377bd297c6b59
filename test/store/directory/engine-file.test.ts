/** The file that names the engine of a directory is whole or not there, and never guessed at. */
import { describe, expect, it } from 'vitest';
import { readEngineFile, writeEngineFile } from '../../../src/store/directory/engine-file.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';

const PATH = '/data/ENGINE';

async function emptyDisk(seed = 1): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ seed });
  await disk.makeDirectory('/data');
  await disk.syncDirectory('/');
  return disk;
}

describe('the file ENGINE', () => {
  it('is a line with a name; a directory without it is of memory', async () => {
    const disk = await emptyDisk();
    expect(await readEngineFile(disk, PATH)).toBe('memory');
    await writeEngineFile(disk, PATH, 'lsm');
    expect(Buffer.from(disk.contentOf(PATH)).toString()).toBe('lsm\n');
    expect(await disk.list('/data')).toEqual(['ENGINE']);
    expect(await readEngineFile(disk, PATH)).toBe('lsm');
  });

  it.each([
    '',
    'lsm',
    'lsm\n\n',
    'LSM\n',
    'hash\n',
    'bitcaskbitcaskbitcaskbitcaskbitcaskbitcaskbitcaskbitcask\n',
  ])('is damaged when it is %j', async (text) => {
    const disk = await emptyDisk();
    disk.setContent(PATH, Buffer.from(text));
    await expect(readEngineFile(disk, PATH)).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringContaining('/data/ENGINE is damaged or of a newer version'),
    });
  });

  it('is there after a loss of power once it was written, and before that whole or not there', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const written = await emptyDisk(seed);
      await writeEngineFile(written, PATH, 'bitcask');
      expect(await readEngineFile(written.losePower(), PATH)).toBe('bitcask');
      for (let at = 1; at <= 6; at++) {
        const disk = await emptyDisk(seed);
        disk.injectFault({ call: 'any', at, isPermanent: true });
        const hasFailed = await writeEngineFile(disk, PATH, 'bitcask').then(
          () => false,
          () => true,
        );
        expect(hasFailed, `at ${at}`).toBe(true);
        const after = disk.losePower();
        expect(['memory', 'bitcask'], `seed ${seed}, at ${at}`).toContain(await readEngineFile(after, PATH));
        // What was left of it is no obstacle.
        await writeEngineFile(after, PATH, 'btree');
        expect(await readEngineFile(after, PATH)).toBe('btree');
      }
    }
  });
});
