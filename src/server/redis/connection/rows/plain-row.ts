/**
 * `PlainRow`: GETs, or plain SETs, of one piece that stand one behind the other. They go through the store together, as the plain calls
 * of the other doors do: a row of GETs reads the visible state where it lies, a row of SETs is as many transactions with one look at
 * each key. Replies and revisions are those that the calls would have by themselves.
 *
 * A row does as many of its calls as it can. The first that it leaves (a key with a deadline, a value of another type to be replaced,
 * no room in the log, a long reply) is read again by its connection from where it began, and runs by itself.
 */
import { PutRow } from '../../../../engine/put-row.ts';
import type { PlacedChange } from '../../../../engine/version.ts';
import { fixed, serverFixed } from '../../../../limits.ts';
import { expectKind } from '../../../../types/collections/metadata.ts';
import { kinds } from '../../../../store/collections/kinds.ts';
import type { CommandRunner } from '../../commands/run-command.ts';
import type { TableRow } from '../../commands/table.ts';
import { KeyPlace } from '../../protocol/database-keys.ts';
import type { PlacedArguments } from '../../protocol/placed-arguments.ts';
import type { ReplyWriter } from '../../protocol/reply-writer.ts';
import type { CallRow, RowStore } from './call-row.ts';

const WORDS_OF = { get: 2, set: 3 };
/** A longer value is a view of the piece. */
const COPIED_VALUE_BYTES_MAX = 64;

export class PlainRow implements CallRow {
  row: TableRow | undefined;
  /** Keys, and of SETs the values. */
  readonly #calls = new PutRow();
  /** Where each began, as its connection counts. */
  readonly #starts: number[] = [];
  /** In memory that is used again: a view for each length. */
  readonly #keys: readonly KeyPlace[] = places();
  readonly #values: readonly KeyPlace[] = places();

  get length(): number {
    return this.#calls.length;
  }

  /** Whether a call may be part of a row, as far as its words tell. */
  static isPlain({ name }: TableRow, args: PlacedArguments): boolean {
    if (name !== 'get' && name !== 'set') return false;
    if (args.count !== WORDS_OF[name] || args.database !== 0) return false;
    const keyBytes = args.byteLengthOf(1);
    if (keyBytes === 0 || keyBytes > fixed.putRowKeyBytesMax) return false;
    return name === 'get' || args.byteLengthOf(2) <= fixed.putRowValueBytesMax;
  }

  /** Keys are looked at as the row runs. */
  begin(): boolean {
    return true;
  }

  add(row: TableRow, args: PlacedArguments, start: number): boolean {
    const calls = this.#calls;
    const { length } = calls;
    if (length > 0 && (this.row !== row || length === serverFixed.redisRowCallsMax)) return false;
    this.row = row;
    const key = this.#keys[length];
    const value = this.#values[length];
    if (key === undefined || value === undefined) return false;
    this.#starts[length] = start;
    calls.add(args.keyIn(1, key), args.count === 2 ? NO_VALUE : this.#value(args, value));
    return true;
  }

  startOf(index: number): number {
    return this.#starts[index] ?? 0;
  }

  run(store: RowStore, reply: ReplyWriter, runner: CommandRunner): number {
    try {
      return this.row?.name === 'get' ? this.#get(store, reply, runner) : this.#set(store, reply, runner);
    } finally {
      this.#calls.clear();
      this.row = undefined;
    }
  }

  #get(store: RowStore, reply: ReplyWriter, runner: CommandRunner): number {
    const { keys, length } = this.#calls;
    const begun = reply.length;
    let count = 0;
    try {
      store.readAll(keys, length, (version) => {
        if (version === undefined) reply.nil();
        else if (version.kind === kinds.plain)
          reply.bulkPart(version.valueMemory.bytes, version.valueStart, version.valueEnd);
        else answerWrongType(version, reply, runner);
        count++;
        return reply.length - begun < fixed.getRowBytesMax;
      });
    } catch (error) {
      // The store is closed.
      for (; count < length; count++) runner.answer(error, reply, 'get');
    }
    return count;
  }

  #set(store: RowStore, reply: ReplyWriter, runner: CommandRunner): number {
    const calls = this.#calls;
    let count: number;
    try {
      count = store.putAll(calls);
    } catch (error) {
      // The log has failed: whether any of them is in it is not known.
      for (let index = 0; index < calls.length; index++) runner.answer(error, reply, 'set');
      return calls.length;
    }
    for (let index = 0; index < count; index++) reply.ok();
    return count;
  }

  #value(args: PlacedArguments, place: KeyPlace): Uint8Array {
    const length = args.byteLengthOf(2);
    if (length === 0 || length > COPIED_VALUE_BYTES_MAX) return args.bytes(2);
    return args.bytesIn(2, place);
  }
}

const NO_VALUE = new Uint8Array(0);

function places(): KeyPlace[] {
  return Array.from(
    { length: serverFixed.redisRowCallsMax },
    () => new KeyPlace(Math.max(fixed.putRowKeyBytesMax, COPIED_VALUE_BYTES_MAX)),
  );
}

function answerWrongType(version: PlacedChange, reply: ReplyWriter, runner: CommandRunner): void {
  try {
    expectKind(version, kinds.plain);
  } catch (error) {
    runner.answer(error, reply, 'get');
  }
}
