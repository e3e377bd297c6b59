/**
 * A little of everything that clients do, through every door, again and again until it is stopped: what succeeds, what finds nothing, and
 * what is refused. What has failed is no matter here; that the metrics tell of it is.
 */
import { createClient as createConnectClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { Redis } from 'ioredis';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { createClient, type KelpClient } from '../../../src/client/index.ts';
import type { TestServer } from '../../support/test-server.ts';

const VALUE = Buffer.alloc(2_000, 'kelp');
const CALLS_AT_ONCE = 20;
/** Between two rounds, so that what looks on gets its share of the processor. */
const REST_MS = 30;

export class MixedLoad {
  readonly #url: string;
  readonly #client: KelpClient;
  readonly #transports: readonly Transport[];
  readonly #redis: Redis;
  readonly #stopped = new AbortController();
  readonly #running: Promise<unknown>;
  #round = 0;

  constructor({ url, address, redisAddress }: TestServer) {
    this.#url = url;
    this.#client = createClient({ address, retries: 0 });
    this.#transports = [
      createGrpcWebTransport({ baseUrl: url, httpVersion: '1.1' }),
      createConnectTransport({ baseUrl: url, httpVersion: '1.1' }),
    ];
    const [host, port] = redisAddress.split(':');
    this.#redis = new Redis({ host: host ?? '', port: Number(port), maxRetriesPerRequest: 0 });
    this.#redis.on('error', () => undefined);
    this.#running = Promise.all([this.#rounds(), this.#watch()]);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#client.close();
    this.#redis.disconnect();
    await this.#running;
  }

  async #rounds(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      this.#round++;
      await Promise.allSettled([
        this.#calls(),
        ...this.#transports.map((transport) => callsOver(transport)),
        ...this.#requests(),
        this.#callsOverRest(),
        this.#callsOfScripts(),
        this.#commands(),
      ]);
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
    }
  }

  /** Those of a turn go in one batch of `Pipeline`, those alone as calls of plain gRPC. */
  async #calls(): Promise<void> {
    const client = this.#client;
    const keys = Array.from({ length: CALLS_AT_ONCE }, (_, index) => `load/${index}`);
    await Promise.allSettled(keys.map((key) => client.put(key, VALUE)));
    await Promise.allSettled(keys.map((key) => client.get(key)));
    await Promise.allSettled(keys.slice(1).map((key) => client.delete(key)));
    await Promise.allSettled([client.get('load/missing')]);
    await Promise.allSettled([client.put('load/0', 'again', { condition: { kind: 'mustNotExist' } })]);
    await Promise.allSettled([client.put('load/short', 'lived', { ttlMs: 1 })]);
    await Promise.allSettled([client.leases.grant(60_000)]);
    await Promise.allSettled([client.scan({ prefix: 'load/' }).toArray()]);
    if (this.#round % 10 === 1) await Promise.allSettled([client.admin.snapshot()]);
  }

  /** Of HTTP: answered, not found, and, where the disk has failed, 503. */
  #requests(): Promise<unknown>[] {
    return ['/healthz', '/readyz', '/nothing-is-here'].map((path) => this.#request(path));
  }

  async #commands(): Promise<void> {
    const redis = this.#redis;
    await Promise.allSettled([
      redis.set('load/redis', VALUE),
      redis.get('load/redis'),
      redis.llen('load/redis'),
    ]);
  }

  async #callsOverRest(): Promise<void> {
    const call = (key: string, init?: RequestInit): Promise<unknown> =>
      this.#request(`/v1/keys/${key}`, init);
    await Promise.allSettled([
      call('load%2Frest', { method: 'PUT', body: VALUE }),
      call('load%2Frest', { method: 'PUT', body: VALUE, headers: { 'if-none-match': '*' } }),
      call('load%2Frest'),
      call('load%2Frest', { method: 'DELETE' }),
      call('load%2Fmissing'),
    ]);
  }

  async #callsOfScripts(): Promise<void> {
    await Promise.allSettled([
      this.#request('/blobs/load%2Fblob', { method: 'POST', body: VALUE }),
      this.#request('/blobs/load%2Fblob'),
      this.#request('/blobs/load%2Fblob', { method: 'DELETE' }),
      this.#request('/blobs'),
      this.#request('/set/load%2Fset', { method: 'POST', body: '{"value": "kelp"}' }),
      this.#request('/get/load%2Fmissing'),
      this.#request('/health'),
      this.#request('/metrics', { headers: { accept: 'application/json' } }),
    ]);
  }

  async #request(path: string, init: RequestInit = {}): Promise<unknown> {
    const { signal } = this.#stopped;
    return (await fetch(`${this.#url}${path}`, { ...init, signal })).arrayBuffer();
  }

  async #watch(): Promise<void> {
    const watch = this.#client.watch({ ranges: [{ prefix: 'load/' }] });
    try {
      for await (const message of watch)
        if (message.kind === 'synced' && this.#stopped.signal.aborted) return;
    } catch {
      // It ends with the client.
    }
  }
}

async function callsOver(transport: Transport): Promise<void> {
  const kv = createConnectClient(KvService, transport);
  await Promise.allSettled([
    kv.put({ key: 'load/web', value: VALUE }),
    kv.get({ key: 'load/web' }),
    kv.delete({ key: 'load/web' }),
    // No key: refused as an argument that makes no sense.
    kv.get({}),
  ]);
}
