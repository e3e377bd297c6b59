/** Client-side caching in a cluster: at the writer by way of a follower, and behind READONLY of the follower's own state. */
import { expect, test } from 'vitest';
import { ErrorReply } from '../support/decoded-reply.ts';
import { namesOf } from '../tracking/tracked-clients.ts';
import { startPair } from './test-node.ts';

const OK = { text: 'OK' };

test('a connection that is passed on is told by the writer', async () => {
  const { writer, follower } = await startPair();
  const client = await follower.connect();
  await client.run('HELLO', '3');
  expect(await client.run('CLIENT', 'TRACKING', 'ON')).toMatchObject(OK);
  expect(writer.door.count).toBe(1);
  expect(await client.run('GET', 'k')).toBe(null);
  await writer.store.put('k', 'v');
  expect(namesOf(await client.next())).toEqual(['k']);
  expect(await client.run('GET', 'k')).toBe('v');
});

test('behind READONLY a client is told of what becomes visible at the follower', async () => {
  const { writer, follower } = await startPair();
  const client = await follower.connect();
  await client.run('HELLO', '3');
  await client.run('READONLY');
  expect(await client.run('CLIENT', 'TRACKING', 'ON')).toMatchObject(OK);
  expect(await client.run('GET', 'k')).toBe(null);
  await follower.store.put('k', 'v');
  expect(namesOf(await client.next())).toEqual(['k']);
  expect(await client.run('GET', 'k')).toBe('v');
  expect(writer.door.count).toBe(0);
});

test('what is for the writer is refused while reads of the follower are tracked, and goes there behind OFF', async () => {
  const { writer, follower } = await startPair();
  const client = await follower.connect();
  await client.run('READONLY');
  expect(await client.run('CLIENT', 'TRACKING', 'ON', 'REDIRECT', '1')).toEqual(
    new ErrorReply(
      'ERR a follower of a cluster redirects no invalidations: track in RESP3, or at the writer, without READONLY',
    ),
  );
  expect(await client.run('CLIENT', 'TRACKING', 'ON')).toMatchObject(OK);
  const refused = { text: expect.stringMatching(/^READONLY this connection tracks keys/) as string };
  expect(await client.run('PUBLISH', 'c', 'm')).toMatchObject(refused);
  await client.run('READWRITE');
  expect(await client.run('SET', 'k', 'v')).toMatchObject(refused);
  expect(await client.run('CLIENT', 'TRACKING', 'OFF')).toMatchObject(OK);
  expect(writer.door.count).toBe(0);
  expect(await client.run('SET', 'k', 'v')).toMatchObject(OK);
  expect(writer.door.count).toBe(1);
});
