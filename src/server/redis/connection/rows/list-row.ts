/**
 * `ListRow`: pushes to one list, or pops from it, by one command, an element each. The list is read once, as the first of them comes;
 * what each leaves of it, and its reply, is there as soon as the call is added, and all are put together, as many transactions. So
 * nothing else may run before the row has.
 */
import { PutRow } from '../../../../engine/put-row.ts';
import { fixed, serverFixed } from '../../../../limits.ts';
import { kinds } from '../../../../store/collections/kinds.ts';
import { ListEnds } from '../../../../types/list/ends.ts';
import type { End } from '../../../../types/list/list.ts';
import type { CommandRunner } from '../../commands/run-command.ts';
import type { TableRow } from '../../commands/table.ts';
import { KeyPlace } from '../../protocol/database-keys.ts';
import type { PlacedArguments } from '../../protocol/placed-arguments.ts';
import type { ReplyWriter } from '../../protocol/reply-writer.ts';
import type { CallRow, RowStore } from './call-row.ts';
import { areEqual } from './equal-bytes.ts';

interface ListCall {
  readonly words: number;
  readonly end: End;
}

const PUSH_WORDS = 3;
const listCalls: Readonly<Record<string, ListCall>> = {
  lpush: { words: PUSH_WORDS, end: 'head' },
  rpush: { words: PUSH_WORDS, end: 'tail' },
  lpop: { words: 2, end: 'head' },
  rpop: { words: 2, end: 'tail' },
};
/** A longer element is a view of the piece. */
const COPIED_BYTES_MAX = 64;

export class ListRow implements CallRow {
  row: TableRow | undefined;
  /** All of the same key, with the metadata that each call leaves. */
  readonly #puts = new PutRow();
  readonly #ends = new ListEnds(serverFixed.redisRowCallsMax);
  readonly #starts: number[] = [];
  /** How long what was written is without the replies, and with that of each call. */
  #replyStart = 0;
  readonly #replyEnds: number[] = [];
  /** In memory that is used again: the list's key, that of a call that may join, and an element. */
  readonly #keyPlace = new KeyPlace(fixed.putRowKeyBytesMax);
  readonly #joiningPlace = new KeyPlace(fixed.putRowKeyBytesMax);
  readonly #elementPlace = new KeyPlace(COPIED_BYTES_MAX);
  #key: Uint8Array = this.#keyPlace.put(0, Buffer.of(0), 0, 1);

  get length(): number {
    return this.#puts.length;
  }

  /** Whether a call may be part of a row, as far as its words tell. */
  static isPlain({ name }: TableRow, args: PlacedArguments): boolean {
    if (args.count !== listCalls[name]?.words || args.database !== 0) return false;
    const keyBytes = args.byteLengthOf(1);
    return keyBytes > 0 && keyBytes <= fixed.putRowKeyBytesMax;
  }

  begin(store: RowStore, args: PlacedArguments): boolean {
    this.#key = args.keyIn(1, this.#keyPlace);
    return store.decide((view) => this.#ends.open(view, this.#key)).result;
  }

  add(row: TableRow, args: PlacedArguments, start: number, reply: ReplyWriter): boolean {
    const puts = this.#puts;
    const { length } = puts;
    if (length === serverFixed.redisRowCallsMax) return false;
    if (length > 0 && (row !== this.row || !areEqual(args.keyIn(1, this.#joiningPlace), this.#key)))
      return false;
    const call = listCalls[row.name];
    if (call === undefined) return false;
    const begun = reply.length;
    const metadata = this.#change(call, args, reply);
    if (metadata === undefined) return false;
    if (length === 0) {
      this.row = row;
      this.#replyStart = begun;
      puts.kind = kinds.list;
      puts.collectionId = this.#ends.id;
    }
    this.#starts[length] = start;
    this.#replyEnds[length] = reply.length;
    puts.add(this.#key, metadata);
    return true;
  }

  startOf(index: number): number {
    return this.#starts[index] ?? 0;
  }

  run(store: RowStore, reply: ReplyWriter, runner: CommandRunner): number {
    const puts = this.#puts;
    const { length } = puts;
    const name = this.row?.name ?? '';
    try {
      const count = store.putAll(puts);
      if (count < length) reply.rollBack(count === 0 ? this.#replyStart : (this.#replyEnds[count - 1] ?? 0));
      return count;
    } catch (error) {
      // The log has failed: whether any of them is in it is not known.
      reply.rollBack(this.#replyStart);
      for (let index = 0; index < length; index++) runner.answer(error, reply, name);
      return length;
    } finally {
      puts.clear();
      this.row = undefined;
    }
  }

  /** @returns what a call leaves of the list, with its reply written; `undefined`: more than a row may change. */
  #change({ words, end }: ListCall, args: PlacedArguments, reply: ReplyWriter): Uint8Array | undefined {
    const ends = this.#ends;
    if (words === PUSH_WORDS) {
      const isShort = args.byteLengthOf(2) <= COPIED_BYTES_MAX;
      const pushed = ends.push(end, isShort ? args.bytesIn(2, this.#elementPlace) : args.bytes(2));
      if (pushed !== undefined) reply.integer(ends.count);
      return pushed;
    }
    const popped = ends.pop(end);
    if (popped !== undefined) reply.bulkPart(ends.bytes, ends.poppedStart, ends.poppedEnd);
    return popped;
  }
}
