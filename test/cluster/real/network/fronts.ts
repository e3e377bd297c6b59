/**
 * A network that works everywhere: between a node and each member of etcd there is a front of their own, and before each node one for
 * all other nodes, which have no address of their own there. So what is lost between two nodes is lost between the one that serves and all
 * others. Members of etcd, and clients of the test, are reached without a front.
 */
import { SeededRandom } from '../../../support/random.ts';
import { type DelayMs, Front } from './front.ts';
import type { TestNetwork } from './test-network.ts';

const DELAY_MS_MAX = 20;
/** What is lost comes after the least time that Linux waits before it sends again. */
const RESENT_SHARE = 0.02;
const RESENT_AFTER_MS = 200;

const ANY_NODE = 'node-*';

interface Place {
  readonly from: string;
  readonly to: string;
  readonly front: Front;
}

export class Fronts implements TestNetwork {
  readonly #fronts: Place[] = [];
  readonly #random: SeededRandom;

  constructor(seed = 1) {
    this.#random = new SeededRandom(seed);
  }

  hostOf(_place: string): string {
    return '127.0.0.1';
  }

  commandOf(_place: string): readonly string[] {
    return [];
  }

  async addressFor(from: string, to: string, port: number): Promise<string> {
    const front = await Front.before(port);
    this.#fronts.push({ from, to, front });
    return front.address;
  }

  advertised(node: string, port: number): Promise<string> {
    return this.addressFor(ANY_NODE, node, port);
  }

  lose(from: string, to: string): void {
    for (const place of this.#fronts) {
      if (isAt(from, place.from) && to === place.to) place.front.lose('there');
      if (from === place.to && isAt(to, place.from)) place.front.lose('back');
    }
  }

  slowDown(): void {
    const delayMs: DelayMs = () =>
      this.#random.below(DELAY_MS_MAX) + (this.#random.chance(RESENT_SHARE) ? RESENT_AFTER_MS : 0);
    for (const { front } of this.#fronts) front.slowDown(delayMs);
  }

  heal(): void {
    for (const { front } of this.#fronts) front.heal();
  }
}

function isAt(place: string, known: string): boolean {
  return place === known || (known === ANY_NODE && place.startsWith('node-'));
}
