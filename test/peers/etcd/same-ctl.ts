/** Debian's etcdctl beside a test, twice: each command goes to a real etcd and to KelpDB, and must say and end alike. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished } from 'vitest';
import { RealEtcd } from '../../server/etcd/support/real-etcd.ts';
import { startTestServer } from '../../support/test-server.ts';
import { Etcdctl } from './etcdctl.ts';

interface Said {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

interface Side {
  /** `HOST:PORT`. */
  readonly address: string;
  /** What its output has, and what stands for that where both are compared. */
  readonly names: Map<string, string>;
}

export class SameCtl {
  readonly kelp: Side;
  readonly etcd: Side;

  private constructor(kelpAddress: string, etcdAddress: string) {
    [this.kelp, this.etcd] = [kelpAddress, etcdAddress].map((address) => ({
      address,
      names: new Map([[address, 'ADDRESS']]),
    })) as [Side, Side];
  }

  /** Within a test, with which both servers end. */
  static async start(): Promise<SameCtl> {
    const [server, etcd] = await Promise.all([startTestServer(), RealEtcd.start()]);
    onTestFinished(() => etcd.stop());
    return new SameCtl(server.address, new URL(etcd.url).host);
  }

  /** A command that ends by itself, with words between spaces. @param input what is typed. @returns what both said. */
  async same(command: string, input = ''): Promise<Said> {
    const [wanted, given] = await this.both(command, input);
    expect(given, `${command}\n${input}`).toEqual(wanted);
    return wanted;
  }

  /** As `same`, compared in what a test makes of the answers. */
  async sameBut(command: string, taken: (said: Said) => unknown, input = ''): Promise<void> {
    const [wanted, given] = await this.both(command, input);
    expect(taken(given), `${command}\n${input}`).toEqual(taken(wanted));
  }

  /** Grants a lease on both, whose id is LEASE in commands and answers from then on. */
  async grant(ttl: number): Promise<void> {
    for (const side of [this.etcd, this.kelp]) {
      const { stdout } = await run(side, `lease grant ${ttl}`);
      const [, id = ''] = /^lease (\w+) granted with TTL\(/.exec(stdout) ?? [];
      expect(id, stdout).not.toBe('');
      for (const [own, name] of side.names) if (name.startsWith('LEASE')) side.names.delete(own);
      side.names.set(id, 'LEASE').set(String(BigInt(`0x${id}`)), 'LEASE-NUMBER');
    }
  }

  /** A command that goes on. @returns what compares its lines up to the first that has a text in it. */
  start(command: string): (last: string) => Promise<void> {
    const args = command.split(' ');
    const started = [this.etcd, this.kelp].map(({ address }) => new Etcdctl(address, args));
    return async (last) => {
      const [wanted, given] = await Promise.all(started.map((each) => linesTo(each, last)));
      expect(given, command).toEqual(wanted);
    };
  }

  async both(command: string, input = ''): Promise<[Said, Said]> {
    return await Promise.all([run(this.etcd, command, input), run(this.kelp, command, input)]);
  }
}

/** What etcdctl says to one of them, with what names that server or a moment taken out. */
async function run({ address, names }: Side, command: string, input = ''): Promise<Said> {
  const args = command.split(' ').map((word) => {
    for (const [own, name] of names) if (word.includes(name)) return word.replace(name, own);
    return word;
  });
  const child = spawn('etcdctl', [`--endpoints=${address}`, ...args], {
    env: { ...process.env, ETCDCTL_API: '3' },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  const plain = (output: string): string => {
    let told = output
      .replaceAll(/("(?:cluster_id|member_id|raft_term)":)\d+/g, '$10')
      .replaceAll(/("(?:ClusterID|MemberID|RaftTerm)" : )\d+/g, '$10')
      .replaceAll(/"ts":"[^"]*"/g, '"ts":""')
      .replaceAll(/client-[0-9a-f-]{36}/g, 'client-ID');
    for (const [own, name] of names) told = told.replaceAll(own, name);
    return told;
  };
  return { code, stdout: plain(stdout), stderr: plain(stderr) };
}

async function linesTo(command: Etcdctl, last: string): Promise<string[]> {
  const told: string[] = [];
  for (;;) {
    const [line = ''] = await command.lines(1);
    told.push(line.replaceAll(/("(?:cluster_id|member_id|raft_term)":)\d+/g, '$10'));
    if (line.includes(last)) return told;
  }
}
