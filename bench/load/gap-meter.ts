/**
 * Clients that have all addresses of a cluster and put a value at a steady pace, whether those before were acknowledged or not, as the
 * users of a program come: for how long no put of theirs was acknowledged, and how long one took. Each client begins with another node.
 */
import { createClient, type KelpClient } from '../../src/client/client.ts';
import { keyOf, Values } from './data.ts';

const PUT_EVERY_MS = 20;
const DEADLINE_MS = 15_000;
const LOOK_MS = 10;

interface MeteredClient {
  readonly client: KelpClient;
  readonly timer: NodeJS.Timeout;
  /** When the newest acknowledged put began, and when one was acknowledged. */
  beganMs: number;
  lastMs: number;
  gapMs: number;
}

export interface Gaps {
  /** In which no put of any client was acknowledged. */
  readonly allMs: number;
  /** The same of the client for which it was longest. */
  readonly slowestMs: number;
  /** That one put took until it was acknowledged or failed. */
  readonly longestMs: number;
  readonly failureCount: number;
}

export class GapMeter {
  readonly #value = new Values().of(0);
  readonly #clients: readonly MeteredClient[];
  /** When each that is under way began, in that order. */
  readonly #underWay = new Set<{ readonly beganMs: number }>();
  #lastMs = performance.now();
  #gapMs = 0;
  #longestMs = 0;
  #failureCount = 0;

  constructor(addresses: readonly string[]) {
    this.#clients = addresses.map((_, index) => {
      const metered: MeteredClient = {
        client: createClient({
          addresses: [...addresses.slice(index), ...addresses.slice(0, index)],
          deadlineMs: DEADLINE_MS,
        }),
        timer: setInterval(() => void this.#put(metered, keyOf(index)), PUT_EVERY_MS),
        beganMs: -1,
        lastMs: performance.now(),
        gapMs: 0,
      };
      return metered;
    });
  }

  /** What was before counts no more. */
  begin(): void {
    const nowMs = performance.now();
    this.#lastMs = nowMs;
    this.#gapMs = this.#longestMs = this.#failureCount = 0;
    for (const client of this.#clients) {
      client.lastMs = nowMs;
      client.gapMs = 0;
    }
  }

  /** Resolves when each client has had a put acknowledged that began after this, and all that began before are over. */
  async allServed(): Promise<void> {
    const nowMs = performance.now();
    const isServed = (): boolean =>
      this.#clients.every(({ beganMs }) => beganMs > nowMs) &&
      [...this.#underWay].every(({ beganMs }) => beganMs > nowMs);
    while (!isServed()) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }

  gaps(): Gaps {
    return {
      allMs: this.#gapMs,
      slowestMs: Math.max(...this.#clients.map(({ gapMs }) => gapMs)),
      longestMs: this.#longestMs,
      failureCount: this.#failureCount,
    };
  }

  stop(): void {
    for (const { client, timer } of this.#clients) {
      clearInterval(timer);
      client.close();
    }
  }

  async #put(metered: MeteredClient, key: string): Promise<void> {
    const call = { beganMs: performance.now() };
    this.#underWay.add(call);
    const isAcknowledged = await metered.client.put(key, this.#value).then(
      () => true,
      () => false,
    );
    this.#underWay.delete(call);
    const nowMs = performance.now();
    this.#longestMs = Math.max(this.#longestMs, nowMs - call.beganMs);
    if (!isAcknowledged) {
      this.#failureCount++;
      return;
    }
    metered.beganMs = Math.max(metered.beganMs, call.beganMs);
    this.#gapMs = Math.max(this.#gapMs, nowMs - this.#lastMs);
    metered.gapMs = Math.max(metered.gapMs, nowMs - metered.lastMs);
    this.#lastMs = metered.lastMs = nowMs;
  }
}
