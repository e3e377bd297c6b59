/** Bases for tests, in directories that go with the test. */
import { onTestFinished } from 'vitest';
import { type Clock, systemClock } from '../../../src/clock.ts';
import { nodeDisk } from '../../../src/disk/node-disk.ts';
import { openBtree } from '../../../src/engine/btree/open-btree.ts';
import type { Base } from '../../../src/engine/layered/base/base.ts';

export const STORE_ID = Uint8Array.from({ length: 16 }, (_, index) => index);

const CACHE_BYTES = 2 * 1024 * 1024;

export async function openTestBase(
  directory: string | undefined,
  storeId = STORE_ID,
  clock: Clock = systemClock,
): Promise<Base> {
  const base = await openBtree({ directory, disk: nodeDisk, clock, storeId, cacheBytes: CACHE_BYTES });
  onTestFinished(() => base.close());
  return base;
}
