/** A page in Chromium watches by its `EventSource`, over stops of the server, and learns when it has to begin anew. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestServer, startTestServer, temporaryDirectory } from '../support/test-server.ts';
import { Chromium, type Page, isChromiumInstalled, keyOf } from './chromium.ts';

/** What the page keeps. */
interface Seen {
  /** Of events, their types and revisions, and the ids that came with them. */
  readonly events: readonly (readonly [type: string, revision: number, id: string])[];
  readonly readyState: number;
}

interface PageState {
  source: { readonly readyState: number };
  events: (readonly [string, number, string])[];
}

/** In the page: begins to watch. */
async function begin(path: string): Promise<void> {
  interface Message {
    readonly type: string;
    readonly data?: string;
    readonly lastEventId?: string;
  }
  const page = globalThis as unknown as PageState & {
    EventSource: new (path: string) => {
      readonly readyState: number;
      addEventListener(type: string, listener: (event: Message) => void): void;
    };
  };
  const source = new page.EventSource(path);
  page.source = source;
  page.events = [];
  for (const type of ['message', 'synced', 'error']) {
    source.addEventListener(type, ({ data, lastEventId = '' }) => {
      // The `error` of a lost connection has no data.
      if (data === undefined) return;
      const { revision = 0 } = JSON.parse(data) as { revision?: number };
      page.events.push([type, revision, lastEventId]);
    });
  }
  await Promise.resolve();
}

/** In the page: waits until it has seen so many events besides errors, or has stopped. */
async function seen(count: number): Promise<Seen> {
  const page = globalThis as unknown as PageState;
  const CLOSED = 2;
  const eventCount = (): number => page.events.filter(([type]) => type !== 'error').length;
  while (eventCount() < count && page.source.readyState !== CLOSED) {
    await new Promise<void>((resolve) => setTimeout(resolve, 20));
  }
  return { events: page.events, readyState: page.source.readyState };
}

describe.runIf(isChromiumInstalled)('EventSource in Chromium', { timeout: 60_000 }, () => {
  let chromium: Chromium;
  beforeAll(async () => {
    chromium = await Chromium.start(keyOf('test/support/tls/cert.pem'));
  });
  afterAll(() => chromium.close());

  async function put(server: TestServer, key: string): Promise<void> {
    expect((await fetch(`${server.url}/v1/keys/${key}`, { method: 'PUT', body: '' })).status).toBe(201);
  }

  async function watching(server: TestServer): Promise<Page> {
    const page = await chromium.open(`${server.url}/healthz`);
    await page.run(begin, '/v1/watch?prefix=w');
    await page.run(seen, 1);
    return page;
  }

  /** Another server at the same address. */
  function after({ address }: TestServer, dataDir: string): Promise<TestServer> {
    return startTestServer({ flags: { listen: address, 'data-dir': dataDir } });
  }

  test('is told each revision once, over a stop of the server', async () => {
    const server = await startTestServer();
    const page = await watching(server);
    await put(server, 'w1');
    await put(server, 'other');
    await put(server, 'w2');
    await page.run(seen, 3);
    await server.stop();
    const next = await after(server, server.dataDir);
    await put(next, 'w3');
    await put(next, 'w4');
    const { events, readyState } = await page.run(seen, 6);
    const told = events.filter(([type]) => type === 'message');
    expect(told.map(([, revision]) => revision)).toEqual([1, 3, 4, 5]);
    expect(told.map(([, , id]) => id)).toEqual(
      [1, 3, 4, 5].map(
        (revision) => expect.stringMatching(new RegExp(`^[0-9a-f]{12}-${revision}$`)) as unknown,
      ),
    );
    // One as the server stops, and another when it is asked before it is ready again.
    expect(events.filter(([type]) => type === 'error').length).toBeGreaterThanOrEqual(1);
    expect(readyState).not.toBe(2);
  });

  test('stops when the server has another history by then', async () => {
    const server = await startTestServer();
    const page = await watching(server);
    await put(server, 'w1');
    await page.run(seen, 2);
    await server.stop();
    const other = await after(server, await temporaryDirectory());
    await put(other, 'w1');
    const { events, readyState } = await page.run(seen, 99);
    expect(readyState).toBe(2);
    expect(events.filter(([type]) => type !== 'error').map(([type]) => type)).toEqual(['synced', 'message']);
  });
});
