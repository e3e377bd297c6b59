/** Pages of keys over REST, and deletes of ranges. */
import { describe, expect, test } from 'vitest';
import { fixed } from '../../../src/limits.ts';
import { startTestServer } from '../../support/test-server.ts';
import { type HttpVersion, type Send, httpVersions, jsonOf, restClient } from './rest-client.ts';
import { KEPT_HISTORY_FLAGS } from '../../support/test-engine.ts';

interface Page {
  readonly entries: readonly Record<string, unknown>[];
  readonly nextPageToken?: string;
  readonly revision: number;
  readonly incarnation: string;
}

async function started(version: HttpVersion = '1.1', flags = {}): Promise<Send> {
  const { url } = await startTestServer({ flags });
  return restClient(url, version);
}

async function put(send: Send, key: string, value: string | Uint8Array = ''): Promise<void> {
  await send(`/v1/keys/${key}`, { method: 'PUT', body: value });
}

async function pageOf(send: Send, query: string): Promise<Page> {
  const reply = await send(`/v1/keys${query}`);
  expect(reply.status).toBe(200);
  expect(reply.headers['content-type']).toBe('application/json');
  return jsonOf(reply) as Page;
}

async function keysOf(send: Send, query: string): Promise<unknown[]> {
  return (await pageOf(send, query)).entries.map(({ key }) => key);
}

describe.each(httpVersions)('a page over HTTP/%s', (version) => {
  test('holds the entries of a range, text as text and other bytes marked', async () => {
    const send = await started(version);
    await put(send, 'a', 'dark "ä"\n');
    await put(send, 'b%FF', Uint8Array.of(0xff, 0xfe));
    await send('/v1/keys/c?ttl=1h', { method: 'PUT', body: '' });
    const { entries, revision, incarnation, nextPageToken } = await pageOf(send, '');
    expect({ revision, nextPageToken }).toEqual({ revision: 3, nextPageToken: undefined });
    expect(incarnation).toMatch(/^[0-9a-f]{32}$/);
    expect(entries).toEqual([
      { key: 'a', value: 'dark "ä"\n', createRevision: 1, modRevision: 1, version: 1 },
      { key: '', keyBytes: 'Yv8=', value: { base64: '//4=' }, createRevision: 2, modRevision: 2, version: 1 },
      {
        key: 'c',
        value: '',
        createRevision: 3,
        modRevision: 3,
        version: 1,
        expireTime: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
      },
    ]);
  });

  test('goes on page by page at one revision', async () => {
    const send = await started(version, KEPT_HISTORY_FLAGS);
    for (const key of ['a', 'b', 'c', 'd', 'e']) await put(send, key, '1');
    const first = await pageOf(send, '?limit=2');
    await put(send, 'c', '2');
    await send('/v1/keys/d', { method: 'DELETE' });
    const second = await pageOf(send, `?limit=2&page_token=${first.nextPageToken}`);
    const third = await pageOf(send, `?limit=2&page_token=${second.nextPageToken}`);
    const pages = [first, second, third];
    expect(pages.flatMap(({ entries }) => entries.map(({ key, value }) => [key, value]))).toEqual(
      ['a', 'b', 'c', 'd', 'e'].map((key) => [key, '1']),
    );
    expect(new Set(pages.map(({ revision }) => revision))).toEqual(new Set([5]));
    expect(third.nextPageToken).toBeUndefined();
  });

  test('is long, and comes whole', async () => {
    const send = await started(version);
    const value = '"\u0001ä'.repeat(60_000);
    for (const key of ['a', 'b', 'c']) await put(send, key, value);
    const { entries } = await pageOf(send, '');
    expect(entries.map((entry) => entry['value'] === value)).toEqual([true, true, true]);
  });
});

describe('the keys of a page', () => {
  test.each([
    ['', ['a/1', 'a/2', 'b', 'user:1:name', 'user:2:mail']],
    ['?prefix=a%2F', ['a/1', 'a/2']],
    ['?prefix=', ['a/1', 'a/2', 'b', 'user:1:name', 'user:2:mail']],
    ['?start=a%2F2', ['a/2', 'b', 'user:1:name', 'user:2:mail']],
    ['?start=a%2F2&end=user:', ['a/2', 'b']],
    ['?end=b', ['a/1', 'a/2']],
    ['?match=user:*:name', ['user:1:name']],
    ['?prefix=user:&match=*mail', ['user:2:mail']],
    ['?reverse=true&limit=2', ['user:2:mail', 'user:1:name']],
    ['?revision=2', ['a/1', 'a/2']],
    ['?prefix=nothing', []],
  ])('for %j', async (query, keys) => {
    const send = await started();
    for (const key of ['a%2F1', 'a%2F2', 'b', 'user:1:name', 'user:2:mail']) await put(send, key);
    expect(await keysOf(send, query)).toEqual(keys);
  });

  test('are without values where only keys are asked for', async () => {
    const send = await started();
    await put(send, 'a', 'long');
    const { entries } = await pageOf(send, '?keys_only=true');
    expect(entries).toEqual([{ key: 'a', createRevision: 1, modRevision: 1, version: 1 }]);
  });

  test('are 1000 unless it is said how many', async () => {
    const send = await started();
    const puts = Array.from({ length: 1001 }, (_, index) => ({ put: { key: `k${index}`, value: '' } }));
    await send('/v1/txn', { method: 'POST', body: { success: puts } });
    expect(await keysOf(send, '')).toHaveLength(fixed.pageLimitDefault);
    expect(await keysOf(send, '?limit=5000')).toHaveLength(1001);
  });
});

