/**
 * `ElementRow`: calls of HSET to one hash, of SADD to one set, or of ZADD to one sorted set, a field or member each, or of XADD to one
 * stream, an entry with an id by the clock (`*`). The collection's
 * metadata is read once, as the first of them comes; each call looks at its element as those before have left it, and is a transaction
 * of its own when it changes something. So nothing else may run before the row has.
 */
import { fixed, serverFixed } from '../../../../limits.ts';
import type { SpreadCalls } from '../../../../types/collections/spread-calls.ts';
import { ItemsPlace } from '../../../../types/collections/packed-items.ts';
import { TableCalls } from '../../../../types/collections/table-calls.ts';
import { hashType } from '../../../../types/hash/hash.ts';
import { setType } from '../../../../types/set/set.ts';
import { packFields } from '../../../../types/stream/entries.ts';
import { EntryCalls } from '../../../../types/stream/entry-calls.ts';
import { formatId, ID_ZERO } from '../../../../types/stream/stream-id.ts';
import { ScoreCalls } from '../../../../types/sorted-set/score-calls.ts';
import { NO_BYTES } from '../../../../wire/bytes.ts';
import type { CommandRunner } from '../../commands/run-command.ts';
import type { TableRow } from '../../commands/table.ts';
import { KeyPlace } from '../../protocol/database-keys.ts';
import type { PlacedArguments } from '../../protocol/placed-arguments.ts';
import type { ReplyWriter } from '../../protocol/reply-writer.ts';
import type { CallRow, RowStore } from './call-row.ts';
import { areEqual } from './equal-bytes.ts';

/** How many words a call has, and which names its element. */
interface ElementCall {
  readonly words: number;
  readonly element: number;
}

const elementCalls: Readonly<Record<string, ElementCall>> = {
  hset: { words: 4, element: 2 },
  sadd: { words: 3, element: 2 },
  zadd: { words: 4, element: 3 },
};
/** A longer value is a view of the piece. */
const COPIED_BYTES_MAX = 64;

