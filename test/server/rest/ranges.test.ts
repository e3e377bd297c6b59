/** Parts of values: `Range` and `If-Range`. */
import { describe, expect, test } from 'vitest';
import { byteRange } from '../../../src/server/rest/keys/byte-range.ts';
import { startTestServer } from '../../support/test-server.ts';
import { HttpClient, versions } from './http-client.ts';

const path = '/v1/keys/a';

describe.each(versions)('over %s', (version) => {
  async function written(body: string): Promise<HttpClient> {
    const http = new HttpClient((await startTestServer()).url, version);
    await http.ask({ method: 'PUT', path, body });
    return http;
  }

  test.each<[string, string, string]>([
    ['bytes=0-0', 'a', 'bytes 0-0/10'],
    ['bytes=2-4', 'cde', 'bytes 2-4/10'],
    ['bytes=7-', 'hij', 'bytes 7-9/10'],
    ['bytes=-3', 'hij', 'bytes 7-9/10'],
    ['bytes=8-100', 'ij', 'bytes 8-9/10'],
    ['bytes=-100', 'abcdefghij', 'bytes 0-9/10'],
  ])('%s is a part', async (range, part, contentRange) => {
    const http = await written('abcdefghij');
    const { status, headers, body } = await http.ask({ path, headers: { range } });
    expect([status, body.toString(), headers['content-range'], headers['content-length']]).toEqual([
      206,
      part,
      contentRange,
      String(part.length),
    ]);
  });

  test.each(['bytes=10-', 'bytes=10-11', 'bytes=-0'])('%s can not be satisfied', async (range) => {
    const http = await written('abcdefghij');
    const { status, headers, body } = await http.ask({ path, headers: { range } });
    expect([status, headers['content-range'], JSON.parse(body.toString()).code]).toEqual([
      416,
      'bytes */10',
      'rangeNotSatisfiable',
    ]);
  });

  test('of another state than If-Range names all is sent', async () => {
    const http = await written('abcdefghij');
    const { etag = '' } = (await http.ask({ path })).headers;
    const statuses: number[] = [];
    for (const ifRange of [etag, `W/${etag}`, '"x"', new Date().toUTCString()]) {
      const answer = await http.ask({ path, headers: { range: 'bytes=0-0', 'if-range': ifRange } });
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([206, 200, 200, 200]);
  });

  test('a condition is looked at before a range', async () => {
    const http = await written('abcdefghij');
    const { etag = '' } = (await http.ask({ path })).headers;
    expect((await http.ask({ path, headers: { range: 'bytes=99-', 'if-none-match': etag } })).status).toBe(
      304,
    );
    expect((await http.ask({ path, headers: { range: 'bytes=99-', 'if-match': '"x"' } })).status).toBe(412);
  });

  test('nothing is a part of an empty value', async () => {
    const http = await written('');
    expect((await http.ask({ path, headers: { range: 'bytes=0-' } })).headers['content-range']).toBe(
      'bytes */0',
    );
  });
});

test.each([
  '',
  'bytes',
  'bytes=',
  'bytes=-',
  'bytes=a-b',
  'bytes=4-2',
  'bytes=0-1,3-4',
  'lines=1-2',
  'bytes=0-1 x',
])('%j asks for all', (header) => expect(byteRange(header, 10)).toBe(undefined));
