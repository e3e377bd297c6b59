import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { KvService } from '../../gen/kelp/v1/kv_pb.ts';
import type { KelpClient } from '../../src/client/client.ts';
import { broken, clientOf, failureOf } from './support/fake-server.ts';
import type { Key } from '../../src/api.ts';

/** A server with these keys whose pages hold at most `pageMax` of them, and which counts its pages. */
function pagingClient(keys: string[], pageMax: number): { client: KelpClient; pages: () => number } {
  let pages = 0;
  const pageOf = (pageToken: string, limit: number): { page: string[]; nextPageToken: string } => {
    pages++;
    const begin = Number(pageToken || '0');
    const page = keys.slice(begin, begin + Math.min(limit, pageMax));
    const end = begin + page.length;
    return { page, nextPageToken: end < keys.length ? String(end) : '' };
  };
  const { client } = clientOf((router) => {
    router.service(KvService, {
      keys: ({ pageToken, limit }) => {
        const { page, nextPageToken } = pageOf(pageToken, limit);
        return { keys: page, nextPageToken, revision: 4n };
      },
    });
  });
  return { client, pages: () => pages };
}

const keysOf = (count: number): string[] => Array.from({ length: count }, (_, index) => `k${index}`);

test('a list goes over all pages, whatever their size, up to its limit', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(30),
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 1, max: 10 }),
      async (count, pageMax, limit, pageSize) => {
        const keys = keysOf(count);
        const { client } = pagingClient(keys, pageMax);
        expect(await client.keys('*', { pageSize }).toArray()).toEqual(keys);
        expect(await client.keys('*', { pageSize, limit }).toArray()).toEqual(keys.slice(0, limit));
      },
    ),
  );
});

test('a list of keys reads nothing ahead of the loop, and can be read again', async () => {
  const { client, pages } = pagingClient(keysOf(7), 3);
  const list = client.keys('*', { pageSize: 3 });
  for await (const key of list) if (key === 'k3') break;
  expect(pages()).toBe(2);
  const sizes: [number, number][] = [];
  for await (const page of list.pages()) sizes.push([page.items.length, page.revision]);
  expect(sizes).toEqual([
    [3, 4],
    [3, 4],
    [1, 4],
  ]);
});

test('empty pages in the middle do not end a list', async () => {
  const pages = [['a'], [], [], ['b']];
  const { client } = clientOf((router) => {
    router.service(KvService, {
      keys: ({ pageToken }) => {
        const index = Number(pageToken || '0');
        return { keys: pages[index] ?? [], nextPageToken: index + 1 < pages.length ? String(index + 1) : '' };
      },
    });
  });
  expect(await client.keys('?').toArray()).toEqual(['a', 'b']);
});

test('a page whose answer was lost is asked for again', async () => {
  let tries = 0;
  const { client } = clientOf((router) => {
    router.service(KvService, {
      keys: ({ pageToken }) => {
        tries++;
        if (tries % 2 === 1) throw broken();
        return pageToken === '' ? { keys: ['a'], nextPageToken: '1' } : { keys: ['b'] };
      },
    });
  });
  expect(await client.keys().toArray()).toEqual(['a', 'b']);
  expect(tries).toBe(4);
});

test('a list goes on where it is over outages longer than the deadline of one page would be alone', async () => {
  const keys = keysOf(40);
  let downUntilMs = 0;
  const { client, pace } = clientOf((router) => {
    router.service(KvService, {
      keys: ({ pageToken, limit }) => {
        if (pace.nowMs < downUntilMs) throw broken();
        // Down again before the next page, for most of its deadline.
        downUntilMs = pace.nowMs + 9_000;
        const end = Number(pageToken || '0') + limit;
        return {
          keys: keys.slice(end - limit, end),
          nextPageToken: end < keys.length ? String(end) : '',
          revision: 4n,
        };
      },
    });
  });
  const beganAtMs = pace.nowMs;
  expect(await client.keys('*', { pageSize: 4 }).toArray()).toEqual(keys);
  expect(pace.nowMs - beganAtMs).toBeGreaterThan(9 * 9_000);
});

test('an aborted list throws rather than look complete', async () => {
  const controller = new AbortController();
  const { client } = pagingClient(keysOf(9), 3);
  const seen: Key[] = [];
  const reading = (async () => {
    for await (const key of client.keys('*', { signal: controller.signal })) {
      seen.push(key);
      if (seen.length === 2) controller.abort();
    }
  })();
  expect(await failureOf(reading)).toMatchObject({ code: 'canceled' });
  expect(seen.length).toBeLessThan(9);
});

test.each([
  ['limit', { limit: -1 }],
  ['limit', { limit: Number.NaN }],
  ['pageSize', { pageSize: -1 }],
])('a %s that makes no sense is refused when the list is read', async (name, options) => {
  const { client } = pagingClient([], 1);
  const failure = await failureOf(client.keys('*', options).toArray());
  expect(failure).toMatchObject({ code: 'invalidArgument', message: expect.stringContaining(name) });
});
