/**
 * Calls that add an entry each to one stream, with an id of its own making, and go through the store together
 * (`store/collections/element-calls.ts`). Keys, ids and metadata are in memory that is used again.
 */
import type { PlacedChange } from '../../engine/version.ts';
import { assert } from '../../errors.ts';
import { ELEMENT_HEAD_BYTES, elementKey, tags } from '../../store/collections/collection-keys.ts';
import type { ElementCalls, ElementChanges } from '../../store/collections/element-calls.ts';
import { kinds } from '../../store/collections/kinds.ts';
import type { ReadView } from '../../store/views/view.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { hasLifetime } from '../lifetime.ts';
import { noteAdded } from './entries.ts';
import { METADATA_BYTES_MAX, Stream } from './stream.ts';
import { ID_BYTES, ID_ZERO, writeNextId } from './stream-id.ts';

export class EntryCalls implements ElementCalls {
  readonly kind = kinds.stream;
  key: Uint8Array = NO_BYTES;
  collectionId = 0;
  createRevision = 0;
  version = 0;
  length = 0;
  bytesMax = 0;
  readonly elements: readonly Uint8Array[];
  /** Of each call, the id of its entry, which is the end of its key. */
  readonly ids: readonly Uint8Array[];
  readonly #fields: Uint8Array[] = [];
  readonly #metadata = Buffer.alloc(METADATA_BYTES_MAX);
  readonly #metadataOfLength = Array.from({ length: METADATA_BYTES_MAX + 1 }, (_, length) =>
    this.#metadata.subarray(0, length),
  );
  /** As the calls that are done have left it. */
  #stream: Stream | undefined;
  #nowMs = 0;

  /** @param callsMax that go together. */
  constructor(callsMax: number) {
    this.elements = Array.from({ length: callsMax }, () => new Uint8Array(ELEMENT_HEAD_BYTES + ID_BYTES));
    this.ids = this.elements.map((key) => key.subarray(ELEMENT_HEAD_BYTES));
  }

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
    if (this.collectionId !== before.collectionId) {
      this.collectionId = before.collectionId;
      const head = elementKey(this.collectionId, tags.entry, NO_BYTES);
      for (const element of this.elements) element.set(head);
    }
    this.createRevision = before.createRevision;
    this.version = before.version;
    this.clear();
    return true;
  }

  clear(): void {
    this.length = this.bytesMax = 0;
  }

  /** @param fields packed, and as they are until the calls are done. @returns false: no id is left. */
  add(fields: Uint8Array): boolean {
    const { length, ids } = this;
    const id = ids[length];
    const lastId = length === 0 ? this.#stream?.lastId : ids[length - 1];
    assert(id !== undefined && lastId !== undefined, 'no more calls come than there is room for');
    if (!writeNextId(id, lastId, this.#nowMs)) return false;
    this.#fields[length] = fields;
    this.length = length + 1;
    this.bytesMax += ELEMENT_HEAD_BYTES + ID_BYTES + fields.length + METADATA_BYTES_MAX;
    return true;
  }

  decide(index: number, found: PlacedChange | undefined, changes: ElementChanges): void {
    const stream = this.#stream;
    assert(stream !== undefined && found === undefined, 'an id behind all that were given is new');
    changes.put(this.elements[index] ?? NO_BYTES, this.#fields[index] ?? NO_BYTES);
    noteAdded(stream, this.ids[index] ?? ID_ZERO);
    changes.metadata = this.#metadataOfLength[stream.writeMetadata(this.#metadata)] ?? NO_BYTES;
  }
}
