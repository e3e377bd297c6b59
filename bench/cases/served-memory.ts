/**
 * Measures what an idle connection and an open watch take in the server. Resident is what the process grew by, and has
 * the noise of V8's young generation; heap and buffers are counted once all garbage is collected, and are what to
 * compare.
 */
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type BenchCase, type CaseContext, operationCount } from '../bench-case.ts';
import type { ClientConnection } from '../../src/http2/connection/client-connection.ts';
import { keyOf } from '../load/data.ts';
import { WATCH_PATH, watchRequest } from '../load/kelp-requests.ts';
import { startKelp } from '../load/kelp-server.ts';
import { PROBE_SIGNAL, readProbeLine } from '../load/memory-line.ts';
import type { MemoryUse } from '../load/memory.ts';
import { residentBytesOf } from '../load/process-figures.ts';
import { RawStream, framed, openConnection } from '../load/raw-stream.ts';
import { underWay } from '../load/under-way.ts';
import { ETCD_WATCH_PATH, etcdWatchRequest, startEtcd } from '../peers/etcd.ts';
import { startRedis } from '../peers/redis.ts';

const CONNECTIONS = 3000;
const WATCHES = 5000;
const WATCH_CONNECTIONS = 10;
const OPENED_AT_ONCE = 64;
/** Opened and closed before: what the process makes ready for the first ones is no cost of each. */
const FIRST_SHARE = 1 / 10;
const PROBE = fileURLToPath(new URL('../load/memory-probe.ts', import.meta.url));

/** A server whose memory is looked at from outside. */
interface Target {
  readonly name: string;
  use(): Promise<{ readonly residentBytes: number; readonly heldBytes?: number }>;
}

/** Opens some things; the result closes them. */
type Open = (count: number) => Promise<() => void>;

export const servedMemory: BenchCase = {
  async run(context) {
    await measureKelp(context);
    const etcd = await startEtcd(context, `${context.directory}/etcd`);
    if (etcd === undefined) {
      context.reportMissing('etcd is not installed');
    } else {
      const { address, child } = etcd;
      const target = residentOnly('etcd', child.processId);
      await measure(context, target, 'an idle connection', CONNECTIONS, idleConnections(address));
      const watch = (index: number): Buffer => framed(etcdWatchRequest(keyOf(index)));
      await measure(
        context,
        target,
        'a watch, a key each',
        WATCHES,
        watches(address, ETCD_WATCH_PATH, watch, false),
      );
      await child.stop();
    }
    const redis = await startRedis(context, `${context.directory}/redis`, []);
    if (redis === undefined) return context.reportMissing('Redis is not installed');
    const target = residentOnly('Redis', redis.child.processId);
    await measure(context, target, 'an idle connection', CONNECTIONS, sockets(redis.port));
    await redis.child.stop();
  },
};

async function measureKelp(context: CaseContext): Promise<void> {
  let onUse: (use: MemoryUse) => void = () => undefined;
  const server = await startKelp(context, `${context.directory}/data`, 'never', {
    nodeOptions: ['--expose-gc', `--import=${PROBE}`],
    onLine: (line) => {
      const use = readProbeLine(line);
      if (use !== undefined) onUse(use);
    },
  });
  const { ready: address, processId } = server;
  const target: Target = {
    name: 'KelpDB',
    async use() {
      const { promise, resolve } = Promise.withResolvers<MemoryUse>();
      onUse = resolve;
      process.kill(processId, PROBE_SIGNAL);
      const { residentBytes, heapBytes, bufferBytes } = await promise;
      return { residentBytes, heldBytes: heapBytes + bufferBytes };
    },
  };
  try {
    await measure(context, target, 'an idle connection', CONNECTIONS, idleConnections(address));
    const request = (index: number): Buffer => framed(watchRequest(keyOf(index)));
    // V8 compiles what watches run, and makes room for what is made as they open: some MB, however many there are.
    const closeFirst = await watches(address, WATCH_PATH, request, true)(operationCount(context, WATCHES));
    closeFirst();
    for (const [name, watch] of [
      ['a watch, one key', () => request(0)],
      ['a watch, a key each', request],
    ] as const) {
      await measure(context, target, name, WATCHES, watches(address, WATCH_PATH, watch, true));
    }
  } finally {
    await server.stop();
  }
}

function residentOnly(name: string, processId: number): Target {
  return { name, use: async () => ({ residentBytes: await residentBytesOf(processId) }) };
}

async function measure(
  context: CaseContext,
  target: Target,
  what: string,
  countWanted: number,
  open: Open,
): Promise<void> {
  const count = operationCount(context, countWanted);
  const closeFirst = await open(Math.ceil(count * FIRST_SHARE));
  const before = await target.use();
  const close = await open(count);
  const after = await target.use();
  close();
  closeFirst();
  const name = `${target.name}: ${what}`;
  const { heldBytes } = after;
  context.report({
    name: `${name}, resident`,
    unit: 'bytes',
    samples: [(after.residentBytes - before.residentBytes) / count],
  });
  if (heldBytes === undefined || before.heldBytes === undefined) return;
  context.report({
    name: `${name}, heap and buffers`,
    unit: 'bytes',
    samples: [(heldBytes - before.heldBytes) / count],
  });
}

/** Connections of HTTP/2 that have told their settings and do nothing. */
function idleConnections(address: string): Open {
  return async (count) => {
    const connections: ClientConnection[] = [];
    await underWay(OPENED_AT_ONCE, count, async () => {
      connections.push(await openConnection(address));
    });
    return () => {
      for (const connection of connections) connection.destroy();
    };
  };
}

function sockets(port: number): Open {
  return async (count) => {
    const opened: Socket[] = [];
    await underWay(OPENED_AT_ONCE, count, async () => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write('PING\r\n');
      await once(socket, 'data');
      opened.push(socket);
    });
    return () => {
      for (const socket of opened) socket.destroy();
    };
  };
}

/** Watches that have said that every later change will come. */
function watches(
  address: string,
  path: string,
  watch: (index: number) => Buffer,
  isOnlyRequest: boolean,
): Open {
  return async (count) => {
    const connections = await Promise.all(
      Array.from({ length: WATCH_CONNECTIONS }, () => openConnection(address)),
    );
    await underWay(OPENED_AT_ONCE, count, async (index) => {
      const connection = connections[index % WATCH_CONNECTIONS];
      if (connection === undefined) return;
      await new Promise<void>((resolve, reject) => {
        const stream = new RawStream(connection, address, path, { message: () => resolve(), failed: reject });
        stream.send(watch(index));
        if (isOnlyRequest) stream.finish();
      });
    });
    return () => {
      for (const connection of connections) connection.destroy();
    };
  };
}
