/** Calls that travel together against a real server: what a program sees is what it sees of calls that go by themselves. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createServer as createProxy, connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import type { ClientOptions } from '../../../src/client/client-options.ts';
import type { KelpClient } from '../../../src/client/client.ts';
import { createClient } from '../../../src/client/client.ts';
import { client as limits } from '../../../src/limits.ts';
import { eventually } from '../../support/eventually.ts';
import { SeededRandom } from '../../support/random.ts';
import { KEPT_HISTORY_FLAGS } from '../../support/test-engine.ts';
import { startTestServer } from '../../support/test-server.ts';

type Call = (client: KelpClient) => Promise<unknown>;

function clientFor(address: string, options: Partial<ClientOptions> = {}): KelpClient {
  const client = createClient({ address, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** How many streams of batches the server had. */
function pipelineCount(lines: readonly Record<string, unknown>[]): number {
  return lines.filter(({ method }) => method === 'kelp.v1.KvService/Pipeline').length;
}

/** What a call gave, without what differs from one run to the next. */
async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    const { code, details, message, mayHaveTakenEffect } = error as Record<string, unknown>;
    return { code, details, message, mayHaveTakenEffect };
  }
}

test('random bursts give what the same calls give one after the other', { timeout: 300_000 }, async () => {
  const seed = 20261127;
  const random = new SeededRandom(seed);
  const key = (): string => `k${random.between(0, 9)}`;
  const write = (): Call => {
    const name = key();
    const text = random.chance(0.5) ? `${random.between(0, 99)}` : 'text';
    const returnPrevious = random.chance(0.5);
    const revision = random.between(1, 200);
    const delta = random.between(-5, 5);
    switch (random.below(8)) {
      case 0:
      case 1:
        return (client) => client.put(name, text, { returnPrevious });
      case 2:
        return (client) => client.put(name, text, { condition: { kind: 'mustNotExist' } });
      case 3:
        return (client) =>
          client.put(name, text, { condition: { kind: 'modRevisionEquals', modRevision: revision } });
      case 4:
        return (client) => client.put(name, text, { leaseId: 77 });
      case 5:
        return (client) => client.delete(name, { returnPrevious });
      case 6:
        return (client) => client.increment(name, delta);
      default:
        return (client) => client.touch(name);
    }
  };
  const read = (): Call => {
    const [name, other] = [key(), key()];
    const revision = random.chance(0.3) ? 1_000_000 : 0;
    return random.chance(0.7)
      ? (client) => client.get(name, { revision })
      : (client) => client.exists([name, other, new Uint8Array([0xff])]);
  };
  // What is said of a revision tells which is the oldest.
  const flags = KEPT_HISTORY_FLAGS;
  const server = await startTestServer({ flags });
  const together = clientFor(server.address, { deadlineMs: 60_000 });
  const other = (await startTestServer({ flags })).address;
  const alone = clientFor(other, { deadlineMs: 60_000, pipeline: false });
  for (let burst = 0; burst < 60; burst++) {
    for (const kind of [write, read]) {
      const calls = Array.from({ length: random.between(limits.pipelineCallsMin, 40) }, kind);
      const outcomes = await Promise.all(calls.map((call) => outcomeOf(call(together))));
      const expected: unknown[] = [];
      for (const call of calls) expected.push(await outcomeOf(call(alone)));
      expect(outcomes, `burst ${burst} of seed ${seed}`).toEqual(expected);
    }
  }
  together.close();
  // One for writes and one for reads, and others where a stream has rested for too long between bursts.
  await eventually(() => pipelineCount(server.log.lines)).toBeGreaterThanOrEqual(2);
  expect(pipelineCount(server.log.lines)).toBeLessThanOrEqual(2 * 60);
});

test('writes of one turn take effect in their order', async () => {
  const server = await startTestServer();
  const client = clientFor(server.address);
  const puts = Array.from({ length: 500 }, (_, index) => client.put('a', `${index}`));
  const revisions = (await Promise.all(puts)).map(({ revision }) => revision);
  expect(revisions).toEqual(revisions.map((_, index) => index + 1));
  expect((await client.get('a')).entry?.text()).toBe('499');
});

