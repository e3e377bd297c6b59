/** Writes to a server, one write at a time, and keeps the truth: also of a write whose answer a crash took away. */
import type { KelpClient } from '../../src/client/client.ts';
import type { SeededRandom } from '../support/random.ts';
import { type TrueChange, TrueHistory } from './true-history.ts';

const KEY_COUNT = 20;
const VALUE_BYTES_MAX = 300;

export class TrueWriter {
  readonly history = new TrueHistory();
  readonly #random: SeededRandom;
  #client: KelpClient;
  #waiting: { readonly revision: number; readonly resolve: () => void }[] = [];

  constructor(client: KelpClient, random: SeededRandom) {
    this.#client = client;
    this.#random = random;
  }

  async write(changes: readonly TrueChange[] = this.#randomChanges()): Promise<void> {
    this.#know(changes, await this.#send(changes));
  }

  /** Writes while `crash` takes the server away and brings another one back, to which `client` leads. */
  async writeThroughCrash(crash: () => Promise<KelpClient>): Promise<void> {
    const changes = this.#randomChanges();
    const sending = this.#send(changes).catch(() => undefined);
    this.#client = await crash();
    const answered = await sending;
    const { revision } = await this.#client.admin.status();
    if (answered !== undefined) this.#know(changes, answered);
    // Nobody else writes: what is there beyond what was known is this write.
    else if (revision === this.history.revision + 1) this.#know(changes, revision);
    if (revision !== this.history.revision)
      throw new Error(`the server came back with revision ${revision}, not ${this.history.revision}`);
  }

  /** Resolves when the truth up to this revision is known. */
  async reached(revision: number): Promise<void> {
    if (revision <= this.history.revision) return;
    await new Promise<void>((resolve) => this.#waiting.push({ revision, resolve }));
  }

  async #send(changes: readonly TrueChange[]): Promise<number> {
    const [first] = changes;
    if (first?.type === 'touch') return (await this.#client.touch(first.key, { ttlMs: 0 })).revision;
    const success = changes.map((change) =>
      change.type === 'put'
        ? { kind: 'put' as const, key: change.key, value: change.value }
        : { kind: 'delete' as const, key: change.key },
    );
    return (await this.#client.txn({ success })).revision;
  }

  #know(changes: readonly TrueChange[], revision: number): void {
    if (revision !== this.history.revision + 1)
      throw new Error(`revision ${revision} follows ${this.history.revision}`);
    this.history.add(changes);
    const isReached = (waiting: { readonly revision: number }): boolean => waiting.revision <= revision;
    for (const { resolve } of this.#waiting.filter(isReached)) resolve();
    this.#waiting = this.#waiting.filter((waiting) => !isReached(waiting));
  }

  /** Changes of one to four keys, each of which is really one: what does not exist is not deleted. */
  #randomChanges(): TrueChange[] {
    const random = this.#random;
    const keys = new Set(
      Array.from(
        { length: random.between(1, 4) },
        () => `${random.pick(['a', 'b'])}/${random.below(KEY_COUNT)}`,
      ),
    );
    const existing = [...keys].filter(
      (key) => this.history.entryAt(this.history.revision, key) !== undefined,
    );
    if (existing.length > 0 && random.chance(0.1)) return [{ type: 'touch', key: random.pick(existing) }];
    return [...keys].map((key) =>
      existing.includes(key) && random.chance(0.3)
        ? { type: 'delete', key }
        : { type: 'put', key, value: random.bytes(random.below(VALUE_BYTES_MAX)) },
    );
  }
}
