/** `CallRow`: calls of one piece that stand one behind the other, and go through the store together (`GatheredCalls`). */
import type { PutRow } from '../../../../engine/put-row.ts';
import type { PlacedChange } from '../../../../engine/version.ts';
import type { ElementCalls } from '../../../../store/collections/element-calls.ts';
import type { Seam } from '../../../../store/seam.ts';
import type { CommandRunner } from '../../commands/run-command.ts';
import type { TableRow } from '../../commands/table.ts';
import type { PlacedArguments } from '../../protocol/placed-arguments.ts';
import type { ReplyWriter } from '../../protocol/reply-writer.ts';

/** What rows need of the store. */
export interface RowStore extends Pick<Seam, 'decide'> {
  /** Whether `putAll` may do any put: nothing is told of each. */
  readonly takesRows: boolean;
  readAll(
    keys: readonly Uint8Array[],
    count: number,
    visit: (version: PlacedChange | undefined) => boolean,
  ): void;
  putAll(row: PutRow): number;
  /** @returns false: nothing was done. */
  changeElements(calls: ElementCalls): boolean;
}

export interface CallRow {
  /** Of the calls that are gathered; `undefined`: there are none. */
  readonly row: TableRow | undefined;
  readonly length: number;
  /** Before the first call is added. @returns false: calls like this one are not likely to be done by a row. */
  begin(store: RowStore, args: PlacedArguments, row: TableRow): boolean;
  /** @param start where it began. @returns false: it can't join those that are there, which are to run first. */
  add(row: TableRow, args: PlacedArguments, start: number, reply: ReplyWriter): boolean;
  /** Where the call at an index began. */
  startOf(index: number): number;
  /** Runs the calls; the row is empty then. @returns how many have their reply: the next one is to run by itself. */
  run(store: RowStore, reply: ReplyWriter, runner: CommandRunner): number;
}
