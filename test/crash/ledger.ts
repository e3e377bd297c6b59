/**
 * What clients know of their own writes, kept outside of the server: for each key the value of the last write that was
 * acknowledged, and of the last that was tried. Values of one key are numbers that grow by one with each try.
 */
export class Ledger {
  readonly #acknowledged = new Map<string, { value: number; revision: number }>();
  readonly #tried = new Map<string, number>();
  readonly #revisions = new Set<number>();

  get acknowledgedCount(): number {
    return this.#revisions.size;
  }

  /** The value that the next write of the key shall have. */
  next(key: string): number {
    const value = (this.#tried.get(key) ?? 0) + 1;
    this.#tried.set(key, value);
    return value;
  }

  /** The server has acknowledged a transaction that wrote these values. */
  acknowledge(revision: number, values: Readonly<Record<string, number>>): void {
    if (this.#revisions.has(revision)) throw new Error(`revision ${revision} was given to two transactions`);
    this.#revisions.add(revision);
    for (const [key, value] of Object.entries(values)) this.#acknowledged.set(key, { value, revision });
  }

  keys(): string[] {
    return [...this.#tried.keys()];
  }

  /** What is wrong with the state that the server shows for a key; `undefined` when nothing is. */
  fault(
    key: string,
    shown: { readonly value: number; readonly modRevision: number } | undefined,
  ): string | undefined {
    const acknowledged = this.#acknowledged.get(key);
    if (shown === undefined) {
      return acknowledged && `${key}: acknowledged ${acknowledged.value} is lost, the key is gone`;
    }
    if (shown.value > (this.#tried.get(key) ?? 0)) return `${key}: ${shown.value} was never written`;
    if (acknowledged === undefined) return undefined;
    if (shown.value < acknowledged.value) {
      return `${key}: acknowledged ${acknowledged.value} is lost, the server shows ${shown.value}`;
    }
    if (shown.value === acknowledged.value && shown.modRevision !== acknowledged.revision) {
      return `${key}: acknowledged at revision ${acknowledged.revision}, shown at ${shown.modRevision}`;
    }
    return undefined;
  }
}
