/** Go's gRPC, which most of the world's gRPC runs on, makes every kind of call. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ErrorReason } from '../../gen/kelp/v1/errors_pb.ts';
import { KvService } from '../../gen/kelp/v1/kv_pb.ts';
import { EventType, WatchService } from '../../gen/kelp/v1/watch_pb.ts';
import { nodeDisk } from '../../src/disk/node-disk.ts';
import { grpcCode } from '../../src/grpc-code.ts';
import { flag, FrameSplitter, frameType } from '../http2/support/frames.ts';
import { HeldDisk } from '../support/held-disk.ts';
import { startTestServer } from '../support/test-server.ts';
import { buildGoClient, GoClient, type GoClientOptions, isGoInstalled } from './go-client.ts';

const { get, put, increment, scanStream, pipeline, txn } = KvService.method;
const { watch } = WatchService.method;

const tls = { cert: resolve('test/support/tls/cert.pem'), key: resolve('test/support/tls/key.pem') };
const utf8 = new TextEncoder();

describe.runIf(isGoInstalled)("Go's gRPC", () => {
  let built: Awaited<ReturnType<typeof buildGoClient>>;
  beforeAll(async () => {
    built = await buildGoClient();
  }, 300_000);
  afterAll(() => built.remove());

  const clientOf = (address: string, options?: GoClientOptions): GoClient =>
    new GoClient(built.program, address, options);

  test.each([
    ['in plain text', {}, {}],
    ['over TLS', { 'tls-cert': tls.cert, 'tls-key': tls.key }, { ca: tls.cert }],
  ])('gets and puts %s', async (_, flags, options) => {
    const { address } = await startTestServer({ flags });
    const go = clientOf(address, options);
    expect(await go.unary(put, { key: 'a', value: utf8.encode('1') })).toMatchObject({ revision: 1n });
    expect(await go.unary(get, { key: 'a' })).toMatchObject({
      revision: 1n,
      entry: { key: 'a', value: utf8.encode('1'), version: 1n },
    });
    expect((await go.unary(get, { key: 'b' })).entry).toBeUndefined();
  });

  test('compresses what it sends, and reads what is compressed', async () => {
    const { address } = await startTestServer();
    const go = clientOf(address);
    const value = Buffer.alloc(100_000, 'kelp');
    await go.unary(put, { key: 'a', value }, { gzip: true });
    const { entry } = await go.unary(get, { key: 'a' }, { gzip: true });
    expect(Buffer.from(entry?.value ?? []).equals(value)).toBe(true);
  });

  test('reads the details of a refusal', async () => {
    const { address } = await startTestServer();
    const go = clientOf(address);
    await go.unary(put, { key: 'a' });
    const condition = { condition: { case: 'mustNotExist', value: true } } as const;
    await expect(go.unary(put, { key: 'a', condition })).rejects.toMatchObject({
      code: grpcCode.FailedPrecondition,
      message: 'the key exists',
      detail: {
        reason: ErrorReason.CONDITION_FAILED,
        info: { case: 'conditionFailed', value: { currentModRevision: 1n } },
      },
    });
    await expect(go.unary(get, { key: 'a', revision: 9n })).rejects.toMatchObject({
      code: grpcCode.OutOfRange,
      detail: { reason: ErrorReason.REVISION_FUTURE },
    });
    await expect(go.unary(get, { key: '' })).rejects.toMatchObject({
      code: grpcCode.InvalidArgument,
      detail: { reason: ErrorReason.INVALID_ARGUMENT },
    });
  });

  test('ends calls at their deadline, and the server leaves off', async () => {
    const disk = new HeldDisk(nodeDisk);
    const server = await startTestServer({ flags: { fsync: 'always' }, storeOptions: { disk } });
    const go = clientOf(server.address);
    await go.unary(put, { key: 'a' });
    disk.hold();
    onTestFinished(() => disk.release());
    const late = { code: grpcCode.DeadlineExceeded };
    await expect(go.unary(put, { key: 'b' }, { timeoutMs: 50 })).rejects.toMatchObject(late);
    await expect(go.serverStream(watch, {}, { timeoutMs: 50 }).all()).rejects.toMatchObject(late);
    // Whichever of both clocks is first.
    for (const method of ['kelp.v1.KvService/Put', 'kelp.v1.WatchService/Watch']) {
      await server.log.line(
        (line) => line['method'] === method && /^(DeadlineExceeded|Canceled)$/.test(String(line['code'])),
      );
    }
  });

  test('cancels a call, and the server leaves off', async () => {
    const server = await startTestServer();
    const go = clientOf(server.address);
    const call = go.serverStream(watch, {});
    expect(await call.next()).toMatchObject({ message: { case: 'synced' } });
    call.cancel();
    await expect(call.next()).rejects.toMatchObject({ code: grpcCode.Canceled });
    await server.log.line(
      (line) => line['method'] === 'kelp.v1.WatchService/Watch' && line['code'] === 'Canceled',
    );
    expect((await go.unary(get, { key: 'a' })).revision).toBe(0n);
  });

  test('reads a whole range from a stream, longer than every window', async () => {
    const { address } = await startTestServer();
    const go = clientOf(address);
    const value = randomBytes(1000);
    const keys = Array.from({ length: 5000 }, (_, index) => `k${String(index).padStart(4, '0')}`);
    for (let from = 0; from < keys.length; from += 1000) {
      await go.unary(txn, {
        success: keys
          .slice(from, from + 1000)
          .map((key) => ({ operation: { case: 'put' as const, value: { key, value } } })),
      });
    }
    const chunks = await go.serverStream(scanStream, {}).all();
    const entries = chunks.flatMap((chunk) => chunk.entries);
    expect(entries.map(({ key }) => key)).toEqual(keys);
    expect(entries.every((entry) => value.equals(entry.value))).toBe(true);
  });

  test('watches, and is told where to go on when the server stops', async () => {
    const first = await startTestServer();
    const go = clientOf(first.address);
    const watching = go.serverStream(watch, { ranges: [{ prefix: 'w/' }] });
    const synced = await watching.next();
    expect(synced?.message.case).toBe('synced');
    for (const key of ['w/1', 'x', 'w/2']) await go.unary(put, { key });
    for (const [key, revision] of [
      ['w/1', 1n],
      ['w/2', 3n],
    ] as const) {
      expect(await watching.next()).toMatchObject({
        message: { case: 'events', value: { revision, events: [{ type: EventType.PUT, entry: { key } }] } },
      });
    }
    await first.stop();
    await expect(watching.next()).rejects.toMatchObject({
      code: grpcCode.Unavailable,
      detail: {
        reason: ErrorReason.SHUTTING_DOWN,
        info: { case: 'watchEnded', value: { resumeRevision: 4n } },
      },
    });

    await startTestServer({ flags: { 'data-dir': first.dataDir, listen: first.address } });
    expect(await go.unary(put, { key: 'w/3' }, { wait: true })).toMatchObject({ revision: 4n });
    const { storeId = '' } = synced ?? {};
    const resumed = go.serverStream(watch, { startRevision: 4n, storeId });
    expect(await resumed.next()).toMatchObject({
      message: { case: 'events', value: { revision: 4n } },
    });
    resumed.cancel();
    await expect(resumed.all()).rejects.toMatchObject({ code: grpcCode.Canceled });
  });

  test('sends batches and reads their results, both ways at once', async () => {
    const { address } = await startTestServer();
    const call = clientOf(address).bidiStream(pipeline);
    const batchOf = (index: number) => ({
      operations: [
        {
          operation: { case: 'put' as const, value: { key: `k${index}`, value: Buffer.alloc(2000, index) } },
        },
        { operation: { case: 'get' as const, value: { key: `k${index}` } } },
        { operation: { case: 'increment' as const, value: { key: `k${index}`, delta: 1n } } },
      ],
    });
    call.send(batchOf(0));
    expect((await call.next())?.results).toHaveLength(3);
    for (let index = 1; index < 200; index++) call.send(batchOf(index));
    call.end();
    const answers = await call.all();
    expect(answers).toHaveLength(199);
    for (const [index, { results }] of answers.entries()) {
      expect(results.map(({ result }) => result)).toMatchObject([
        { case: 'put', value: { revision: BigInt(index + 2) } },
        { case: 'get', value: { entry: { key: `k${index + 1}` } } },
        // The neighbours of what fails are none the worse.
        { case: 'failure', value: { code: grpcCode.FailedPrecondition } },
      ]);
    }
  });

  test('sends and reads a large value through the windows of both sides', async () => {
    const { address } = await startTestServer();
    const go = clientOf(address);
    const value = randomBytes(8_000_000);
    await go.unary(put, { key: 'large', value });
    const { entry } = await go.unary(get, { key: 'large' });
    expect(value.equals(entry?.value ?? Buffer.alloc(0))).toBe(true);
  });

  test('keeps to the number of streams that the server allows, and makes the rest later', async () => {
    const { address } = await startTestServer({ flags: { 'streams-per-connection-max': '20' } });
    const go = clientOf(address);
    const sums = await Promise.all(
      Array.from({ length: 1000 }, () => go.unary(increment, { key: 'n', delta: 1n })),
    );
    const values = sums.map(({ value }) => Number(value)).sort((a, b) => a - b);
    expect(values).toEqual(Array.from({ length: 1000 }, (_, index) => index + 1));
  });

  test('pings a connection that is silent, and is answered', async () => {
    const server = await startTestServer();
    const proxy = await PingCountingProxy.start(server.port);
    const go = clientOf(`127.0.0.1:${proxy.port}`, { keepaliveMs: 20 });
    const watching = go.serverStream(watch, {});
    expect((await watching.next())?.message.case).toBe('synced');
    await proxy.pongs(10);
    await go.unary(put, { key: 'a' });
    expect((await watching.next())?.message.case).toBe('events');
    expect(proxy.connectionCount).toBe(1);
    watching.cancel();
    await expect(watching.next()).rejects.toMatchObject({ code: grpcCode.Canceled });
    // Also without a call.
    await proxy.pongs(20);
    expect(proxy.connectionCount).toBe(1);
  });
});

/** Carries bytes to a server and back, and counts its answers to pings for a sign of life: their payload is zeros. */
class PingCountingProxy {
  readonly port: number;
  connectionCount = 0;
  #pongCount = 0;
  #wake: () => void = () => undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(serverPort: number): Promise<PingCountingProxy> {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      proxy.connectionCount++;
      const onward = connect({ host: '127.0.0.1', port: serverPort });
      sockets.push(socket, onward);
      socket.on('error', () => onward.destroy()).pipe(onward);
      onward.on('error', () => socket.destroy()).pipe(socket);
      proxy.#count(onward);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    const proxy = new PingCountingProxy((server.address() as AddressInfo).port);
    return proxy;
  }

  /** Resolves when so many have come in all. */
  async pongs(count: number): Promise<void> {
    while (this.#pongCount < count) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  #count(fromServer: Socket): void {
    const splitter = new FrameSplitter();
    let seen = 0;
    fromServer.on('data', (bytes: Buffer) => {
      splitter.push(bytes);
      for (; seen < splitter.frames.length; seen++) {
        const frame = splitter.frames[seen];
        const isPong = frame?.type === frameType.PING && frame.flags === flag.ACK;
        if (isPong && frame.payload.equals(Buffer.alloc(8))) this.#pongCount++;
      }
      this.#wake();
    });
  }
}
