/** Walks through records of the log where they lie in a buffer, without an object for each effect. */
import {
  enterEffect,
  nextInRecordEffects,
  readPlacedDeleteEffect,
  readPlacedPutEffect,
  readPlacedRecord,
  readPlacedTouchEffect,
  sizeInRecordEffects,
  type PlacedRecord,
} from '../../../../gen/kelp/storage/v1/log_codec.ts';
import type { EventType } from '../../../api.ts';
import { Cursor } from '../../../wire/cursor.ts';
import { memoryOf, type Memory } from '../../../wire/memory.ts';
import { PlacedEffect } from '../messages/event-maker.ts';

/** Throws a `WireError` at what is no record. */
export class RecordWalk {
  readonly buffer: Buffer;
  readonly #memory: Memory;
  readonly #cursor: Cursor;
  readonly #head: PlacedRecord = { revision: 0, timeMs: 0, leaseClockMs: 0, effectsCount: 0 };
  readonly #effect = new PlacedEffect();
  #recordEnd = 0;
  #effectEnd = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
    this.#memory = memoryOf(buffer);
    this.#cursor = new Cursor(buffer, 0, buffer.length);
  }

  /** The revision and the time of a record; they stand before the effects, however many those are. */
  readHead(start: number, end: number): Pick<PlacedRecord, 'revision' | 'timeMs'> {
    const cursor = this.#cursor;
    cursor.position = start;
    const firstEnd = nextInRecordEffects(cursor, end);
    const headEnd = firstEnd === 0 ? end : firstEnd - sizeInRecordEffects(firstEnd - cursor.position);
    cursor.position = start;
    readPlacedRecord(this.#head, cursor, headEnd);
    return this.#head;
  }

  /** Goes to the effect that begins at `position`, or to the start of a record that ends at `end`. */
  goTo(position: number, end: number): void {
    this.#effectEnd = position;
    this.#recordEnd = end;
  }

  /** Where the next effect begins. */
  get position(): number {
    return this.#effectEnd;
  }

  /** Goes into the next effect. @returns what it does to a key, `other` when it is not on a key, `undefined` behind the last. */
  next(): EventType | 'other' | undefined {
    const cursor = this.#cursor;
    cursor.position = this.#effectEnd;
    const end = nextInRecordEffects(cursor, this.#recordEnd);
    if (end === 0) return undefined;
    this.#effectEnd = end;
    const kind = enterEffect(cursor, end);
    return kind === 'put' || kind === 'delete' || kind === 'touch' ? kind : 'other';
  }

  /** Reads the effect that `next` went into; it is there until the next one is read. */
  readEffect(type: EventType, revision: number): PlacedEffect {
    const effect = this.#effect;
    const [cursor, end, memory, offset] = [
      this.#cursor,
      this.#effectEnd,
      this.#memory,
      this.buffer.byteOffset,
    ];
    effect.clear(memory);
    effect.replacedExpired = false;
    switch (type) {
      case 'put':
        readPlacedPutEffect(effect, cursor, end, memory, offset);
        effect.modRevision = revision;
        break;
      case 'delete':
        readPlacedDeleteEffect(effect, cursor, end, memory, offset);
        break;
      case 'touch':
        readPlacedTouchEffect(effect, cursor, end, memory, offset);
        break;
    }
    return effect;
  }
}
