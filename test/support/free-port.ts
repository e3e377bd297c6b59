/**
 * Ports for processes that can't choose one by themselves, or that come back at one. They lie below those that the system gives
 * to connections and to `listen(0)` (Linux: from 32,768 on): nothing else takes one between its choice and its use, nor while a
 * process that was killed is away. Workers of one run have ranges of their own.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';

const FIRST_PORT = 12_000;
const PORTS_PER_WORKER = 2_000;
const WORKERS = 10;

const pool = Number(process.env['VITEST_POOL_ID'] ?? 0) % WORKERS;
// Each file of a worker begins elsewhere, as does another run on this machine.
let next = Math.floor(Math.random() * PORTS_PER_WORKER);

/** A port of 127.0.0.1 where nothing listens, given once. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < PORTS_PER_WORKER; tries++) {
    next = (next + 1) % PORTS_PER_WORKER;
    const port = FIRST_PORT + pool * PORTS_PER_WORKER + next;
    if (await isFree(port)) return port;
  }
  throw new Error(`none of ${PORTS_PER_WORKER} ports is free`);
}

export async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
