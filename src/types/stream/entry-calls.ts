/**
 * Calls that add an entry each to one stream, with an id of its own making, and go through the store together
 * (`store/collections/element-calls.ts`).
 */
import type { PlacedChange } from '../../engine/version.ts';
import { assert } from '../../errors.ts';
import type { ElementCalls, ElementChanges } from '../../store/collections/element-calls.ts';
import { kinds } from '../../store/collections/kinds.ts';
import type { ReadView } from '../../store/views/view.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { hasLifetime } from '../lifetime.ts';
import { entryKey, noteAdded } from './entries.ts';
import { METADATA_BYTES_MAX, Stream } from './stream.ts';
import { ID_ZERO, nextId } from './stream-id.ts';

export class EntryCalls implements ElementCalls {
  readonly kind = kinds.stream;
  key: Uint8Array = NO_BYTES;
  collectionId = 0;
  createRevision = 0;
  version = 0;
  length = 0;
  bytesMax = 0;
  readonly elements: Uint8Array[] = [];
  /** Of each call, the id of its entry. */
  readonly ids: Uint8Array[] = [];
  readonly #fields: Uint8Array[] = [];
  /** As the calls that are done have left it. */
  #stream: Stream | undefined;
  #nowMs = 0;

  /**
   * Begins with a stream, to which calls are added then.
   * @param key stays as it is until they are done.
   * @returns false: its lifetime would have to go with each change, or there is something else or nothing.
   */
  open(view: ReadView, key: Uint8Array): boolean {
    const before = view.read(key);
    if (before?.kind !== kinds.stream || hasLifetime(before)) return false;
    this.#stream = Stream.of(before);
    this.#nowMs = view.instantMs;
    this.key = key;
    this.collectionId = before.collectionId;
    this.createRevision = before.createRevision;
    this.version = before.version;
    this.clear();
    return true;
  }

  clear(): void {
    this.length = this.bytesMax = 0;
  }

  /** @param fields what `packFields` has made. @returns false: no id is left. */
  add(fields: Uint8Array): boolean {
    const lastId = this.length === 0 ? this.#stream?.lastId : this.ids[this.length - 1];
    const id = lastId && nextId(lastId, this.#nowMs);
    if (id === undefined) return false;
    const element = entryKey(this.collectionId, id);
    this.ids[this.length] = id;
    this.#fields[this.length] = fields;
    this.elements[this.length++] = element;
    this.bytesMax += element.length + fields.length + METADATA_BYTES_MAX;
    return true;
  }

  decide(index: number, found: PlacedChange | undefined, changes: ElementChanges): void {
    const stream = this.#stream;
    assert(stream !== undefined && found === undefined, 'an id behind all that were given is new');
    changes.put(this.elements[index] ?? NO_BYTES, this.#fields[index] ?? NO_BYTES);
    noteAdded(stream, this.ids[index] ?? ID_ZERO);
    changes.metadata = stream.metadata();
  }
}
