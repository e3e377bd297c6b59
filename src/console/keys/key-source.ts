/**
 * What a list of keys is read from, in pages: `rows` is a window of them that moves on as it is scrolled. What it drops at one end it
 * can read again, so that it holds no more of a million keys than of a thousand.
 */
import type { ReadonlySignal } from '@preact/signals';
import type { ValueType } from '../../../gen/kelp/v1/types_pb.ts';
import type { Key } from '../bytes/key-name.ts';
import type { Failure } from '../calls/failure.ts';

export interface KeyRow {
  readonly key: Key;
  /** `undefined`: it was not asked for. */
  readonly type: ValueType | undefined;
}

export interface KeySource {
  readonly rows: ReadonlySignal<readonly KeyRow[]>;
  /** How many rows were dropped before the first one so far, less those that were read again. */
  readonly shift: ReadonlySignal<number>;
  readonly hasMore: ReadonlySignal<boolean>;
  readonly isReading: ReadonlySignal<boolean>;
  readonly failure: ReadonlySignal<Failure | undefined>;
  /** Begins anew. */
  show(end: 'first' | 'last'): Promise<void>;
  /** Does nothing while it reads, and where there is nothing more. */
  readAfter(): Promise<void>;
  readBefore(): Promise<void>;
  /** Reads no more. */
  close(): void;
}
