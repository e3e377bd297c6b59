/** Conditional requests: entity tags, and when a write goes ahead. */
import { describe, expect, test } from 'vitest';
import { startTestServer, temporaryDirectory } from '../../support/test-server.ts';
import { tagList } from '../../../src/server/rest/keys/entity-tag.ts';
import { HttpClient, problemIn, versions } from './http-client.ts';

const path = '/v1/keys/a';

async function written(version: (typeof versions)[number]): Promise<{ http: HttpClient; tag: string }> {
  const http = new HttpClient((await startTestServer()).url, version);
  const { headers } = await http.ask({ method: 'PUT', path, body: 'value' });
  return { http, tag: headers['etag'] ?? '' };
}

/** Where `TAG` stands for that of the key as it is. */
type Case = readonly [
  header: string,
  value: string,
  isThere: boolean,
  status: { PUT: number; DELETE: number; GET: number },
];

const cases: readonly Case[] = [
  ['if-match', 'TAG', true, { PUT: 200, DELETE: 200, GET: 200 }],
  ['if-match', '"x", TAG', true, { PUT: 200, DELETE: 200, GET: 200 }],
  ['if-match', '"x,y" , , TAG', true, { PUT: 200, DELETE: 200, GET: 200 }],
  ['if-match', '*', true, { PUT: 200, DELETE: 200, GET: 200 }],
  ['if-match', '"x"', true, { PUT: 412, DELETE: 412, GET: 412 }],
  ['if-match', 'W/TAG', true, { PUT: 412, DELETE: 412, GET: 412 }],
  ['if-match', '"000000000000-1"', true, { PUT: 412, DELETE: 412, GET: 412 }],
  ['if-match', '"-1"', true, { PUT: 412, DELETE: 412, GET: 412 }],
  ['if-match', '*', false, { PUT: 412, DELETE: 412, GET: 412 }],
  ['if-match', '"x"', false, { PUT: 412, DELETE: 412, GET: 412 }],
  ['if-none-match', '*', true, { PUT: 412, DELETE: 412, GET: 304 }],
  ['if-none-match', 'TAG', true, { PUT: 412, DELETE: 412, GET: 304 }],
  ['if-none-match', '"x", W/TAG', true, { PUT: 412, DELETE: 412, GET: 304 }],
  ['if-none-match', '"x"', true, { PUT: 200, DELETE: 200, GET: 200 }],
  ['if-none-match', '*', false, { PUT: 201, DELETE: 404, GET: 404 }],
  ['if-none-match', '"x"', false, { PUT: 201, DELETE: 404, GET: 404 }],
];

