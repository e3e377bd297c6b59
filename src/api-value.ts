/** Keys and values, as all calls take them, and how what is handed out names its key. */

/** The bytes of a buffer or of a view of one, as they are whatever its type; or text, which stands for its UTF-8. */
export type Value = string | ArrayBufferView | ArrayBufferLike;

/**
 * A key of 1 to 4096 bytes: text, which stands for its UTF-8, or the bytes. Bytes that are UTF-8 name the same key as
 * their text. A key that is handed out is a text, and bytes only if it is not UTF-8; keys are ordered by their bytes.
 */
export type Key = string | Uint8Array;

/** How an entry or an event names its key: `entry.keyBytes ?? entry.key` is a `Key` that every call takes. */
export interface NamedKey {
  /** Empty when the key is not UTF-8. */
  readonly key: string;
  /** The key when it is not UTF-8; else it is not there. */
  readonly keyBytes?: Uint8Array;
}
