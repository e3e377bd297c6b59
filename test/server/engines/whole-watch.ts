/** One watch over all restarts, each of whose changes is kept as a line, to be held against those that were acknowledged. */
import type { KelpClient } from '../../../src/client/client.ts';
import { numberOf } from './numbered-values.ts';

/** What a revision made of a key: the number of its value, or how it went. */
export type Change = number | 'deleted' | 'expired';

export class WholeWatch {
  readonly faults: string[] = [];
  readonly changes = new Map<number, Map<string, Change>>();
  readonly expired = new Set<string>();
  readonly #controller = new AbortController();
  readonly #ended: Promise<void>;
  #revision = 0;
  #isEnded = false;
  #wake: (() => void)[] = [];

  constructor(client: KelpClient, prefix: string) {
    this.#ended = this.#follow(client, prefix)
      .catch((error: unknown) => {
        if (!this.#controller.signal.aborted) this.faults.push(`the watch ended: ${String(error)}`);
      })
      .finally(() => {
        this.#isEnded = true;
        this.#tell();
      });
  }

  /** Waits until everything up to a revision has come, or the watch has ended. */
  async reached(revision: number): Promise<void> {
    await this.#until(() => this.#revision >= revision);
  }

  /** Waits until these have expired. */
  async gone(keys: readonly string[]): Promise<void> {
    await this.#until(() => keys.every((key) => this.expired.has(key)));
  }

  async end(): Promise<void> {
    this.#controller.abort();
    await this.#ended;
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds() && !this.#isEnded)
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
      });
  }

  async #follow(client: KelpClient, prefix: string): Promise<void> {
    const watch = client.watch({
      ranges: [{ prefix }],
      startRevision: 1,
      progressIntervalMs: 100,
      signal: this.#controller.signal,
    });
    for await (const message of watch) {
      if (message.kind === 'events') {
        if (message.revision <= this.#revision)
          this.faults.push(`revision ${message.revision} came behind ${this.#revision}`);
        const changes = new Map<string, Change>();
        for (const event of message.events) {
          if (event.type === 'delete') {
            const isRequested = event.reason === 'requested';
            changes.set(event.key, isRequested ? 'deleted' : 'expired');
            if (!isRequested) this.expired.add(event.key);
          } else {
            const { key, value } = event.entry;
            const number = numberOf(key, value);
            if (number === undefined) this.faults.push(`${key}: at ${message.revision} it has another value`);
            changes.set(key, number ?? NaN);
          }
        }
        this.changes.set(message.revision, changes);
      } else if (message.kind !== 'synced' && message.kind !== 'progress') {
        this.faults.push(`the watch says ${message.kind}`);
        return;
      }
      this.#revision = Math.max(this.#revision, message.revision);
      this.#tell();
    }
  }

  #tell(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
