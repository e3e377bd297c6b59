/**
 * Servers whose data is ten times their memory limit, through a whole workload (`large-workload.ts`). All of it: processes of their own with
 * the least limit that may be set, killed and stopped on the way. A sample: a server in this process with a limit that is smaller still.
 *
 * BEYOND_MEMORY_SEED decides what the workload does.
 */
import { describe, expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { ServerProcess } from '../../crash/server-process.ts';
import { rounds, timeLimitMs } from '../../support/share.ts';
import { startTestServer, temporaryDirectory } from '../../support/test-server.ts';
import { LargeWorkload } from './large-workload.ts';

const MIB = 1024 * 1024;
const SEED = Number(process.env['BEYOND_MEMORY_SEED'] ?? 1);
const IS_WHOLE = rounds(100) >= 50;
const LIMIT_BYTES = (IS_WHOLE ? 64 : 12) * MIB;
const DATA_BYTES = 10 * LIMIT_BYTES;
/** What is deleted on the way comes on top: so much is there in the end. */
const WRITTEN_BYTES = 1.2 * DATA_BYTES;

/** What serves a directory, now by one process and then by another. */
interface Served {
  readonly address: string;
  restart(): Promise<void>;
}

describe(`ten times the memory limit, seed ${SEED}`, () => {
  test.each(['lsm', 'btree', 'bitcask'] as const)(
    '%s takes every write, and answers right',
    async (engine) => {
      const served = await serve(engine);
      const { address } = served;
      const writer = createClient({ address, retries: 0, deadlineMs: 60_000 });
      const reader = createClient({ address, deadlineMs: 60_000 });
      const workload = new LargeWorkload({
        writer,
        reader,
        memoryBytesMax: LIMIT_BYTES,
        dataBytes: WRITTEN_BYTES,
        seed: SEED,
      });
      onTestFinished(async () => {
        await workload.end();
        writer.close();
        reader.close();
      });
      const { residentBytes } = await reader.admin.status();
      await workload.fill(0, 0.5);
      await workload.fillCollections(0.5);
      await workload.expire(100);
      await workload.check();
      await served.restart();
      await workload.check();
      await workload.fill(0.5, 1);
      await workload.readOld(200);
      await workload.fillCollections(0.5);
      await workload.change(0.3);
      await workload.readOld(200);
      await workload.check();
      await served.restart();
      await workload.check();
      await workload.expire(100);
      await workload.check();
      const { dataBytes } = await reader.admin.status();
      expect(dataBytes).toBeGreaterThanOrEqual(DATA_BYTES);
      expect(workload.oldReadCount).toBeGreaterThan(100);
      // What a process has beside its state does not grow with the data; this one has the test as well.
      if (IS_WHOLE) expect(workload.residentBytes - residentBytes).toBeLessThan(DATA_BYTES / 2);
    },
    timeLimitMs(600_000),
  );
});

async function serve(engine: string): Promise<Served> {
  const dataDir = await temporaryDirectory();
  if (!IS_WHOLE) {
    const start = (listen: string) =>
      startTestServer({ memoryBytesMax: LIMIT_BYTES, flags: { engine, listen, 'data-dir': dataDir } });
    let server = await start('127.0.0.1:0');
    const { address } = server;
    return {
      address,
      restart: async () => {
        await server.stop();
        server = await start(address);
      },
    };
  }
  const flags = ['--engine', engine, '--memory-limit', `${LIMIT_BYTES / MIB}MiB`];
  let server = await ServerProcess.start({ dataDir, flags });
  const { port, address } = server;
  let isToBeKilled = true;
  return {
    address,
    restart: async () => {
      await server.end(isToBeKilled ? 'SIGKILL' : 'SIGTERM');
      isToBeKilled = false;
      server = await ServerProcess.start({ dataDir, port, flags });
    },
  };
}
