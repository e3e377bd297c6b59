/** A delete in parts whose client has gone, or waits no more, ends before its next part. */
import { ConnectError, type Transport, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { type Clock, type Timer, systemClock } from '../../../src/clock.ts';
import { fixed } from '../../../src/limits.ts';
import { startTestServer } from '../../support/test-server.ts';

const KEY_COUNT = 10_000;
const DEADLINE_MS = 200;
const transports: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  gRPC: (baseUrl) => createGrpcTransport({ baseUrl }),
  Connect: (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '2' }),
};

/** A clock on which the pauses between two parts last until they are let go. */
class HeldClock implements Clock {
  #held: (() => void)[] | undefined;
  #onHeld = (): void => undefined;

  nowMs(): number {
    return systemClock.nowMs();
  }

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return systemClock.setTimer(delayMs, callback);
  }

  yieldNow(callback: () => void): void {
    if (this.#held === undefined) return systemClock.yieldNow(callback);
    this.#held.push(callback);
    this.#onHeld();
  }

  /** @returns a promise of the first pause. */
  hold(): Promise<void> {
    this.#held = [];
    return new Promise((resolve) => (this.#onHeld = resolve));
  }

  letGo(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const callback of held) callback();
  }
}

describe.each(Object.entries(transports))('a delete in parts over %s', (_, makeTransport) => {
  async function start() {
    const clock = new HeldClock();
    const server = await startTestServer({ storeOptions: { clock } });
    const kv = createClient(KvService, makeTransport(server.url));
    await kv.txn({
      success: Array.from({ length: KEY_COUNT }, (_, index) => ({
        operation: { case: 'put', value: { key: `k${index}` } },
      })),
    });
    const isOver = (): Promise<unknown> =>
      server.log.line(({ msg, method }) => msg === 'call' && String(method).endsWith('DeleteRange'));
    const keyCount = async (): Promise<number> => Number((await kv.scan({ countOnly: true })).count);
    return { clock, kv, isOver, keyCount };
  }

  test('ends when its client cancels it', async () => {
    const { clock, kv, isOver, keyCount } = await start();
    const firstPart = clock.hold();
    const canceling = new AbortController();
    const deletion = kv.deleteRange({ range: { all: true }, inParts: true }, { signal: canceling.signal });
    await firstPart;
    canceling.abort();
    await expect(deletion).rejects.toThrow(/cancel/);
    await isOver();
    clock.letGo();

    expect(await keyCount()).toBe(KEY_COUNT - fixed.deletePartKeysMax);
  });

  test('ends at its deadline, also when its client still listens', async () => {
    const { clock, kv, keyCount } = await start();
    const firstPart = clock.hold();
    const headers = { 'grpc-timeout': `${DEADLINE_MS}m`, 'connect-timeout-ms': String(DEADLINE_MS) };
    const deletion = kv.deleteRange({ range: { all: true }, inParts: true }, { headers });
    const outcome = deletion.catch((error: unknown) => error);
    await Promise.race([firstPart, outcome]);
    // The server, in the same process, set its timer before, and rounds its time up by a few milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 2 * DEADLINE_MS));
    clock.letGo();
    expect(await outcome).toBeInstanceOf(ConnectError);

    // On a slow machine it passes before the first part.
    expect([KEY_COUNT, KEY_COUNT - fixed.deletePartKeysMax]).toContain(await keyCount());
  });
});
