/**
 * `TrackedKeys`: which clients have read a key, and which state of it. A key is here while any of them may have it in its cache.
 *
 * What stays true: a client is kept with the oldest state that it has been shown since it was told of the key last, so no change behind
 * that is left out; and the list has each key of the map once, at its place, so that one can be picked by chance.
 */

/** Of a user, whatever its database: one character for each byte. */
export type KeyNameText = string;

interface TrackedKey<Client> {
  readonly name: KeyNameText;
  /** In the list. */
  place: number;
  /** Most keys have one client. */
  client: Client;
  /** The revision of the state that it was shown. */
  revision: number;
  /** The same of further ones. */
  others: Map<Client, number> | undefined;
}

/** What a key with its first client takes, and each further client, roughly; beside the bytes of the name. */
const BYTES_OF_KEY = 200;
const BYTES_OF_CLIENT = 60;

export class TrackedKeys<Client> {
  #byName = new Map<KeyNameText, TrackedKey<Client>>();
  #list: TrackedKey<Client>[] = [];
  #clientCount = 0;
  #bytes = 0;

  get keyCount(): number {
    return this.#list.length;
  }

  /** Clients, counted once for each key that they have read. */
  get itemCount(): number {
    return this.#clientCount;
  }

  /** What all of it takes in memory, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A client was shown a key. @param revision of the state. */
  add(name: KeyNameText, client: Client, revision: number): void {
    const known = this.#byName.get(name);
    if (known === undefined) {
      const key = { name, place: this.#list.length, client, revision, others: undefined };
      this.#byName.set(name, key);
      this.#list.push(key);
      this.#clientCount++;
      this.#bytes += BYTES_OF_KEY + name.length;
    } else if (known.client === client) known.revision = Math.min(known.revision, revision);
    else {
      const others = (known.others ??= new Map());
      const before = others.get(client);
      others.set(client, Math.min(before ?? revision, revision));
      if (before !== undefined) return;
      this.#clientCount++;
      this.#bytes += BYTES_OF_CLIENT;
    }
  }

  /**
   * A key has changed: shows the clients that have an older state of it.
   * @param tell @returns whether the client is done with; else it stays.
   */
  changed(name: KeyNameText, revision: number, tell: (client: Client) => boolean): void {
    const key = this.#byName.get(name);
    if (key === undefined) return;
    for (const [client, shown] of key.others ?? []) {
      if (shown >= revision || !tell(client)) continue;
      key.others?.delete(client);
      this.#clientCount--;
      this.#bytes -= BYTES_OF_CLIENT;
    }
    if (key.revision < revision && tell(key.client)) this.#dropFirst(key);
  }

  /** Forgets a key. @param chance from 0 to below 1: which one. @param tell shows each of its clients. */
  evict(chance: number, tell: (name: KeyNameText, client: Client) => void): void {
    const key = this.#list[Math.floor(chance * this.#list.length)];
    if (key === undefined) return;
    tell(key.name, key.client);
    for (const client of key.others?.keys() ?? []) tell(key.name, client);
    const furtherCount = key.others?.size ?? 0;
    this.#clientCount -= furtherCount;
    this.#bytes -= furtherCount * BYTES_OF_CLIENT;
    this.#remove(key);
  }

  clear(): void {
    this.#byName = new Map();
    this.#list = [];
    this.#clientCount = this.#bytes = 0;
  }

  #dropFirst(key: TrackedKey<Client>): void {
    const next = key.others?.entries().next();
    if (next === undefined || next.done === true) {
      this.#remove(key);
      return;
    }
    [key.client, key.revision] = next.value;
    key.others?.delete(key.client);
    this.#clientCount--;
    this.#bytes -= BYTES_OF_CLIENT;
  }

  #remove(key: TrackedKey<Client>): void {
    this.#byName.delete(key.name);
    this.#clientCount--;
    this.#bytes -= BYTES_OF_KEY + key.name.length;
    const last = this.#list.pop();
    if (last === undefined || last === key) return;
    last.place = key.place;
    this.#list[key.place] = last;
  }
}
