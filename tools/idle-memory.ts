/**
 * Prints what the server holds for each connection of HTTP/2 on which nothing happens, and for each open watch: resident memory,
 * and what of it is objects of JavaScript. Clients are in a process of their own.
 *
 *     node --expose-gc tools/idle-memory.ts [connections, 6000]
 *
 * Resident memory depends on what the system gives in one piece: take the median of several runs.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { loadConfig } from '../src/server/config/config.ts';
import { createLogger } from '../src/server/logging/logger.ts';
import { startServer } from '../src/server/server.ts';

/** The first ones make what is shared by all. */
const FIRST_COUNT = 500;
const STREAMS_PER_CONNECTION = 500;

interface Order {
  readonly kind: 'connections' | 'watches';
  readonly count: number;
}

if (process.argv[2] === 'clients') openAsAsked(Number(process.argv[3]));
else await measure(Number(process.argv[2] ?? 6000));

async function measure(count: number): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'kelp-idle-'));
  const flags = {
    listen: '127.0.0.1:0',
    'data-dir': dataDir,
    fsync: 'never',
    'connections-max': String(2 * count),
  };
  const config = await loadConfig({ flags });
  const logger = createLogger({ level: 'error', format: 'json' }, process.stderr);
  const server = await startServer(config, { logger, version: 'measured' });
  await server.ready;
  const port = server.address.slice(server.address.lastIndexOf(':') + 1);
  const clients = fork(import.meta.filename, ['clients', port], { execArgv: [] });
  for (const kind of ['connections', 'watches'] as const) {
    await open(clients, { kind, count: FIRST_COUNT });
    const before = await memory();
    await open(clients, { kind, count });
    const after = await memory();
    const each = (name: 'rss' | 'heapUsed'): number => Math.round((after[name] - before[name]) / count);
    console.log(`${kind}: ${each('rss')} bytes resident each, ${each('heapUsed')} in the heap`);
  }
  clients.kill();
  server.abort();
  await server.stop();
  await rm(dataDir, { recursive: true });
}

async function open(clients: ChildProcess, order: Order): Promise<void> {
  const opened = once(clients, 'message');
  clients.send(order);
  await opened;
}

async function memory(): Promise<NodeJS.MemoryUsage> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error('give --expose-gc: else what is measured is mostly garbage');
  for (let round = 0; round < 8; round++) {
    gc();
    await pause(50);
  }
  return process.memoryUsage();
}

/** The process of the clients. */
function openAsAsked(port: number): void {
  process.on('message', ({ kind, count }: Order) => {
    const opened = kind === 'connections' ? openConnections(port, count) : openWatches(port, count);
    void opened.then(() => process.send?.('opened'));
  });
}

const preface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0),
]);
const settingsAcknowledged = Buffer.of(0, 0, 0, 4, 1, 0, 0, 0, 0);

async function openConnections(port: number, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const socket = connect(port, '127.0.0.1');
    socket.write(preface);
    await once(socket, 'data');
    socket.resume().write(settingsAcknowledged);
  }
}

async function openWatches(port: number, count: number): Promise<void> {
  for (let left = count; left > 0; left -= STREAMS_PER_CONNECTION) {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    await once(session, 'remoteSettings');
    const opened = Array.from({ length: Math.min(left, STREAMS_PER_CONNECTION) }, async () => {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/kelp.v1.WatchService/Watch',
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream.end(Buffer.alloc(5));
      await once(stream, 'data');
      stream.resume();
    });
    await Promise.all(opened);
  }
}