test('HEAD of a page has no body', async () => {
  const send = await started();
  await put(send, 'a', 'x'.repeat(1_000_000));
  const reply = await send('/v1/keys', { method: 'HEAD' });
  expect([reply.status, reply.headers['content-type'], reply.text]).toEqual([200, 'application/json', '']);
});

describe('a delete of a range', () => {
  test.each([
    ['?prefix=a', 2, ['b', 'c']],
    ['?start=b', 2, ['a1', 'a2']],
    ['?start=a2&end=c', 2, ['a1', 'c']],
    ['?end=b', 2, ['b', 'c']],
    ['?all=true', 4, []],
    ['?all=false&prefix=c', 1, ['a1', 'a2', 'b']],
    ['?prefix=x', 0, ['a1', 'a2', 'b', 'c']],
    ['?all=true&in_parts=true', 4, []],
  ])('with %j tells how many there were', async (query, deletedCount, left) => {
    const send = await started();
    for (const key of ['a1', 'a2', 'b', 'c']) await put(send, key);
    const reply = await send(`/v1/keys${query}`, { method: 'DELETE' });
    expect([reply.status, jsonOf(reply)]).toMatchObject([
      200,
      { deletedCount, revision: deletedCount > 0 ? 5 : 4 },
    ]);
    expect(await keysOf(send, '')).toEqual(left);
  });
});

describe('refused, and nothing is deleted:', () => {
  test.each([
    ['DELETE', '/v1/keys', 400, /which keys\? Give prefix, .*all=true/],
    ['DELETE', '/v1/keys?all=false', 400, /which keys\?/],
    ['DELETE', '/v1/keys?prefix=', 400, /prefix is empty; .*all=true/],
    ['DELETE', '/v1/keys?start=a&end=', 400, /end is empty/],
    [
      'DELETE',
      '/v1/keys?all=true&prefix=a',
      400,
      /all=true deletes all keys there are, and prefix only some/,
    ],
    ['DELETE', '/v1/keys?prefix=a&start=a', 400, /not by several of them/],
    ['DELETE', '/v1/keys?start=b&end=a', 400, /does not lie after its start/],
    ['DELETE', '/v1/keys?prefixx=a', 400, /did you mean prefix\?/],
    ['DELETE', '/v1/keys?prefix=a&prefix=b', 400, /prefix is given twice/],
    ['DELETE', '/v1/keys?all=yes', 400, /all must be true or false/],
    ['GET', '/v1/keys?limit=-1', 400, /limit must be a whole number/],
    ['GET', '/v1/keys?limit=1.5', 400, /limit must be a whole number/],
    ['GET', '/v1/keys?page_token=nonsense', 400, /token/],
    ['GET', '/v1/keys?match=', 400, /pattern is empty/],
    ['GET', '/v1/keys?match=[a', 400, /pattern/],
    ['GET', '/v1/keys?match=%FF', 400, /match is malformed: its bytes are no UTF-8/],
    ['GET', '/v1/keys?revision=99', 400, /99 has not been reached; the newest is 1/],
    ['GET', '/v1/keys?prefix=%zz', 400, /prefix is malformed/],
    ['GET', `/v1/keys?prefix=${'x'.repeat(5000)}`, 400, /prefix/],
    ['POST', '/v1/keys', 405, /GET, DELETE|DELETE, GET/],
  ])('%s %s', async (method, path, status, detail) => {
    const send = await started();
    await put(send, 'a', '1');
    const reply = await send(path, { method });
    expect(reply.headers['content-type']).toBe('application/problem+json');
    expect([reply.status, jsonOf(reply)]).toEqual([
      status,
      expect.objectContaining({ status, detail: expect.stringMatching(detail) as unknown }),
    ]);
    expect(await keysOf(send, '')).toEqual(['a']);
  });
});

test('a page of a revision that is compacted says which is the oldest', async () => {
  const { url } = await startTestServer({ flags: { 'history-revisions-max': '1' } });
  const send = restClient(url);
  for (const value of ['1', '2', '3', '4']) await put(send, 'a', value);
  await expect
    .poll(async () => {
      const reply = await send('/v1/keys?revision=1');
      return [reply.status, jsonOf(reply)];
    })
    .toMatchObject([410, { code: 'revisionCompacted', requestedRevision: 1, newestRevision: 4 }]);
});
