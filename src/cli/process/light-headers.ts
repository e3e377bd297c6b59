/**
 * Headers of calls, without the rest of the Fetch API: the first use of Node's own `Headers` loads all of undici, which
 * is a sixth of the CPU time of `kelp get`. Names and values are those that Node's HTTP/2 has checked, or Connect's own,
 * so they are not checked again.
 */
type HeadersInit = ConstructorParameters<typeof Headers>[0];

export class LightHeaders {
  readonly #valueByName = new Map<string, string>();

  constructor(init: HeadersInit = []) {
    const pairs = Symbol.iterator in init ? init : Object.entries(init);
    for (const [name = '', value = ''] of pairs) this.append(name, value);
  }

  append(name: string, value: string): void {
    const before = this.get(name);
    this.set(name, before === null ? value : `${before}, ${value}`);
  }

  delete(name: string): void {
    this.#valueByName.delete(name.toLowerCase());
  }

  get(name: string): string | null {
    return this.#valueByName.get(name.toLowerCase()) ?? null;
  }

  has(name: string): boolean {
    return this.#valueByName.has(name.toLowerCase());
  }

  set(name: string, value: string | number): void {
    this.#valueByName.set(name.toLowerCase(), String(value));
  }

  /** A call has none. */
  getSetCookie(): string[] {
    return [];
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void): void {
    for (const [name, value] of this) callback(value, name, this);
  }

  keys(): MapIterator<string> {
    return this.#sorted().keys();
  }

  values(): MapIterator<string> {
    return this.#sorted().values();
  }

  entries(): MapIterator<[string, string]> {
    return this.#sorted().entries();
  }

  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries();
  }

  /** The Fetch standard has them in the order of their names. */
  #sorted(): Map<string, string> {
    return new Map([...this.#valueByName].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
