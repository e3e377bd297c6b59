/**
 * Keys as a tree: a separator in a key ends the name of a folder. The server knows no folders, so their names are found by steps: a scan
 * of some keys, and the next one behind the folder that the last of these lies in. So a folder costs one short read at most, however many
 * keys it has. What is folded is not read, and its keys are counted where that is asked for.
 */
import { signal } from '@preact/signals';
import { type Key, type Range, bytesOf, keyAfter, prefixEnd } from '../bytes/key-name.ts';
import { asText, toHex } from '../bytes/text.ts';
import { type Failure, failureOf } from '../calls/failure.ts';
import { limits } from '../page/limits.ts';
import type { KeyRow } from './key-source.ts';
import type { PageOfKeys } from './ranged-keys.ts';

/** What a tree is read by. */
export interface TreeReads {
  scan(range: Range, limit: number, signal: AbortSignal): Promise<PageOfKeys>;
  count(range: Range, signal: AbortSignal): Promise<bigint>;
}

export interface Folder {
  readonly kind: 'folder';
  /** All keys in it begin with this, its separator included. */
  readonly prefix: Uint8Array;
  readonly label: string;
  readonly depth: number;
  readonly parent: Folder | undefined;
  isOpen: boolean;
  isReading: boolean;
  /** Those found so far; `undefined`: none were looked for. */
  children: (Folder | Leaf)[] | undefined;
  /** Where the search goes on; `undefined`: all are found. */
  next: Uint8Array | undefined;
  failure: Failure | undefined;
  /** `undefined`: not known yet. */
  count: bigint | undefined;
  isCounting: boolean;
}

export interface Leaf extends KeyRow {
  readonly kind: 'key';
  readonly label: string;
  readonly depth: number;
  readonly parent: Folder;
}

/** What stands behind the last child that was found. */
export interface More {
  readonly kind: 'more';
  readonly depth: number;
  readonly parent: Folder;
}

export type TreeRow = Folder | Leaf | More;

export class KeyTree {
  /** In the order in which they are shown. */
  readonly rows = signal<readonly TreeRow[]>([]);
  readonly root: Folder;
  readonly #separator: Uint8Array;
  readonly #reads: TreeReads;
  readonly #closing = new AbortController();
  readonly #uncounted: Folder[] = [];
  #countingCount = 0;

  constructor(prefix: Key, separator: string, reads: TreeReads) {
    this.#separator = new TextEncoder().encode(separator);
    this.#reads = reads;
    this.root = newFolder(bytesOf(prefix), '', -1, undefined);
  }

  async open(folder: Folder): Promise<void> {
    folder.isOpen = true;
    if (folder.children === undefined) await this.readMore(folder);
    else this.#show();
  }

  close(folder: Folder): void {
    folder.isOpen = false;
    this.#show();
  }

