/** Requests of REST and of scripts that change something, made at a follower: each is answered as the writer answers it. */
import { expect, test } from 'vitest';
import { startTestServer } from '../../support/test-server.ts';
import { httpRows } from '../access/http-rows.ts';
import { type HttpVersion, type RestReply, httpVersions, restClient } from '../rest/rest-client.ts';
import { startNodes } from './nodes.ts';

/** What names a store: in entity tags and by itself. */
const CHANCE = /"incarnation":"[^"]*"|"[0-9a-f]{12}-\d+"|\\"[0-9a-f]{12}-\d+\\"/g;

function comparable({ status, headers, text }: RestReply): unknown {
  const { etag, 'content-type': type, allow } = headers;
  return { status, type, allow, hasTag: etag !== undefined, text: text.replaceAll(CHANCE, '') };
}

test.each(httpVersions)(
  'over HTTP/%s a follower answers as the writer does',
  async (version: HttpVersion) => {
    const alone = restClient((await startTestServer()).url, version);
    const { follower } = await startNodes();
    const passedOn = restClient(follower.url, version);
    let count = 0;
    for (const { operation, path, headers, body } of httpRows) {
      const [method = ''] = operation.split(' ');
      if (method === 'GET' || method === '') continue;
      count++;
      const request = { method, headers, body };
      const answer = comparable(await passedOn(path, request));
      expect(answer, `${method} ${path}`).toEqual(comparable(await alone(path, request)));
    }
    expect(count).toBeGreaterThan(20);
    const { text } = await passedOn('/v1/keys?consistency=local');
    expect(JSON.parse(text)).toMatchObject({ entries: [] });
    expect(follower.view.barrierCount).toBe(0);
  },
);

test('a body of any length goes through, both ways, and so does the head of a refused one', async () => {
  const { writer, follower } = await startNodes();
  const passedOn = restClient(follower.url);
  const body = Buffer.alloc(3_000_000, 'kelp');
  const put = await passedOn('/v1/keys/long', { method: 'PUT', body });
  expect(put.status).toBe(201);
  const { text, headers } = await restClient(writer.url)('/v1/keys/long');
  expect(headers['etag']).toBe(put.headers['etag']);
  expect(text.length).toBe(body.length);
  const refused = await passedOn('/v1/keys/long', { method: 'PUT', headers: { 'if-none-match': '*' }, body });
  expect(refused.status).toBe(412);
  expect(JSON.parse(refused.text)).toMatchObject({ code: 'conditionFailed' });
  expect(refused.headers['content-type']).toBe('application/problem+json');
});
