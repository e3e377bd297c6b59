/** A follower comes to the state of the writer, shows it as the writer did, and takes no write of its own. */
import { expect, onTestFinished, test } from 'vitest';
import { allPairs, refused } from '../model/readable.ts';
import { SharedBatches } from './shared-batches.ts';
import { TestNode } from './test-node.ts';

async function cluster(count: number): Promise<[SharedBatches, ...TestNode[]]> {
  const shared = new SharedBatches();
  const nodes: TestNode[] = [];
  for (let index = 0; index < count; index++) {
    const node = await TestNode.open(shared, { name: `node-${index}`, seed: index + 1 });
    onTestFinished(() => node.close().catch(() => undefined));
    nodes.push(node);
  }
  return [shared, ...nodes];
}

test('what the writer has put is read at a follower, with the revision that it has there', async () => {
  const [, writer, follower] = await cluster(2);
  if (writer === undefined || follower === undefined) throw new Error('there are two');
  await writer.lead();
  await writer.kv.put('a', '1');
  await writer.kv.put('b', '2');
  await follower.follow();
  expect(await allPairs(follower.kv)).toEqual(['a=1', 'b=2']);
  expect(follower.store.visibleRevision).toBe(2);
  expect(follower.store.incarnationOf(2)).toBe(writer.store.incarnationOf(2));
  expect([writer.store.role, follower.store.role]).toEqual(['writer', 'follower']);
});

test('a decision at a follower reads the newest state, and changes nothing of it', async () => {
  const [, writer, follower] = await cluster(2);
  if (writer === undefined || follower === undefined) throw new Error('there are two');
  await writer.lead();
  await writer.kv.put('a', '1', { ttlMs: 10_000 });
  await writer.kv.put('b', '2');
  await follower.follow();
  const a = Buffer.from('a');
  const { store } = follower;
  // Its own clock does not say what is overdue.
  follower.clock.advance(20_000);
  expect(store.decide((view) => view.readMeta(a) !== undefined)).toMatchObject({
    result: true,
    hasChanged: false,
  });
  expect(() => store.decide((view) => view.put(a, a))).toThrow(
    expect.objectContaining({ code: 'notWriter' }) as Error,
  );
  expect(await allPairs(follower.kv)).toEqual(['a=1', 'b=2']);
});

test('a write at a follower is refused with the address of the writer', async () => {
  const [, writer, follower] = await cluster(2);
  if (writer === undefined || follower === undefined) throw new Error('there are two');
  await writer.lead();
  await writer.kv.put('a', '1');
  await follower.follow();
  await refused(follower.kv.put('a', '2'), 'notWriter', { writerAddress: 'node-0' });
  await refused(follower.kv.compact(1), 'notWriter', { writerAddress: 'node-0' });
});
