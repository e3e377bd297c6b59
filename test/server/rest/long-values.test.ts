/** The longest values there may be, in and out: once in memory, at the pace of the client. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/test-server.ts';
import { HttpClient, versions } from './http-client.ts';

const MiB = 1024 * 1024;
const VALUE_BYTES = 64 * MiB;
/** What sockets and buffers of either side take besides, and what is not swept yet. */
const SLACK_BYTES = 16 * MiB;
const path = '/v1/keys/long';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What buffers hold that are in use. */
function bufferBytes(): number {
  collect();
  // What the first has found is freed beside the program; the next one waits until that is done.
  collect();
  return process.memoryUsage().arrayBuffers;
}

function server(): Promise<TestServer> {
  return startTestServer({
    flags: {
      'value-bytes-max': '64MiB',
      'txn-bytes-max': '65MiB',
      'request-bytes-max': '65MiB',
      'reply-bytes-max': '65MiB',
      'memory-limit': '2GiB',
    },
  });
}

/** Sends a value of which no part is like another. */
async function put(http: HttpClient, check: () => void): Promise<number> {
  const { request, head } = http.begin({
    method: 'PUT',
    path,
    headers: { 'content-length': String(VALUE_BYTES) },
  });
  const chunk = Buffer.alloc(MiB);
  for (let index = 0; index < VALUE_BYTES / MiB; index++) {
    chunk.fill(`${index},`);
    await new Promise((resolve) => request.write(chunk, resolve));
    if (index % 8 === 7) check();
  }
  request.end();
  const { status, body } = await head;
  body.resume();
  await once(body, 'end');
  return status;
}

describe.each(versions)('over %s', { timeout: 120_000 }, (version) => {
  test('the longest value is in memory once as it comes, and once as it goes to a client that does not read', async () => {
    const { url } = await server();
    const http = new HttpClient(url, version);
    const before = bufferBytes();
    const whileItComes: number[] = [];
    expect(await put(http, () => void whileItComes.push(bufferBytes() - before))).toBe(201);
    expect(Math.max(...whileItComes)).toBeLessThan(VALUE_BYTES + SLACK_BYTES);
    expect(whileItComes.length).toBe(8);

    const stored = bufferBytes();
    const { request, head } = http.begin({ path });
    request.end();
    const { status, headers, body } = await head;
    expect([status, headers['content-length']]).toEqual([200, String(VALUE_BYTES)]);
    // The other requests of the server go on, and nothing more of this one is made for them.
    const other = new HttpClient(url, version);
    for (let count = 0; count < 5; count++) {
      expect((await other.ask({ path: '/v1/keys/none' })).status).toBe(404);
      expect(bufferBytes() - stored).toBeLessThan(VALUE_BYTES + SLACK_BYTES);
    }
    let at = 0;
    const expected = Buffer.alloc(MiB);
    for await (const chunk of body as AsyncIterable<Buffer>) {
      for (let done = 0; done < chunk.length;) {
        if (at % MiB === 0) expected.fill(`${at / MiB},`);
        const count = Math.min(chunk.length - done, MiB - (at % MiB));
        if (chunk.compare(expected, at % MiB, (at % MiB) + count, done, done + count) !== 0) {
          throw new Error(`the bytes near ${at} are others`);
        }
        at += count;
        done += count;
      }
    }
    expect(at).toBe(VALUE_BYTES);
  });

  test('a part of a long value takes no more than the part', async () => {
    const { url } = await server();
    const http = new HttpClient(url, version);
    await put(http, () => undefined);
    const { request, head } = http.begin({ path, headers: { range: `bytes=${MiB}-${9 * MiB - 1}` } });
    const before = bufferBytes();
    request.end();
    const { status, body } = await head;
    expect(status).toBe(206);
    expect(bufferBytes() - before).toBeLessThan(8 * MiB + SLACK_BYTES);
    const chunks = (await body.toArray()) as Buffer[];
    expect(Buffer.concat(chunks).subarray(0, 4).toString()).toBe('1,1,');
    expect(chunks.reduce((sum, { length }) => sum + length, 0)).toBe(8 * MiB);
  });
});
