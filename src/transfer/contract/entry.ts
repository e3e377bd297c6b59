/** An entry on its way: what an export writes of a key, and what an import takes. */
import type { Key } from '../../api.ts';

export interface TransferEntry {
  /** In the form in which keys are handed out: text, and bytes only if it is not UTF-8. */
  readonly key: Key;
  readonly value: Uint8Array;
  /** The instant from which it is no longer readable, in milliseconds since 1970-01-01 UTC; 0: never. */
  readonly expireTimeMs: number;
  /** Whether it belongs to a lease, whose end is its own. */
  readonly isLeased: boolean;
  /** Whether it is a list, a hash or another collection, which no form but a backup has: `value` says nothing of it. */
  readonly isCollection: boolean;
}

/** What a reader of a form hands out, and what stands behind it. */
export type EmitEntry = (entry: TransferEntry) => void;
