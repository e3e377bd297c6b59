/** Three members of Debian's etcd as processes beside the test, which may be killed, stopped and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EtcdClient, etcdClient } from '../server/etcd/support/etcd-client.ts';
import { freePort } from './free-port.ts';

/** Where the process of a member runs. */
export interface MemberPlace {
  readonly host: string;
  /** What comes before its command. */
  readonly command: readonly string[];
}

const LOOPBACK: MemberPlace = { host: '127.0.0.1', command: [] };

export class EtcdMember {
  readonly endpoint: string;
  readonly calls: EtcdClient;
  readonly #command: readonly string[];
  #process: ChildProcess | undefined;

  constructor(endpoint: string, command: readonly string[]) {
    this.endpoint = endpoint;
    this.calls = etcdClient(`http://${endpoint}`);
    this.#command = command;
  }

  get port(): number {
    return Number(this.endpoint.split(':')[1]);
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  /** Returns before it is ready: the first ones wait for each other. */
  start(): void {
    const [command = '', ...args] = this.#command;
    this.#process = spawn(command, args, { stdio: 'ignore' });
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#process = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /** Waits until it answers as one of a majority. */
  async isReady(): Promise<void> {
    while (
      !(await this.calls.kv.range({ key: Uint8Array.of(1) }, { timeoutMs: 1000 }).then(
        () => true,
        () => false,
      ))
    ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** It stands still, with all its connections. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }
}

export class EtcdCluster {
  readonly members: readonly EtcdMember[];
  readonly #folder: string;

  private constructor(members: readonly EtcdMember[], folder: string) {
    this.members = members;
    this.#folder = folder;
  }

  /** Started, not yet ready; who starts it ends it by `stop`. */
  static async start(places: readonly MemberPlace[] = []): Promise<EtcdCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'kelp-etcds-'));
    const names = ['one', 'two', 'three'];
    const ports: number[] = [];
    for (let count = 0; count < 2 * names.length; count++) ports.push(await freePort());
    const placeOf = (index: number): MemberPlace => places[index] ?? LOOPBACK;
    const peerUrls = names.map((_, index) => `http://${placeOf(index).host}:${ports[2 * index]}`);
    const cluster = names.map((name, index) => `${name}=${peerUrls[index]}`).join(',');
    const members = names.map((name, index) => {
      const { host, command } = placeOf(index);
      const endpoint = `${host}:${ports[2 * index + 1]}`;
      return new EtcdMember(endpoint, [
        ...command,
        'etcd',
        `--name=${name}`,
        `--data-dir=${join(folder, name)}`,
        `--listen-client-urls=http://${endpoint}`,
        `--advertise-client-urls=http://${endpoint}`,
        `--listen-peer-urls=${peerUrls[index]}`,
        `--initial-advertise-peer-urls=${peerUrls[index]}`,
        `--initial-cluster=${cluster}`,
        `--initial-cluster-token=${folder}`,
        // Elections as fast as loopback allows, so that tests need not wait for them.
        '--heartbeat-interval=50',
        '--election-timeout=500',
        '--logger=zap',
        '--log-level=fatal',
      ]);
    });
    for (const member of members) member.start();
    return new EtcdCluster(members, folder);
  }

  get endpoints(): readonly string[] {
    return this.members.map(({ endpoint }) => endpoint);
  }

  /** The member that leads, as a majority of them sees it; asked until there is one. */
  async leader(): Promise<EtcdMember> {
    for (;;) {
      const statuses = await Promise.allSettled(
        this.members
          .filter(({ isRunning }) => isRunning)
          .map(async (member) => ({
            member,
            status: await member.calls.maintenance.status({}, { timeoutMs: 1000 }),
          })),
      );
      const told = statuses.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      const leader = told.find(
        ({ status }) =>
          status.header !== undefined &&
          status.leader === status.header.memberId &&
          told.filter((other) => other.status.leader === status.leader).length > this.members.length / 2,
      );
      if (leader !== undefined) return leader.member;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** All members lose what they have, and begin anew as the same cluster. */
  async wipe(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    for (const name of readdirSync(this.#folder)) rmSync(join(this.#folder, name), { recursive: true });
    for (const member of this.members) member.start();
    await this.leader();
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
