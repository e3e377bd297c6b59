/** Debian's etcd as a process beside the test: what it answers is what is right. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../support/free-port.ts';
import { found } from '../../../support/installed.ts';

/** Whether tests can compare with it. */
export const hasRealEtcd = found('etcd', spawnSync('etcd', ['--version']).status === 0);

export class RealEtcd {
  /** Where clients connect: `http://127.0.0.1:PORT`. */
  readonly url: string;
  #process: ChildProcess;
  readonly #args: readonly string[];
  readonly #folder: string;

  private constructor(url: string, process: ChildProcess, args: readonly string[], folder: string) {
    this.url = url;
    this.#process = process;
    this.#args = args;
    this.#folder = folder;
  }

  /** One member, empty, on free ports. Who starts it ends it by `stop`. */
  static async start(options: readonly string[] = []): Promise<RealEtcd> {
    // In memory where that can be: what it answers is compared, not what it keeps.
    const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'kelp-etcd-'));
    const url = `http://127.0.0.1:${await freePort()}`;
    const peerUrl = `http://127.0.0.1:${await freePort()}`;
    const args = [
      `--data-dir=${folder}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      '--logger=zap',
      '--log-outputs=stderr',
    ];
    args.push(...options);
    return new RealEtcd(url, await startProcess(args), args, folder);
  }

  /** Ends it; what it has written stays. */
  async kill(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }

  /** Starts it again after `kill`, on the same ports. */
  async startAgain(): Promise<void> {
    this.#process = await startProcess(this.#args);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function startProcess(args: readonly string[]): Promise<ChildProcess> {
  const child = spawn('etcd', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  await isReady(child);
  return child;
}

function isReady(child: ChildProcess): Promise<void> {
  let output = '';
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`etcd ended: ${output}`)));
    child.once('error', reject);
    // What it says later is read all the same, or it would wait for that.
    child.stderr?.on('data', (bytes: Buffer) => {
      if (output.length < 1_000_000) output += bytes.toString();
      if (output.includes('serving client traffic ')) resolve();
    });
  });
}