test('entries that are too long for one reply together come one by one', async () => {
  const server = await startTestServer({
    flags: { 'value-bytes-max': '16KiB', 'txn-bytes-max': '64KiB', 'reply-bytes-max': '64KiB' },
  });
  const client = clientFor(server.address);
  const keys = Array.from({ length: 40 }, (_, index) => `k${index}`);
  const value = 'v'.repeat(limits.pipelineCallBytesMax - 100);
  await Promise.all(keys.map((key) => client.put(key, value)));
  const results = await Promise.all(keys.map((key) => client.get(key)));
  expect(results.map(({ entry }) => entry?.text())).toEqual(keys.map(() => value));
  const replaced = await Promise.all(keys.map((key) => client.put(key, 'new', { returnPrevious: true })));
  expect(replaced.map(({ previous }) => previous?.text())).toEqual(keys.map(() => value));
  expect((await client.admin.status()).revision).toBe(2 * keys.length);
});

test('a value of a batch that is kept does not keep the rest of it', async () => {
  const server = await startTestServer();
  const client = clientFor(server.address);
  const keys = Array.from({ length: 200 }, (_, index) => `k${index}`);
  await Promise.all(keys.map((key) => client.put(key, 'v'.repeat(4096))));
  const [first, second] = await Promise.all(keys.map((key) => client.get(key)));
  expect(first?.entry?.value.buffer.byteLength).toBeLessThan(8 * 1024);
  expect(second?.entry?.value.buffer).not.toBe(first?.entry?.value.buffer);
});

test('a program may end when its calls are answered, though their streams are still there', async () => {
  const server = await startTestServer();
  const program = `
    import { createClient } from ${JSON.stringify(new URL('../../../src/client/client.ts', import.meta.url).href)};
    const client = createClient({ address: '${server.address}' });
    const keys = Array.from({ length: 50 }, (_, index) => 'k' + index);
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    const puts = Promise.all(keys.map((key) => client.put(key, 'v')));
    await Promise.all(keys.map((key) => client.get(key)));
    await puts;
    const later = client.get('a');
    await new Promise((resolve) => setImmediate(resolve));
    console.log('busy', sockets());
    await later;
    console.log('resting', sockets());`;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
  expect(stdout.trim().split('\n')).toEqual(['busy 1', 'resting 0']);
});

/** A way to whichever server is there now, at an address that stays. */
async function startRelay(): Promise<{ address: string; target: { port: number } }> {
  const target = { port: 0 };
  const sockets = new Set<Socket>();
  const relay = createProxy((socket) => {
    const onward = connect(target.port, '127.0.0.1');
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
      from.pipe(to);
    }
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    relay.close();
  });
  return { address: `127.0.0.1:${(relay.address() as AddressInfo).port}`, target };
}

test('a server that is stopped and started under bursts loses no write that it has answered, and repeats none', async () => {
  const relay = await startRelay();
  const first = await startTestServer();
  relay.target.port = first.port;
  const client = clientFor(relay.address, { deadlineMs: 60_000 });
  const counts = Array.from({ length: 20 }, () => ({ answered: 0, open: 0, failed: 0 }));
  const over = new AbortController();
  let rounds = 0;
  const bursts = (async () => {
    for (; !over.signal.aborted; rounds++) {
      await Promise.all(
        counts.map(async (count, index) => {
          try {
            await client.increment(`k${index}`);
            count.answered++;
          } catch (error) {
            if ((error as { mayHaveTakenEffect: boolean }).mayHaveTakenEffect) count.open++;
            else count.failed++;
          }
        }),
      );
    }
  })();
  await eventually(() => rounds).toBeGreaterThan(20);
  await first.stop();
  const second = await startTestServer({ flags: { 'data-dir': first.dataDir } });
  relay.target.port = second.port;
  const after = rounds + 20;
  await eventually(() => rounds).toBeGreaterThan(after);
  over.abort();
  await bursts;
  for (const [index, { answered, open, failed }] of counts.entries()) {
    const value = Number((await client.get(`k${index}`)).entry?.text());
    expect(value).toBeGreaterThanOrEqual(answered);
    expect(value).toBeLessThanOrEqual(answered + open);
    expect(failed).toBe(0);
  }
  expect(pipelineCount(first.log.lines)).toBeGreaterThan(0);
});
