/** What a reader of a mirror's changes may leave waiting: all that they hold counts. */
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import type { Mirror } from '../../../src/client/mirror/mirror.ts';
import { client as limits } from '../../../src/limits.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestServer } from '../../support/test-server.ts';
import { failureOf } from '../support/fake-server.ts';
import type { FakeWatchServer } from '../support/fake-watch-server.ts';
import { watching } from '../support/watch-reading.ts';

const MiB = 1024 * 1024;
const { changesBytesMax } = limits.mirror;
const keyBytes = 8 * 1024;
/** Together they are more than may wait. */
const longKeyCount = changesBytesMax / keyBytes + 1;

const longKeys = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => String(index).padStart(keyBytes, 'k'));

/** @param breakAfter the message after which its connection breaks. */
async function mirrored(
  keys: string[],
  breakAfter?: number,
): Promise<{ server: FakeWatchServer; mirror: Mirror }> {
  const { server, client } = watching();
  onTestFinished(() => client.close());
  server.fragmentSize = 10_000;
  server.commit(...keys);
  if (breakAfter !== undefined) server.breaks = [breakAfter];
  return { server, mirror: await client.mirror() };
}

test('keys without values', async () => {
  const { server, mirror } = await mirrored([]);
  const slow = mirror.changes();
  const keys = longKeys(longKeyCount);
  for (let begin = 0; begin < keys.length; begin += 1_000) server.commit(...keys.slice(begin, begin + 1_000));
  await eventually(() => mirror.revision).toBe(server.log.length);
  expect(await failureOf(slow.next())).toMatchObject({ code: 'limitReached' });
  expect(mirror.size).toBe(longKeyCount);
});

test('many short ones, which take memory without bytes of their own', async () => {
  const { server, mirror } = await mirrored([]);
  const slow = mirror.changes();
  const keys = Array.from({ length: 10_000 }, (_, index) => `k${index}`);
  const entryCount = changesBytesMax / limits.mirror.entryOverheadBytes;
  // Each commit after the first holds two entries for a key.
  for (let count = 0; count < entryCount; count += 10_000) server.commit(...keys);
  await eventually(() => mirror.revision).toBe(server.log.length);
  expect(await failureOf(slow.next())).toMatchObject({ code: 'limitReached' });
});

test('deletes that hold long previous values', async () => {
  const { address } = await startTestServer();
  const client = createClient({ address, deadlineMs: 60_000 });
  onTestFinished(() => client.close());
  const value = new Uint8Array(MiB);
  const count = changesBytesMax / MiB + 1;
  for (let index = 0; index < count; index++) await client.put(`k${index}`, value);
  const mirror = await client.mirror();
  const slow = mirror.changes();
  let revision = 0;
  for (let index = 0; index < count; index++) revision = (await client.delete(`k${index}`)).revision;
  await mirror.waitFor(revision);
  expect(await failureOf(slow.next())).toMatchObject({ code: 'limitReached' });
  expect(mirror.size).toBe(0);
});

test.each([
  { what: 'puts', before: 1, after: longKeyCount },
  { what: 'deletes', before: longKeyCount, after: 1 },
])('the $what of a change that begins anew', async ({ before, after }) => {
  // The present entries, `synced`, and the revision that it misses the rest of.
  const { server, mirror } = await mirrored(longKeys(before), before + 2);
  const slow = mirror.changes();
  server.log.splice(0, 1, longKeys(after));
  server.storeId = 'b'.repeat(32);
  server.commit();
  await eventually(() => [mirror.size, mirror.storeId]).toEqual([after, server.storeId]);
  // It is handed out by itself, but nothing may wait beside it.
  server.commit('last');
  await eventually(() => mirror.revision).toBe(server.log.length);
  expect(await failureOf(slow.next())).toMatchObject({ code: 'limitReached' });
});

test('readers that keep up are handed as many as there are', async () => {
  const { server, mirror } = await mirrored([]);
  const changes = mirror.changes();
  const keys = longKeys(1_000);
  for (let count = 0; count < 2 * longKeyCount; count += keys.length) {
    server.commit(...keys);
    const { value } = await changes.next();
    expect(value).toMatchObject({ kind: 'events', revision: server.log.length });
  }
});
