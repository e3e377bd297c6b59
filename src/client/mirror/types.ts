/** What a mirror takes and tells. */
import type { Key, KeyRange, NamedKey } from '../../api.ts';
import type { KelpError } from '../errors/error.ts';
import type { Entry } from '../messages/entry.ts';

export interface MirrorOptions {
  /** The keys that it holds at most; with more it fails with `limitReached`. Default 1,000,000. */
  readonly keysMax?: number;
  /** The bytes of keys and values that it holds at most. Default 256 MiB; twice that while it begins anew. */
  readonly bytesMax?: number;
  /** How often the server says that there was nothing, so that `revision` moves on. Default 1000, at least 100. */
  readonly progressIntervalMs?: number;
  /** Aborting it closes the mirror. */
  readonly signal?: AbortSignal;
}

export type MirrorEvent<AnEntry = Entry> =
  /** Written anew or over, or its time to live set anew. */
  | { readonly type: 'put'; readonly entry: AnEntry; readonly previous: AnEntry | undefined }
  | {
      readonly type: 'delete';
      readonly key: string;
      /** Only when the key is no text. */
      readonly keyBytes?: Uint8Array;
      readonly previous: AnEntry;
    };

export type MirrorChange<AnEntry = Entry> =
  /** All that one revision did to the range. */
  | {
      readonly kind: 'events';
      readonly revision: number;
      readonly incarnation: string;
      readonly commitTimeMs: number;
      readonly events: readonly MirrorEvent<AnEntry>[];
    }
  /** The difference between what was shown and what is, where the revisions between them could not be had. */
  | {
      readonly kind: 'resync';
      readonly revision: number;
      readonly incarnation: string;
      readonly events: readonly MirrorEvent<AnEntry>[];
    };

export interface MirrorSignals<AnEntry = Entry> {
  change: [MirrorChange<AnEntry>];
  /** The connection is lost. */
  stale: [];
  /** It has caught up again. */
  fresh: [];
  failed: [KelpError];
}

/** How a mirror shows what it holds: as it is in the store, or as a namespace has it. */
export interface MirrorView<AnEntry> {
  /** @returns the key in the store. */
  keyOf(key: Key): Key;
  rangeOf(range: KeyRange): KeyRange;
  entryOf(raw: Entry): AnEntry;
  /** The key of one that is gone. */
  namedOf(raw: NamedKey): NamedKey;
}
