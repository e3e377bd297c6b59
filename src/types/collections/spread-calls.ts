/**
 * What calls to one spread collection have in common that go through the store together (`store/collections/element-calls.ts`): the
 * collection's version before them, the keys of their elements, the count and the metadata that each leaves. All is in memory that is
 * used again.
 */
import type { PlacedChange } from '../../engine/version.ts';
import { assert } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { ELEMENT_HEAD_BYTES, elementKey, type Tag } from '../../store/collections/collection-keys.ts';
import type { ElementCalls, ElementChanges } from '../../store/collections/element-calls.ts';
import type { Kind } from '../../store/collections/kinds.ts';
import type { ReadView } from '../../store/views/view.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { hasLifetime } from '../lifetime.ts';
import { isPacked, readCount, writeSpreadCount } from './metadata.ts';

const METADATA_BYTES_MAX = 9;

export abstract class SpreadCalls implements ElementCalls {
  readonly kind: Kind;
  key: Uint8Array = NO_BYTES;
  collectionId = 0;
  createRevision = 0;
  version = 0;
  length = 0;
  bytesMax = 0;
  readonly elements: Uint8Array[] = [];
  /** Of each call that is done, whether its element is new. */
  readonly areNew: boolean[] = [];
  readonly #tag: Tag;
  readonly #places: readonly ElementKeyPlace[];
  readonly #metadata = Buffer.alloc(METADATA_BYTES_MAX);
  readonly #metadataOfLength: readonly Uint8Array[];
  /** How many elements there are after the calls that are done; and the metadata that says so. */
  #count = 0;
  #countWritten = -1;
  #metadataNow: Uint8Array = NO_BYTES;

  /** @param callsMax that go together. */
  protected constructor(kind: Kind, tag: Tag, callsMax: number) {
    this.kind = kind;
    this.#tag = tag;
    this.#places = Array.from({ length: callsMax }, () => new ElementKeyPlace());
    this.#metadataOfLength = Array.from({ length: METADATA_BYTES_MAX + 1 }, (_, length) =>
      this.#metadata.subarray(0, length),
    );
  }

  abstract decide(index: number, found: PlacedChange | undefined, changes: ElementChanges): void;

  /**
   * Begins with a collection, to which calls are added then.
   * @param key stays as it is until they are done.
   * @returns false: it is not spread, or its lifetime would have to go with each change, or there is something else or nothing.
   */
  open(view: ReadView, key: Uint8Array): boolean {
    const before = view.read(key);
    if (before?.kind !== this.kind || hasLifetime(before) || isPacked(before)) return false;
    const { count, restStart } = readCount(before);
    if (restStart !== before.value.length) return false;
    this.key = key;
    if (this.collectionId !== before.collectionId) {
      this.collectionId = before.collectionId;
      const head = elementKey(this.collectionId, this.#tag, NO_BYTES);
      for (const place of this.#places) place.begin(head);
    }
    this.createRevision = before.createRevision;
    this.version = before.version;
    this.#count = count;
    this.clear();
    return true;
  }

  clear(): void {
    this.length = this.bytesMax = 0;
  }

  /** Where the name of the next call's element is to be put, of at most `fixed.putRowKeyBytesMax` bytes: that gives its key. */
  get nextPlace(): ElementKeyPlace {
    const place = this.#places[this.length];
    assert(place !== undefined, 'no more calls come than there is room for');
    return place;
  }

  /** @param element as the next place has given it. @param bytesMax of all that the call may write. */
  protected addElement(element: Uint8Array, bytesMax: number): void {
    this.elements[this.length++] = element;
    this.bytesMax += bytesMax;
  }

  /** Whether the element of a call that is done is new: says so in the metadata. */
  protected note(index: number, isNew: boolean, changes: ElementChanges): void {
    this.areNew[index] = isNew;
    if (isNew) this.#count++;
    if (changes.count > 0) changes.metadata = this.#metadataOf(this.#count);
  }

  #metadataOf(count: number): Uint8Array {
    if (count === this.#countWritten) return this.#metadataNow;
    const end = writeSpreadCount(this.#metadata, count);
    this.#countWritten = count;
    return (this.#metadataNow = this.#metadataOfLength[end] ?? NO_BYTES);
  }
}

/** The key of one element, in memory of its own: a view of each length is made once. */
export class ElementKeyPlace {
  readonly #bytes = new Uint8Array(ELEMENT_HEAD_BYTES + fixed.putRowKeyBytesMax);
  readonly #views: (Uint8Array | undefined)[] = [];

  begin(head: Uint8Array): void {
    this.#bytes.set(head);
  }

  /** Gives the key of an element whose name is a part of some bytes. */
  putWord(source: Uint8Array, start: number, end: number): Uint8Array {
    const bytes = this.#bytes;
    let at = ELEMENT_HEAD_BYTES;
    for (let index = start; index < end; index++) bytes[at++] = source[index] ?? 0;
    return (this.#views[at] ??= bytes.subarray(0, at));
  }
}