describe.each(versions)('over %s', (version) => {
  test.each(cases)(
    '%s: %s of a key that is there (%s) is answered by %o',
    async (header, value, isThere, statuses) => {
      for (const method of ['GET', 'PUT', 'DELETE'] as const) {
        const { http, tag } = await written(version);
        if (!isThere) await http.ask({ method: 'DELETE', path });
        const body = method === 'PUT' ? { body: 'new' } : {};
        const headers = { [header]: value.replace('TAG', tag) };
        const { status } = await http.ask({ method, path, headers, ...body });
        expect([method, status]).toEqual([method, statuses[method]]);
        const after = await http.ask({ path });
        const isWritten = method === 'PUT' && status < 300;
        const isGone = !isThere || (method === 'DELETE' && status < 300);
        expect(after.body.toString()).toBe(isWritten ? 'new' : isGone ? after.body.toString() : 'value');
        expect(after.status).toBe(isWritten || !isGone ? 200 : 404);
      }
    },
  );

  test('a condition that fails says what is there', async () => {
    const { http, tag } = await written(version);
    const { status, body } = await http.ask({
      method: 'PUT',
      path,
      body: 'new',
      headers: { 'if-match': '"x"' },
    });
    expect([status, JSON.parse(body.toString())]).toEqual([
      412,
      {
        type: 'urn:kelpdb:error:conditionFailed',
        title: 'Precondition Failed',
        status: 412,
        detail: `If-Match does not hold: the key has the entity tag ${tag}`,
        code: 'conditionFailed',
        currentModRevision: 1,
      },
    ]);
  });

  test('what is not modified has the head of its value, and no body', async () => {
    const { http, tag } = await written(version);
    const { status, headers, body } = await http.ask({ path, headers: { 'if-none-match': tag } });
    expect([
      status,
      body.length,
      headers['etag'],
      headers['cache-control'],
      headers['content-length'],
    ]).toEqual([304, 0, tag, 'no-cache', undefined]);
  });

  test('of many that change the same value one alone goes ahead', async () => {
    const { http, tag } = await written(version);
    const headers = { 'if-match': tag };
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        http.ask({ method: 'PUT', path, body: `new ${index}`, headers }),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect([
      statuses.filter((status) => status === 200).length,
      statuses.filter((status) => status === 412).length,
    ]).toEqual([1, 49]);
    expect((await http.ask({ path })).body.toString()).toBe(`new ${statuses.indexOf(200)}`);
  });

  test.each([
    ['POST', '/v1/keys/n/increment', undefined],
    ['POST', '/v1/txn', '{"success":[{"put":{"key":"n","value":"2"}}]}'],
    ['DELETE', '/v1/keys?prefix=n', undefined],
  ])('%s %s refuses those that it would not look at', async (method, path, body) => {
    const http = new HttpClient((await startTestServer()).url, version);
    await http.ask({ method: 'PUT', path: '/v1/keys/n', body: '1' });
    for (const name of ['if-match', 'if-none-match', 'if-unmodified-since']) {
      const headers = { [name]: '"4c1d5b9a07e2-9"', 'content-type': 'application/json' };
      const refused = await http.ask({ method, path, headers, ...(body !== undefined && { body }) });
      expect(problemIn(refused)).toEqual([400, 400, 'invalidArgument', 'application/problem+json']);
      expect(JSON.parse(refused.body.toString()).detail).toMatch(`${name} is not looked at here`);
    }
    expect((await http.ask({ path: '/v1/keys/n' })).headers['kelp-revision']).toBe('1');
  });

  test('a restart changes no tag', async () => {
    const dataDir = await temporaryDirectory();
    const first = await startTestServer({ flags: { 'data-dir': dataDir } });
    const before = new HttpClient(first.url, version);
    const {
      headers: { etag: tag = '' },
    } = await before.ask({ method: 'PUT', path, body: 'value' });
    await first.stop();
    const second = new HttpClient((await startTestServer({ flags: { 'data-dir': dataDir } })).url, version);

    // Another life writes first.
    const other = await second.ask({ method: 'PUT', path: '/v1/keys/b', body: 'value' });
    expect(other.headers['etag']?.slice(0, 13)).not.toBe(tag.slice(0, 13));
    expect((await second.ask({ path })).headers['etag']).toBe(tag);
    expect((await second.ask({ path, headers: { 'if-none-match': tag } })).status).toBe(304);
    expect(
      (await second.ask({ method: 'PUT', path, body: 'new', headers: { 'if-match': tag } })).status,
    ).toBe(200);
  });

  test('a tag of another history does not match, though the revision is the same', async () => {
    const lost = await written(version);
    const { http, tag } = await written(version);
    expect(tag).not.toBe(lost.tag);
    expect(tag.split('-')[1]).toBe(lost.tag.split('-')[1]);
    const answers = [
      await http.ask({ method: 'PUT', path, body: 'new', headers: { 'if-match': lost.tag } }),
      await http.ask({ method: 'DELETE', path, headers: { 'if-match': lost.tag } }),
      await http.ask({ path, headers: { 'if-none-match': lost.tag } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([412, 412, 200]);
  });
});

describe('a list of entity tags', () => {
  test.each<[string, readonly string[] | '*']>([
    ['*', '*'],
    [' * ', '*'],
    ['"a"', ['"a"']],
    ['""', ['""']],
    ['W/"a","b,c" ,\t"d"', ['W/"a"', '"b,c"', '"d"']],
    [',, "a",', ['"a"']],
  ])('%j is read', (text, tags) => {
    expect(tagList('If-Match', text)).toEqual(tags);
  });

  test.each(['', ',', 'a', '"a', '"a" "b"', '*, "a"', 'w/"a"', '"a\u0000"', '"a";q=1'])(
    '%j is refused',
    (text) => {
      expect(() => tagList('If-Match', text)).toThrow('If-Match is neither * nor a list of entity tags');
    },
  );
});
