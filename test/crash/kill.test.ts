/**
 * Real processes, killed with SIGKILL while clients write: whatever was acknowledged must be there after the restart, and
 * one watch that resumes by itself must see every change exactly once, in order, over all restarts.
 *
 * KILL_CYCLES sets the number of cycles, KILL_SEED the delays before each kill.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createClient, isKelpError, type KelpClient } from '../../src/client/index.ts';
import { SeededRandom } from '../support/random.ts';
import { Ledger } from './ledger.ts';
import { ServerProcess } from './server-process.ts';

const CYCLES = Number(process.env['KILL_CYCLES'] ?? 30);
const SEED = Number(process.env['KILL_SEED'] ?? 1);
const WRITERS = 16;
const KEYS_PER_WRITER = 8;

/** Writes until it is stopped or the server is gone: single puts, and pairs of keys that must never differ. */
async function write(client: KelpClient, ledger: Ledger, writer: number, signal: AbortSignal): Promise<void> {
  for (let round = 0; !signal.aborted; round++) {
    const place = `${writer}/${round % KEYS_PER_WRITER}`;
    try {
      if (round % 3 === 0) {
        const [left, right] = [`left/${place}`, `right/${place}`];
        const value = ledger.next(left);
        ledger.next(right);
        const { revision } = await client.txn({
          success: [
            { kind: 'put', key: left, value: String(value) },
            { kind: 'put', key: right, value: String(value) },
          ],
        });
        ledger.acknowledge(revision, { [left]: value, [right]: value });
      } else {
        const key = `single/${place}`;
        const value = ledger.next(key);
        const { revision } = await client.put(key, String(value));
        ledger.acknowledge(revision, { [key]: value });
      }
    } catch (error) {
      // What happened to this write is unknown: the next one of the key has a higher number.
      if (!isKelpError(error)) throw error;
    }
  }
}

async function faultsOf(client: KelpClient, ledger: Ledger): Promise<string[]> {
  const faults: string[] = [];
  const values = new Map<string, { value: number; modRevision: number }>();
  for await (const entry of client.scan()) {
    values.set(entry.key, { value: Number(entry.text()), modRevision: entry.modRevision });
  }
  for (const key of ledger.keys()) {
    const fault = ledger.fault(key, values.get(key));
    if (fault !== undefined) faults.push(fault);
  }
  for (const [key, { value }] of values) {
    if (!key.startsWith('left/')) continue;
    const right = values.get(key.replace('left/', 'right/'));
    if (right?.value !== value) faults.push(`${key}: a transaction is torn: ${value} and ${right?.value}`);
  }
  return faults;
}

/** Replays a watch from the first revision on into a map, and notes what breaks its promises. */
async function follow(
  client: KelpClient,
  values: Map<string, string>,
  faults: string[],
  until: () => number,
): Promise<void> {
  let last = 0;
  for await (const message of client.watch({ startRevision: 1, progressIntervalMs: 200 })) {
    if (message.kind === 'events') {
      if (message.revision !== last + 1) faults.push(`revision ${message.revision} came after ${last}`);
      last = message.revision;
      for (const event of message.events) {
        if (event.type === 'put') values.set(event.entry.key, event.entry.text());
      }
    } else if (message.kind === 'compacted') {
      faults.push('the watch says that its revision is compacted');
      return;
    }
    if (last >= until()) return;
  }
}

test(
  `no acknowledged write is lost over ${CYCLES} kills, seed ${SEED}`,
  { timeout: CYCLES * 20_000 },
  async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'kelp-kill-'));
    const random = new SeededRandom(SEED);
    const ledger = new Ledger();
    const watchFaults: string[] = [];
    const watched = new Map<string, string>();
    // Small segments and frequent snapshots, so that kills meet rotations, snapshots and removals too.
    const flags = ['--segment-bytes', '256KiB', '--snapshot-log-bytes', '512KiB'];
    let server = await ServerProcess.start({ dataDir, port: 0, flags });
    const { port } = server;
    const client = createClient({ address: `127.0.0.1:${port}` });
    let lastRevision = Infinity;
    const following = follow(client, watched, watchFaults, () => lastRevision);
    try {
      for (let cycle = 0; cycle < CYCLES; cycle++) {
        const stop = new AbortController();
        const writers = Array.from({ length: WRITERS }, (_, writer) =>
          write(client, ledger, writer, stop.signal),
        );
        await delay(50 + random.below(300));
        await server.end('SIGKILL');
        stop.abort();
        await Promise.all(writers);
        server = await ServerProcess.start({ dataDir, port, flags });
        expect(await faultsOf(client, ledger), `after kill ${cycle + 1}`).toEqual([]);
      }
      await client.put('last', 'one');
      lastRevision = (await client.get('last')).revision;
      await following;
      expect(watchFaults).toEqual([]);
      const shown = new Map<string, string>();
      for await (const entry of client.scan()) shown.set(entry.key, entry.text());
      expect(watched).toEqual(shown);
      expect(ledger.acknowledgedCount).toBeGreaterThan(CYCLES * WRITERS);
    } finally {
      client.close();
      await server.end('SIGKILL');
      rmSync(dataDir, { recursive: true });
    }
  },
);
