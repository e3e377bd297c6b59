/**
 * A process that flushes without end, for tests that kill it or take its room: `node flush-loop.ts DIRECTORY`. Each revision gives
 * every second key its number, and deletes some, so that a state tells the revision that made it.
 *
 * It writes a line `begun REVISION` before each commit, `done REVISION` behind it, and `failed CODE TEXT` where one fails; then it goes on. Behind each commit
 * the file is made shorter, if pages are free.
 */
import { systemClock } from '../../../src/clock.ts';
import { nodeDisk } from '../../../src/disk/node-disk.ts';
import { openBtree } from '../../../src/engine/btree/open-btree.ts';
import { placeChange } from '../../../src/engine/version.ts';
import { changesOf, NOTES_OF } from './loop-state.ts';

const [directory = '', storeId = ''] = process.argv.slice(2);
const base = await openBtree({
  directory,
  disk: nodeDisk,
  clock: systemClock,
  storeId: Buffer.from(storeId, 'hex'),
  cacheBytes: 256 * 1024,
});
for (let revision = base.revision + 1; ;) {
  const flush = await base.begin(revision);
  try {
    for (const change of changesOf(revision)) {
      flush.add(placeChange(change));
      if (flush.isFull) await flush.drain();
    }
    process.stdout.write(`begun ${revision}\n`);
    await flush.commit(NOTES_OF(revision));
    process.stdout.write(`done ${revision}\n`);
    revision++;
    // What was deleted leaves pages, which are moved and given back.
    await base.compactStorage();
  } catch (error) {
    await flush.abort();
    const { code = '', message } = error as NodeJS.ErrnoException;
    process.stdout.write(`failed ${code} ${message}\n`);
  }
}
