/** The client over a server that is stopped, or cut off, and started again while everything is under way. */
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ClientOptions } from '../../../src/client/client-options.ts';
import type { KelpClient } from '../../../src/client/client.ts';
import { createClient } from '../../../src/client/client.ts';
import { KelpError } from '../../../src/client/errors/error.ts';
import { type TestServer, startTestServer, temporaryDirectory } from '../../support/test-server.ts';
import { FakePace, failureOf } from '../support/fake-server.ts';

const ROUNDS = 3;
const KEYS = 120;
const DAY_MS = 24 * 60 * 60 * 1000;

function clientFor(server: TestServer, options: Partial<ClientOptions> = {}, pace?: FakePace): KelpClient {
  const client = createClient({ address: server.address, ...options }, pace);
  onTestFinished(() => client.close());
  return client;
}

/** Work that goes on until it is told to stop, and how often it was done. */
class Workers {
  readonly #over = new AbortController();
  readonly #running: Promise<void>[] = [];
  readonly #counts: number[] = [];
  #wake = (): void => undefined;

  add(work: (round: number) => Promise<void>): void {
    const index = this.#counts.push(0) - 1;
    this.#running.push(
      (async () => {
        while (!this.#over.signal.aborted) {
          const count = this.#counts[index] ?? 0;
          await work(count);
          this.#counts[index] = count + 1;
          this.#wake();
        }
      })(),
    );
  }

  /** Waits until each has been done again; rejects when one fails. */
  async allOnceMore(): Promise<void> {
    const before = [...this.#counts];
    const failed = Promise.all(this.#running);
    // Two more: the first may have been all but over.
    while (this.#counts.some((count, index) => count < (before[index] ?? 0) + 2)) {
      await Promise.race([failed, new Promise<void>((resolve) => (this.#wake = resolve))]);
    }
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#running);
  }
}

const ways: readonly (readonly [string, (server: TestServer) => Promise<void>])[] = [
  ['stopped', (server) => server.stop()],
  // Connections first, as when a machine goes.
  ['cut off', (server) => (server.abort(), server.stop())],
];

describe.each(ways)('while the server is %s and started again', (_, end) => {
  test('reads, scans, writes and a lease go on', async () => {
    const dataDir = join(await temporaryDirectory(), 'data');
    let server = await startTestServer({ flags: { 'data-dir': dataDir } });
    // Time runs fast: what is to be tried again is tried without a pause, many times in each outage.
    const client = clientFor(server, { deadlineMs: 1000 * DAY_MS }, new FakePace());
    const keys = Array.from({ length: KEYS }, (_, index) => `k/${String(index).padStart(4, '0')}`);
    await client.txn({ success: keys.map((key) => ({ kind: 'put', key, value: key })) });
    const lease = (await client.leases.grant(1000 * DAY_MS)).keepAlive();
    await client.put('held', '', { leaseId: lease.id });

    const acknowledged: string[] = [];
    const open: string[] = [];
    const workers = new Workers();
    workers.add(async () => expect((await client.get('k/0007')).entry?.text()).toBe('k/0007'));
    workers.add(async () => {
      const seen = await client.scan({ prefix: 'k/' }, { pageSize: 7 }).toArray();
      expect(seen.map(({ key }) => key)).toEqual(keys);
    });
    workers.add(async () => {
      expect(await client.keys('k/*', { pageSize: 11 }).toArray()).toEqual(keys);
    });
    workers.add(async () => {
      expect(await client.leases.list().toArray()).toMatchObject([{ leaseId: lease.id, keyCount: 1 }]);
    });
    workers.add(async (round) => {
      const key = `w/${String(round).padStart(6, '0')}`;
      const condition = { kind: 'mustNotExist' } as const;
      try {
        // Made twice it would fail.
        await client.put(key, '', { condition });
        acknowledged.push(key);
      } catch (error) {
        if (!(error instanceof KelpError)) throw error;
        expect(error).toMatchObject({ code: 'unavailable', mayHaveTakenEffect: true });
        open.push(key);
      }
    });

    for (let round = 0; round < ROUNDS; round++) {
      await workers.allOnceMore();
      await end(server);
      server = await startTestServer({ flags: { 'data-dir': dataDir, listen: server.address } });
    }
    await workers.allOnceMore();
    await workers.stop();

    expect(lease.signal.aborted).toBe(false);
    lease.close();
    const written = await client.keys('w/*').toArray();
    expect(written).toEqual(expect.arrayContaining(acknowledged));
    expect([...acknowledged, ...open]).toEqual(expect.arrayContaining(written));
    // Each end leaves at most the one write open that was under way.
    expect(open.length).toBeLessThanOrEqual(ROUNDS);
  });
});

test('a call whose deadline is shorter than the outage says what it knows', async () => {
  const server = await startTestServer();
  const pace = new FakePace();
  const client = clientFor(server, {}, pace);
  await client.put('a', '1');
  await server.stop();
  const failures = await Promise.all([failureOf(client.get('a')), failureOf(client.put('a', '2'))]);
  for (const failure of failures) {
    // The last try may be cut by the deadline; then the failure before is told, too.
    expect(failure).toMatchObject({
      code: expect.stringMatching(/^(unavailable|deadlineExceeded)$/),
      mayHaveTakenEffect: false,
      cause: { name: 'KelpError' },
    });
    expect(String(failure)).toMatch(/connection refused; is it running\?/);
    expect(String(failure)).toMatch(/tried \d+ times in \d+ ms/);
  }
});
