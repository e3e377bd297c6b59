/**
 * The command table: finds a call's row by its first word, or its first two, without making anything, and checks how many words
 * there are. It is put together of the rows of all families and of those about sessions.
 */
import { assert } from '../../../errors.ts';
import { hashOfName, type PlacedArguments } from '../protocol/placed-arguments.ts';
import {
  type ReplyError,
  badSubcommand,
  unknownCommand,
  unknownSubcommand,
  wrongArity,
} from '../replies/errors.ts';
import type { Command } from './command.ts';
import type { SessionCommand } from './session-command.ts';

export type TableRow = Command | SessionCommand;

/** Whether a call may change what clients see; a script may, be it that its flags don't say so. */
export function mayWrite(row: TableRow): boolean {
  return row.flags.includes('write') || ('write' in row && !row.flags.includes('readonly'));
}

/** A name that is taken: a command, or what has subcommands, or both (`COMMAND`). */
export interface TableEntry {
  readonly name: string;
  readonly upperName: string;
  /** None where the name alone is no command (`CONFIG`). */
  readonly row: TableRow | undefined;
  readonly subcommands: NameTable | undefined;
}

class NameTable {
  readonly #entriesByHash = new Map<number, TableEntry[]>();
  readonly entries: TableEntry[] = [];

  add(entry: TableEntry): void {
    const hash = hashOfName(entry.name);
    const others = this.#entriesByHash.get(hash);
    if (others === undefined) this.#entriesByHash.set(hash, [entry]);
    else others.push(entry);
    this.entries.push(entry);
  }

  find(args: PlacedArguments, index: number): TableEntry | undefined {
    const entries = this.#entriesByHash.get(args.hash(index));
    if (entries === undefined) return undefined;
    for (const entry of entries) if (args.is(index, entry.upperName)) return entry;
    return undefined;
  }
}

export class CommandTable {
  readonly rows: readonly TableRow[];
  readonly #names = new NameTable();

  constructor(rows: readonly TableRow[]) {
    this.rows = rows;
    const taken = new Set<string>();
    const subcommandsByName = new Map<string, NameTable>();
    for (const row of rows) {
      assert(!taken.has(row.name), 'each command has one row');
      taken.add(row.name);
      const [container, name] = row.name.split('|');
      if (container === undefined || name === undefined) continue;
      const subcommands = subcommandsByName.get(container) ?? new NameTable();
      subcommandsByName.set(container, subcommands);
      subcommands.add({ name, upperName: name.toUpperCase(), row, subcommands: undefined });
    }
    for (const row of rows) {
      if (!row.name.includes('|')) this.#add(row.name, row, subcommandsByName.get(row.name));
    }
    for (const [name, subcommands] of subcommandsByName)
      if (!taken.has(name)) this.#add(name, undefined, subcommands);
  }

  /** The names of the first word. */
  get entries(): readonly TableEntry[] {
    return this.#names.entries;
  }

  /** @returns the row of a call, or what is wrong with its name or the number of its words. */
  find(args: PlacedArguments): TableRow | ReplyError {
    const entry = this.#names.find(args, 0);
    if (entry === undefined) return unknownCommand(args.text(0), wordsBehind(args));
    const { subcommands } = entry;
    if (subcommands === undefined || args.count === 1) {
      return entry.row !== undefined && isArityRight(entry.row, args.count)
        ? entry.row
        : wrongArity(entry.name);
    }
    const row = subcommands.find(args, 1)?.row;
    if (row === undefined)
      return (entry.name === 'debug' ? badSubcommand : unknownSubcommand)(args.text(1), entry.name);
    return isArityRight(row, args.count) ? row : wrongArity(row.name);
  }

  /** The row of a call by its name, however many words there are. */
  named(args: PlacedArguments): TableRow | undefined {
    const entry = this.#names.find(args, 0);
    if (entry?.subcommands === undefined || args.count === 1) return entry?.row;
    return entry.subcommands.find(args, 1)?.row;
  }

  /** Whether the first word of a call is a name, be it that of subcommands alone. */
  isTaken(args: PlacedArguments): boolean {
    return this.#names.find(args, 0) !== undefined;
  }

  /** @param name in lower case, `config|get`. */
  byName(name: string): TableRow | undefined {
    return this.rows.find((row) => row.name === name);
  }

  #add(name: string, row: TableRow | undefined, subcommands: NameTable | undefined): void {
    this.#names.add({ name, upperName: name.toUpperCase(), row, subcommands });
  }
}

function isArityRight({ arity }: TableRow, count: number): boolean {
  return arity >= 0 ? count === arity : count >= -arity;
}

function* wordsBehind(args: PlacedArguments): Generator<string, undefined> {
  for (let index = 1; index < args.count; index++) yield args.text(index);
}