  async readMore(folder: Folder): Promise<void> {
    if (folder.isReading) return;
    folder.isReading = true;
    folder.failure = undefined;
    this.#show();
    try {
      await this.#findChildren(folder);
    } catch (error) {
      if (!this.#closing.signal.aborted) folder.failure = failureOf(error);
    } finally {
      folder.isReading = false;
      this.#show();
    }
  }

  /** Finds out how many keys lie in folders, a few at a time, those asked for last first. */
  countIn(folders: readonly Folder[]): void {
    for (const folder of folders) {
      if (folder.count !== undefined || folder.isCounting) continue;
      folder.isCounting = true;
      this.#uncounted.push(folder);
    }
    while (this.#countingCount < limits.countCalls && this.#uncounted.length > 0) void this.#countNext();
  }

  stop(): void {
    this.#closing.abort();
  }

  async #countNext(): Promise<void> {
    const folder = this.#uncounted.pop();
    if (folder === undefined) return;
    this.#countingCount++;
    try {
      folder.count = await this.#reads.count(rangeOf(folder), this.#closing.signal);
      this.#show();
    } catch {
      // Its line stays without a number.
    } finally {
      this.#countingCount--;
      if (!this.#closing.signal.aborted) this.countIn([]);
    }
  }

  async #findChildren(folder: Folder): Promise<void> {
    const { end } = rangeOf(folder);
    folder.children ??= [];
    const wanted = folder.children.length + limits.childrenAtOnce;
    for (let calls = 0; calls < limits.childCalls && folder.children.length < wanted; calls++) {
      const start = folder.next ?? folder.prefix;
      const { rows, isLast } = await this.#reads.scan({ start, end }, limits.childKeys, this.#closing.signal);
      for (const row of rows) this.#addChild(folder, row);
      const last = folder.children.at(-1);
      folder.next = nextStart(last, rows.at(-1), isLast, end);
      if (folder.next === undefined) break;
    }
  }

  #addChild(folder: Folder, row: KeyRow): void {
    const children = folder.children ?? [];
    const bytes = bytesOf(row.key);
    const depth = folder.depth + 1;
    const at = indexOfBytes(bytes, this.#separator, folder.prefix.length);
    const nameStart = this.#nameStart(folder);
    if (at === -1) {
      const label = nameOf(bytes, nameStart);
      children.push({
        kind: 'key',
        ...row,
        label: label === '' ? '(empty name)' : label,
        depth,
        parent: folder,
      });
      return;
    }
    const prefix = bytes.slice(0, at + this.#separator.length);
    const last = children.at(-1);
    if (last?.kind === 'folder' && indexOfBytes(prefix, last.prefix, 0) === 0) return;
    children.push(newFolder(prefix, nameOf(prefix, nameStart), depth, folder));
  }

  /** Where the names of children begin: a root may end in the middle of a name. */
  #nameStart({ prefix, parent }: Folder): number {
    if (parent !== undefined || this.#separator.length === 0) return prefix.length;
    for (let at = prefix.length - this.#separator.length; at >= 0; at--) {
      if (indexOfBytes(prefix.subarray(0, at + this.#separator.length), this.#separator, at) === at) {
        return at + this.#separator.length;
      }
    }
    return 0;
  }

  #show(): void {
    const rows: TreeRow[] = [];
    addRows(this.root, rows);
    this.rows.value = rows;
  }
}

export function rangeOf({ prefix }: Folder): Range {
  return { start: prefix, end: prefixEnd(prefix) };
}

function addRows(folder: Folder, rows: TreeRow[]): void {
  for (const child of folder.children ?? []) {
    if (rows.length >= limits.treeRows) return;
    rows.push(child);
    if (child.kind === 'folder' && child.isOpen) addRows(child, rows);
  }
  const isUnfinished = folder.next !== undefined || folder.isReading || folder.failure !== undefined;
  if (isUnfinished) rows.push({ kind: 'more', depth: folder.depth + 1, parent: folder });
}

/** Behind the folder that the last key lies in, or behind the key. */
function nextStart(
  child: Folder | Leaf | undefined,
  last: KeyRow | undefined,
  isLast: boolean,
  end: Uint8Array,
): Uint8Array | undefined {
  if (isLast || last === undefined) return undefined;
  if (child?.kind !== 'folder') return keyAfter(last.key);
  const behind = prefixEnd(child.prefix);
  // Of bytes 0xff alone nothing lies behind; behind the last folder may lie the end of the one around it.
  if (behind.length === 0) return undefined;
  return toHex(behind) === toHex(end) ? undefined : behind;
}

function newFolder(prefix: Uint8Array, label: string, depth: number, parent: Folder | undefined): Folder {
  return {
    kind: 'folder',
    prefix,
    label,
    depth,
    parent,
    isOpen: false,
    isReading: false,
    children: undefined,
    next: undefined,
    failure: undefined,
    count: undefined,
    isCounting: false,
  };
}

function nameOf(bytes: Uint8Array, start: number): string {
  const rest = bytes.subarray(start);
  return asText(rest) ?? `0x${toHex(rest)}`;
}

/** -1: it is not there, or there is nothing to find. */
function indexOfBytes(bytes: Uint8Array, part: Uint8Array, from: number): number {
  if (part.length === 0) return -1;
  for (let at = bytes.indexOf(part[0] ?? 0, from); at !== -1; at = bytes.indexOf(part[0] ?? 0, at + 1)) {
    if (at + part.length > bytes.length) return -1;
    if (part.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}