export class ElementRow implements CallRow {
  row: TableRow | undefined;
  readonly #fields = new TableCalls(hashType, serverFixed.redisRowCallsMax);
  readonly #members = new TableCalls(setType, serverFixed.redisRowCallsMax);
  readonly #scores = new ScoreCalls(serverFixed.redisRowCallsMax);
  readonly #entries = new EntryCalls(serverFixed.redisRowCallsMax);
  #calls: SpreadCalls | EntryCalls = this.#fields;
  readonly #starts: number[] = [];
  /** In memory that is used again: the collection's key, that of a call that may join, values of fields, and the fields of entries. */
  readonly #keyPlace = new KeyPlace(fixed.putRowKeyBytesMax);
  readonly #joiningPlace = new KeyPlace(fixed.putRowKeyBytesMax);
  readonly #valuePlaces = Array.from(
    { length: serverFixed.redisRowCallsMax },
    () => new KeyPlace(COPIED_BYTES_MAX),
  );
  readonly #fieldPlaces = Array.from(
    { length: serverFixed.redisRowCallsMax },
    () => new ItemsPlace(COPIED_BYTES_MAX),
  );

  get length(): number {
    return this.#calls.length;
  }

  /** Whether a call may be part of a row, as far as its words tell. */
  static isPlain({ name }: TableRow, args: PlacedArguments): boolean {
    if (name === 'xadd') return isPlainEntry(args);
    const call = elementCalls[name];
    if (args.count !== call?.words || args.database !== 0) return false;
    const keyBytes = args.byteLengthOf(1);
    if (keyBytes === 0 || keyBytes > fixed.putRowKeyBytesMax) return false;
    if (args.byteLengthOf(call.element) > fixed.putRowKeyBytesMax) return false;
    return name !== 'hset' || args.byteLengthOf(3) <= fixed.putRowValueBytesMax;
  }

  begin(store: RowStore, args: PlacedArguments, { name }: TableRow): boolean {
    if (name === 'xadd') this.#calls = this.#entries;
    else this.#calls = name === 'hset' ? this.#fields : name === 'sadd' ? this.#members : this.#scores;
    const key = args.keyIn(1, this.#keyPlace);
    return store.decide((view) => this.#calls.open(view, key)).result;
  }

  add(row: TableRow, args: PlacedArguments, start: number): boolean {
    const { length, key } = this.#calls;
    if (length === serverFixed.redisRowCallsMax) return false;
    if (length > 0 && (row !== this.row || !areEqual(args.keyIn(1, this.#joiningPlace), key))) return false;
    if (!this.#add(row.name, args)) return false;
    this.row = row;
    this.#starts[length] = start;
    return true;
  }

  startOf(index: number): number {
    return this.#starts[index] ?? 0;
  }

  run(store: RowStore, reply: ReplyWriter, runner: CommandRunner): number {
    const calls = this.#calls;
    const { length } = calls;
    const name = this.row?.name ?? '';
    try {
      if (!store.changeElements(calls)) return 0;
      for (let index = 0; index < length; index++) {
        if ('ids' in calls) reply.text(formatId(calls.ids[index] ?? ID_ZERO));
        else reply.integer(calls.areNew[index] === true ? 1 : 0);
      }
    } catch (error) {
      // The log has failed: whether any of them is in it is not known.
      for (let index = 0; index < length; index++) runner.answer(error, reply, name);
    } finally {
      calls.clear();
      this.row = undefined;
    }
    return length;
  }

  /** @returns false: the call is wrong. */
  #add(name: string, args: PlacedArguments): boolean {
    if (name === 'xadd') {
      return this.#entries.add(this.#packedFields(args));
    }
    if (name === 'zadd') {
      const score = args.doubleOrNone(2);
      if (score === undefined) return false;
      this.#scores.add(args.bytesIn(3, this.#scores.nextPlace), score);
    } else if (name === 'sadd') this.#members.add(args.bytesIn(2, this.#members.nextPlace), NO_BYTES);
    else this.#fields.add(args.bytesIn(2, this.#fields.nextPlace), this.#value(args));
    return true;
  }

  #packedFields(args: PlacedArguments): Uint8Array {
    const place = this.#fieldPlaces[this.#entries.length];
    const bytesMax = sizeOfFieldsMax(args);
    if (place === undefined || bytesMax > COPIED_BYTES_MAX) {
      const items: Uint8Array[] = [];
      for (let index = FIRST_FIELD; index < args.count; index++) items.push(args.bytes(index));
      return packFields(items);
    }
    place.begin();
    for (let index = FIRST_FIELD; index < args.count; index++) args.bytesIn(index, place);
    return place.items;
  }

  #value(args: PlacedArguments): Uint8Array {
    const place = this.#valuePlaces[this.#fields.length];
    if (place === undefined || args.byteLengthOf(3) > COPIED_BYTES_MAX) return args.bytes(3);
    return args.bytesIn(3, place);
  }
}

/** Of `XADD key * field value ...`. */
const FIRST_FIELD = 3;

function isPlainEntry(args: PlacedArguments): boolean {
  if (args.count <= FIRST_FIELD || args.count % 2 === 0 || args.database !== 0 || !args.is(2, '*'))
    return false;
  const keyBytes = args.byteLengthOf(1);
  if (keyBytes === 0 || keyBytes > fixed.putRowKeyBytesMax) return false;
  return sizeOfFieldsMax(args) <= fixed.putRowValueBytesMax;
}

function sizeOfFieldsMax(args: PlacedArguments): number {
  let bytes = 0;
  for (let index = FIRST_FIELD; index < args.count; index++)
    bytes += args.byteLengthOf(index) + LENGTH_BYTES_MAX;
  return bytes;
}

/** What stands before a field or a value that is as long as those of a row. */
const LENGTH_BYTES_MAX = 4;
