import { expect, test } from 'vitest';
import { dataDirectory } from '../../../src/store/directory/data-directory.ts';
import { settleEngine } from '../../../src/store/directory/settle-engine.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';

const directory = dataDirectory('/data');

test('a start whose name for the engine was not flushed in the life before makes it durable', async () => {
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
