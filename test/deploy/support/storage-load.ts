/** Writes and reads that keep the files of an engine on disk busy: checkpoints, merges, cold reads, absent keys. */
import { createClient } from '../../../src/client/client.ts';
import type { TestServer } from '../../support/test-server.ts';

const KEY_COUNT = 200;

export class StorageLoad {
  readonly #end = new AbortController();
  readonly #done: Promise<void>;

  constructor(server: TestServer) {
    this.#done = this.#run(server);
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#done;
  }

  async #run({ url }: TestServer): Promise<void> {
    const client = createClient({ address: url });
    try {
      for (let round = 0; !this.#end.signal.aborted; round++) {
        const keys = Array.from({ length: KEY_COUNT }, (_, index) => `storage/${index}`);
        await Promise.all(keys.map((key) => client.put(key, `${round} `.repeat(200))));
        await client.admin.snapshot();
        await Promise.all(keys.flatMap((key) => [client.get(key), client.get(`${key}/absent`)]));
      }
    } finally {
      client.close();
    }
  }
}
