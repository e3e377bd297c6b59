/** Which clients are told of all keys that begin in some way (`CLIENT TRACKING ON BCAST PREFIX ...`). */
import { serverFixed } from '../../../limits.ts';
import { prefixesExceeded } from '../replies/errors.ts';
import type { KeyNameText } from './tracked-keys.ts';

export class BroadcastPrefixes<Client> {
  readonly #clientsByPrefix = new Map<string, Set<Client>>();
  #bytes = 0;

  /** Those that differ. */
  get count(): number {
    return this.#clientsByPrefix.size;
  }

  /** Throws a `ReplyError` when there would be too many of all clients, or their bytes; then none is added. */
  add(prefixes: readonly string[], client: Client): void {
    const fresh = [...new Set(prefixes)].filter((prefix) => !this.#clientsByPrefix.has(prefix));
    const freshBytes = fresh.reduce((sum, { length }) => sum + length, 0);
    const { redisTrackedPrefixesMax, redisTrackedPrefixBytesMax } = serverFixed;
    if (
      this.count + fresh.length > redisTrackedPrefixesMax ||
      this.#bytes + freshBytes > redisTrackedPrefixBytesMax
    )
      throw prefixesExceeded();
    this.#bytes += freshBytes;
    for (const prefix of prefixes) {
      const clients = this.#clientsByPrefix.get(prefix);
      if (clients === undefined) this.#clientsByPrefix.set(prefix, new Set([client]));
      else clients.add(client);
    }
  }

  remove(prefixes: Iterable<string>, client: Client): void {
    for (const prefix of prefixes) {
      const clients = this.#clientsByPrefix.get(prefix);
      if (clients?.delete(client) !== true || clients.size > 0) continue;
      this.#clientsByPrefix.delete(prefix);
      this.#bytes -= prefix.length;
    }
  }

  /** Shows the clients that are to know of a key; one with several prefixes as often as they match. */
  eachOf(name: KeyNameText, tell: (client: Client) => void): void {
    if (this.#clientsByPrefix.size === 0) return;
    for (const [prefix, clients] of this.#clientsByPrefix)
      if (name.startsWith(prefix)) for (const client of clients) tell(client);
  }
}
