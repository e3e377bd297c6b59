/** The longest values that the defaults allow, several at a time: what the limits on memory are fitted to. */
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../src/client/index.ts';
import { nodeDisk } from '../../../src/disk/node-disk.ts';
import { defaults, fixed, serverDefaults } from '../../../src/limits.ts';
import { eventually } from '../../support/eventually.ts';
import { HeldDisk } from '../../support/held-disk.ts';
import { startTestServer } from '../../support/test-server.ts';

const COUNT = 8;

test('eight puts of the longest value pass while the disk is at work', { timeout: 240_000 }, async () => {
  const disk = new HeldDisk(nodeDisk);
  const flags = { fsync: 'always', 'memory-limit': '4GiB' };
  const server = await startTestServer({ flags, storeOptions: { disk } });
  const client = createClient({ address: server.address, deadlineMs: 200_000 });
  onTestFinished(() => client.close());
  onTestFinished(() => disk.release());
  const value = new Uint8Array(defaults.valueBytesMax);

  // What comes while this one is flushed has to wait in the log's buffer, all of it.
  disk.hold();
  const puts = [client.put('first', '')];
  await eventually(() => disk.waitingCount).toBe(1);
  for (let index = 0; index < COUNT; index++) puts.push(client.put(`k${index}`, value));
  const areDone = Promise.all(puts);
  const areTaken = eventually(async () => (await client.admin.status()).memoryBytes, {
    timeout: 180_000,
  }).toBeGreaterThan(COUNT * value.length);
  await Promise.race([areTaken, areDone]);
  disk.release();

  await areDone;
  expect((await client.admin.status()).keyCount).toBe(COUNT + 1);
});

test('the limits on what waits leave room for eight of the longest values and a longest transaction', () => {
  const { valueBytesMax, txnBytesMax, unflushedBytesMax } = defaults;
  // A record is a little longer than its key and value.
  const recordBytesMax = valueBytesMax + 2 * fixed.keyBytesMax;
  expect(COUNT * recordBytesMax + txnBytesMax).toBeLessThan(unflushedBytesMax);
  expect(unflushedBytesMax).toBeLessThanOrEqual(fixed.frameBytesMax);
  // A request's buffer doubles as it comes in.
  expect(2 * COUNT * recordBytesMax).toBeLessThan(serverDefaults.callBytesMax);
});
