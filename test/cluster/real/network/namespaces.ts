/**
 * A network of Linux: each process has a namespace of its own, and one of them routes between all, where packets from one place to another
 * are dropped without a word. It takes root, and `ip` of Debian's iproute2. It goes with the test.
 *
 *   test --+                +-- node-1
 *          +---- the hub ---+-- node-2
 *   etcd-1 +                +-- ...
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import type { TestNetwork } from './test-network.ts';

/** Of 198.18.0.0/15, which is set apart for tests of networks (RFC 2544). */
const NET = `198.18.${process.pid % 256}`;
const TEST = 'test';
/** How long a packet takes where the kernel can say so, and else how many bits a second a place may receive. */
const NETEM = 'netem delay 10ms 5ms loss 1%';
const RATE = 'tbf rate 20mbit burst 32kbit latency 50ms';

let madeCount = 0;

export class Namespaces implements TestNetwork {
  readonly #name = `kelp-${process.pid}-${++madeCount}`;
  readonly #numberByPlace: ReadonlyMap<string, number>;
  readonly #lost: string[] = [];
  #isSlow = false;

  private constructor(places: readonly string[]) {
    this.#numberByPlace = new Map([TEST, ...places].map((place, number) => [place, number]));
  }

  /** Why there can be none on this machine; `undefined`: there can. */
  static refusal(): string | undefined {
    const name = `kelp-${process.pid}-probe`;
    const made = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
    if (made.status === 0) {
      const { status, stderr } = spawnSync(
        'ip',
        ['link', 'add', 'kelp-probe', 'type', 'veth', 'peer', 'name', 'kelp-probe-2', 'netns', name],
        { encoding: 'utf8' },
      );
      // The link goes with the namespace.
      spawnSync('ip', ['netns', 'del', name]);
      return status === 0 ? undefined : stderr.trim();
    }
    return made.error === undefined ? made.stderr.trim() : 'the command ip is missing (iproute2)';
  }

  static start(places: readonly string[]): Namespaces {
    const network = new Namespaces(places);
    onTestFinished(() => network.#remove());
    network.#make();
    return network;
  }

  hostOf(place: string): string {
    return `${NET}.${4 * this.#number(place) + 2}`;
  }

  commandOf(place: string): readonly string[] {
    return ['ip', 'netns', 'exec', this.#namespace(place)];
  }

  addressFor(_from: string, to: string, port: number): Promise<string> {
    return Promise.resolve(`${this.hostOf(to)}:${port}`);
  }

  advertised(node: string, port: number): Promise<string> {
    return this.addressFor('', node, port);
  }

  lose(from: string, to: string): void {
    const rule = `from ${this.hostOf(from)} to ${this.hostOf(to)} blackhole`;
    this.#inHub([`rule add ${rule}`]);
    this.#lost.push(rule);
  }

  slowDown(): void {
    const places = [...this.#numberByPlace.values()];
    const shape = (discipline: string): boolean =>
      places.every((number) => {
        const args = `qdisc add dev p${number} root ${discipline}`.split(' ');
        return spawnSync('tc', ['-n', this.#hub, ...args]).status === 0;
      });
    this.#isSlow = true;
    if (!shape(NETEM) && !shape(RATE)) throw new Error('tc of this machine can not slow a link down');
  }

  heal(): void {
    this.#inHub(this.#lost.splice(0).map((rule) => `rule del ${rule}`));
    if (!this.#isSlow) return;
    this.#isSlow = false;
    for (const number of this.#numberByPlace.values())
      spawnSync('tc', ['-n', this.#hub, 'qdisc', 'del', 'dev', `p${number}`, 'root']);
  }

  #make(): void {
    batch([], [`netns add ${this.#hub}`]);
    execFileSync('ip', ['netns', 'exec', this.#hub, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
    for (const [place, number] of this.#numberByPlace) {
      const gateway = `${NET}.${4 * number + 1}`;
      const link = this.#link(place);
      if (place !== TEST) batch([], [`netns add ${this.#namespace(place)}`]);
      batch([], [`link add ${link} type veth peer name p${number} netns ${this.#hub}`]);
      this.#inHub([`addr add ${gateway}/30 dev p${number}`, `link set p${number} up`]);
      if (place !== TEST) batch([], [`link set ${link} netns ${this.#namespace(place)}`]);
      batch(place === TEST ? [] : ['-n', this.#namespace(place)], [
        `addr add ${this.hostOf(place)}/30 dev ${link}`,
        'link set lo up',
        `link set ${link} up`,
        `route add ${place === TEST ? `${NET}.0/24` : 'default'} via ${gateway}`,
      ]);
    }
  }

  /** A namespace stays until its processes have ended, which the test has started later and ends before. */
  #remove(): void {
    const names = [...this.#numberByPlace.keys()].filter((place) => place !== TEST);
    for (const name of [...names.map((place) => this.#namespace(place)), this.#hub])
      spawnSync('ip', ['netns', 'del', name]);
    spawnSync('ip', ['link', 'del', this.#link(TEST)]);
  }

  get #hub(): string {
    return `${this.#name}-hub`;
  }

  #namespace(place: string): string {
    return `${this.#name}-${place}`;
  }

  /** Names of links have 15 letters at most. */
  #link(place: string): string {
    return `k${process.pid}p${this.#number(place)}`.slice(-15);
  }

  #number(place: string): number {
    const number = this.#numberByPlace.get(place);
    if (number === undefined) throw new Error(`there is no place "${place}"`);
    return number;
  }

  #inHub(lines: readonly string[]): void {
    batch(['-n', this.#hub], lines);
  }
}

function batch(args: readonly string[], lines: readonly string[]): void {
  execFileSync('ip', [...args, '-batch', '-'], {
    input: lines.join('\n'),
    stdio: ['pipe', 'ignore', 'inherit'],
  });
}
