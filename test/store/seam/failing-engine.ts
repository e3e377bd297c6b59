/** An engine that breaks when a test wants it to: what no engine does, and what the store must survive with its word kept. */
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import type { PutRow } from '../../../src/engine/put-row.ts';
import type { Change } from '../../../src/engine/version.ts';

export class FailingEngine extends MemoryEngine {
  /** The next change of these breaks; once. */
  #fault: { readonly error: unknown; readonly when: 'before' | 'after' } | undefined;

  /** @param when before or after the engine has taken the change. */
  failNext(error: unknown, when: 'before' | 'after'): void {
    this.#fault = { error, when };
  }

  #compactFault: Error | undefined;

  /** The next compaction breaks; once. */
  failNextCompact(error: Error): void {
    this.#compactFault = error;
  }

  override compact(revision: number): void {
    const fault = this.#compactFault;
    this.#compactFault = undefined;
    if (fault !== undefined) throw fault;
    super.compact(revision);
  }

  override putAll(row: PutRow): number {
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault?.when === 'before') throw fault.error;
    const count = super.putAll(row);
    if (fault !== undefined) throw fault.error;
    return count;
  }

  override apply(change: Change): void {
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault?.when === 'before') throw fault.error;
    super.apply(change);
    if (fault !== undefined) throw fault.error;
  }
}
