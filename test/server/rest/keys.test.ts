/** Single keys over REST: what is read, written and deleted. */
import { describe, expect, test } from 'vitest';
import { startTestServer } from '../../support/test-server.ts';

describe('a key', () => {
  test('is written, read and deleted', async () => {
    const { url } = await startTestServer();
    const path = `${url}/v1/keys/user%2F1`;

    const created = await fetch(path, { method: 'PUT', body: 'Alice' });
    expect([created.status, await created.json()]).toEqual([
      201,
      { revision: 1, createRevision: 1, version: 1, created: true },
    ]);
    const replaced = await fetch(path, { method: 'PUT', body: 'Bob' });
    expect([replaced.status, await replaced.json()]).toEqual([
      200,
      { revision: 2, createRevision: 1, version: 2, created: false },
    ]);
    const read = await fetch(path);
    expect([read.status, await read.text()]).toEqual([200, 'Bob']);
    const old = await fetch(`${path}?revision=1`);
    expect(await old.text()).toBe('Alice');
    const deleted = await fetch(path, { method: 'DELETE' });
    expect([deleted.status, await deleted.json()]).toEqual([200, { revision: 3, deleted: true }]);
    const gone = await fetch(path);
    expect([gone.status, await gone.json()]).toEqual([
      404,
      {
        type: 'urn:kelpdb:error:keyNotFound',
        title: 'Not Found',
        status: 404,
        detail: 'there is no such key',
        code: 'keyNotFound',
      },
    ]);
  });
});
