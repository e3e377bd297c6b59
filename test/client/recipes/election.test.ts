/** Elections over a real server: who leads, and what observers see of it. */
import { expect, test } from 'vitest';
import { type KelpClient, createClient } from '../../../src/client/client.ts';
import type { Leader } from '../../../src/client/recipes/election.ts';
import type { Endable } from '../../../src/client/recipes/endable.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestServer } from '../../support/test-server.ts';
import { failureOf } from '../support/fake-server.ts';
import { lossyClient } from './support/lossy-client.ts';
import { clientOf, started } from './support/started.ts';

const NAME = 'jobs/scheduler';

async function candidates(client: KelpClient, count: number): Promise<void> {
  await eventually(async () => (await client.count({ prefix: `${NAME}/~candidate/` })).count).toBe(count);
}

async function seen(observer: Endable<Leader<unknown> | undefined>): Promise<Leader<unknown> | undefined> {
  const { value } = await observer.next();
  return value;
}

test('candidates lead one after the other, and observers see each of them', async () => {
  const { address, client } = await started();
  const observer = clientOf(address).recipes.leaders<string>(NAME);
  expect(await seen(observer)).toBeUndefined();
  const ada = await client.recipes.elect(NAME, { value: 'ada' });
  expect(await seen(observer)).toEqual({ value: 'ada', token: ada.token });
  const grace = client.recipes.elect(NAME, { value: 'grace' });
  await candidates(client, 2);
  await ada.proclaim('ada, at work');
  expect(await seen(observer)).toEqual({ value: 'ada, at work', token: ada.token });
  await ada.resign();
  const { token } = await grace;
  expect(token).toBeGreaterThan(ada.token);
  expect(await seen(observer)).toEqual({ value: 'grace', token });
  await (await grace).resign();
  expect(await seen(observer)).toBeUndefined();
  await observer.return();
  expect(await observer.next()).toEqual({ done: true, value: undefined });
});

test('another one leads when the leader dies', async () => {
  const { address, client } = await started();
  const dying = createClient({ address });
  await dying.recipes.elect(NAME, { value: 1, ttlMs: 1000 });
  const next = client.recipes.elect(NAME, { value: 2 });
  await candidates(client, 2);
  await using observer = client.recipes.leaders(NAME);
  expect(await seen(observer)).toMatchObject({ value: 1 });
  dying.close();
  expect(await seen(observer)).toMatchObject({ value: 2, token: (await next).token });
});

test('who leads no more proclaims nothing', async () => {
  const { client } = await started();
  const late = await client.recipes.elect(NAME, { value: 'late' });
  await client.leases.revoke((await client.get(late.key)).entry?.leaseId ?? 0);
  const next = await client.recipes.elect(NAME, { value: 'next' });
  expect(await failureOf(late.proclaim('still here'))).toMatchObject({ code: 'leaseNotFound' });
  expect((await client.get(next.key)).entry?.json()).toBe('next');
  expect((await client.count({ prefix: NAME })).count).toBe(1);
});

test('what is proclaimed takes effect in order, once, also when answers are lost', async () => {
  const { address, client } = await started();
  const lossy = lossyClient(address);
  const leader = await lossy.client.recipes.elect(NAME, { value: 0 });
  await using observer = client.recipes.leaders(NAME);
  const values = [(await seen(observer))?.value];
  const proclaimed: Promise<void>[] = [];
  for (let value = 1; value <= 5; value++) {
    lossy.lose('Txn', value % 3);
    proclaimed.push(leader.proclaim(value));
    if (value % 2 === 0) await Promise.all(proclaimed);
  }
  await Promise.all(proclaimed);
  while (values.at(-1) !== 5) values.push((await seen(observer))?.value);
  expect(values).toEqual([0, 1, 2, 3, 4, 5]);
  expect((await client.get(leader.key)).entry).toMatchObject({ version: 6, createRevision: leader.token });
  // Its value goes with it.
  await leader.resign();
  expect(await seen(observer)).toBeUndefined();
});

test('observers go on over a restart of the server, and see what is', async () => {
  const server = await startTestServer();
  const client = clientOf(server.address);
  await using observer = clientOf(server.address).recipes.leaders<number>(NAME);
  const leader = await client.recipes.elect(NAME, { value: 1, ttlMs: 60_000 });
  expect(await seen(observer)).toMatchObject({ value: 1 });
  await server.stop();
  await startTestServer({ flags: { 'data-dir': server.dataDir, listen: server.address } });
  await leader.proclaim(2);
  expect(await seen(observer)).toEqual({ value: 2, token: leader.token });
  expect(leader.isHeld).toBe(true);
});

test('an observer ends with its signal, also while it waits', async () => {
  const { client } = await started();
  const ending = new AbortController();
  const observer = client.recipes.leaders(NAME, { signal: ending.signal });
  expect(await seen(observer)).toBeUndefined();
  const next = observer.next();
  ending.abort();
  expect(await next).toEqual({ done: true, value: undefined });
});

test('a value that is too long for observers is refused', async () => {
  const { client } = await started();
  expect(await failureOf(client.recipes.elect(NAME, { value: 'x'.repeat(65 * 1024) }))).toMatchObject({
    code: 'limitReached',
    mayHaveTakenEffect: false,
  });
});
