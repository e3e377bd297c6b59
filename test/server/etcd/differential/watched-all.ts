/** A watch over all keys from now on, which is read all the time. */
import type { EtcdClient } from '../support/etcd-client.ts';
import { Watched } from '../support/watched.ts';

export class WatchedAll {
  readonly events: unknown[] = [];
  readonly #watched: Watched;
  #revision = 1;
  #failure: Error | undefined;
  #wake = (): void => undefined;

  private constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** @returns once the server has made it. */
  static async start(client: EtcdClient): Promise<WatchedAll> {
    const watched = new Watched(client);
    const zero = Buffer.from('\0');
    watched.create({ key: zero, rangeEnd: zero });
    const { created } = await watched.next();
    if (!created) throw new Error('a watch did not say that it is made');
    const all = new WatchedAll(watched);
    all.#read().catch((error: unknown) => {
      all.#failure = error instanceof Error ? error : new Error(String(error));
      all.#wake();
    });
    return all;
  }

  /** Once it has told all up to this revision. */
  async reached(revision: number): Promise<void> {
    while (this.#revision < revision) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  stop(): void {
    this.#watched.stop();
  }

  async #read(): Promise<void> {
    for (;;) {
      const { events, canceled, cancelReason } = await this.#watched.next();
      if (canceled) throw new Error(`a watch is over: ${cancelReason}`);
      for (const { type, kv } of events) {
        this.events.push({ type, kv: { ...kv } });
        this.#revision = Math.max(this.#revision, Number(kv?.modRevision));
      }
      this.#wake();
    }
  }
}
