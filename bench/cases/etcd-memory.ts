/**
 * Measures what KelpDB and etcd take of memory with the same keys, which come through etcd's API: resident, at four times that an
 * operator sees. Both rest as long before a look, but for that right behind the fill: what a process holds for work that is over
 * depends on when it is looked at. KelpDB is the built command with the variables of its container image, as its users run it; from the
 * sources Node would take 60 MB more to read TypeScript.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BenchCase, CaseContext } from '../bench-case.ts';
import type { ChildServer } from '../load/child-server.ts';
import { startKelp } from '../load/kelp-server.ts';
import { residentBytesOf } from '../load/process-figures.ts';
import { fillEtcdKeys } from '../peers/etcd-fill.ts';
import { startEtcd } from '../peers/etcd.ts';

const BUILD = fileURLToPath(new URL('../../tools/build.ts', import.meta.url));
const REST_MS = 60_000;
const QUICK_REST_MS = 100;

interface Peer {
  readonly server: ChildServer;
  readonly address: string;
}

export const etcdMemory: BenchCase = {
  async prepare({ isQuick }) {
    // Tests of the package build it, too, beside those of the bench.
    if (isQuick) return;
    const { status, stderr } = spawnSync(process.execPath, [BUILD, 'kelpdb'], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`the command was not built: ${stderr}`);
  },

  async run(context) {
    let peers = await startBoth(context);
    if (peers === undefined) return context.reportMissing('etcd is not installed');
    await rest(context);
    await reportResident(context, peers, 'without keys');
    const filled: number[] = [];
    for (const { address, server } of peers) {
      await fillEtcdKeys(address, context.keyCount);
      filled.push(await residentBytesOf(server.processId));
    }
    report(context, filled, 'with all keys, at once');
    await rest(context);
    await reportResident(context, peers, 'with all keys, after a minute of rest');
    await stopAll(peers);
    peers = await startBoth(context);
    if (peers === undefined) return;
    await rest(context);
    await reportResident(context, peers, 'started again, after a minute of rest');
    await stopAll(peers);
  },
};

/** KelpDB, then etcd; each goes on with the data that it has. @returns `undefined` when there is no etcd. */
async function startBoth(context: CaseContext): Promise<readonly Peer[] | undefined> {
  const etcd = await startEtcd(context, `${context.directory}/etcd`);
  if (etcd === undefined) return undefined;
  const kelp = await startKelp(context, `${context.directory}/kelp`, 'always', {
    isDeployed: !context.isQuick,
  });
  return [
    { server: kelp, address: kelp.ready },
    { server: etcd.child, address: etcd.address },
  ];
}

async function stopAll(peers: readonly Peer[]): Promise<void> {
  await Promise.all(peers.map(({ server }) => server.stop()));
}

function rest({ isQuick }: CaseContext): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, isQuick ? QUICK_REST_MS : REST_MS));
}

async function reportResident(context: CaseContext, peers: readonly Peer[], when: string): Promise<void> {
  report(context, await Promise.all(peers.map(({ server }) => residentBytesOf(server.processId))), when);
}

function report(
  context: CaseContext,
  [kelp = Number.NaN, etcd = Number.NaN]: readonly number[],
  when: string,
): void {
  context.report({ name: `KelpDB: resident ${when}`, unit: 'MB', samples: [kelp / 1e6] });
  context.report({ name: `etcd: resident ${when}`, unit: 'MB', samples: [etcd / 1e6] });
  context.report({ name: `KelpDB to etcd: resident ${when}`, unit: 'ratio', samples: [kelp / etcd] });
}
