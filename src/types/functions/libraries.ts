/**
 * Libraries of functions as the store keeps them: each with its text and with what its functions said of themselves when it was loaded, so
 * that a list needs no Lua.
 *
 *     library    01, then items (`packed-items.ts`): the text, and for each function its name, a byte of flags, and its description
 *                behind a byte 1, or nothing
 *     function   the SHA-256 of its library's text, then the library's name
 *
 * - Each function of a library has its key, which names it, and no other one has.
 * - No two libraries have a function of one name.
 *
 * So a call looks at one key to know what runs: the digest names the text, be it that another node has loaded it a moment ago.
 */
import { createHash } from 'node:crypto';
import { assert, StoreError } from '../../errors.ts';
import { serverFixed } from '../../limits.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { ItemCursor, spliceItems } from '../collections/packed-items.ts';
import {
  FUNCTION_KEYS,
  FUNCTION_REGION,
  functionKey,
  LIBRARY_KEYS,
  libraryKey,
  nameInKey,
} from './function-keys.ts';

export const functionFlags = [
  'no-writes',
  'allow-oom',
  'allow-stale',
  'no-cluster',
  'allow-cross-slot-keys',
] as const;
export type FunctionFlag = (typeof functionFlags)[number];

export interface StoredFunction {
  readonly name: string;
  readonly flags: ReadonlySet<FunctionFlag>;
  /** One character for each byte. */
  readonly description: string | undefined;
}

export interface StoredLibrary {
  readonly name: string;
  /** One character for each byte. */
  readonly text: string;
  readonly functions: readonly StoredFunction[];
}

/** Where a function is. */
export interface FunctionPlace {
  /** Of the library's text, as `digestOf` gives it. */
  readonly digest: string;
  readonly libraryName: string;
}

const VERSION = 1;
const DIGEST_BYTES = 32;
const HAS_DESCRIPTION = '\x01';

/** The SHA-256 of a library's text. @param text one character for each byte. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex');
}

/** @param name in whatever case. */
export function findFunction(view: ReadView, name: string): FunctionPlace | undefined {
  if (!isName(name)) return undefined;
  const value = view.read(functionKey(name))?.value;
  if (value === undefined) return undefined;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  return {
    digest: bytes.toString('hex', 0, DIGEST_BYTES),
    libraryName: bytes.toString('latin1', DIGEST_BYTES),
  };
}

export function findLibrary(view: ReadView, name: string): StoredLibrary | undefined {
  if (!isName(name)) return undefined;
  const value = view.read(libraryKey(name))?.value;
  return value === undefined ? undefined : parseLibrary(name, value);
}

/** Of all libraries, in the order of their names. */
export function allLibraries(view: ReadView): StoredLibrary[] {
  const libraries: StoredLibrary[] = [];
  const next = view.scan(LIBRARY_KEYS, false, (shown) => {
    const value = shown.copyValue();
    view.budget.spendBytes(value.length);
    libraries.push(parseLibrary(nameInKey(shown.copyKey()), value));
    return true;
  });
  if (next !== undefined) throw budgetSpent(view.budget);
  return libraries;
}

export function countLibraries(view: View): {
  readonly libraryCount: number;
  readonly functionCount: number;
} {
  return { libraryCount: view.count(LIBRARY_KEYS), functionCount: view.count(FUNCTION_KEYS) };
}

/**
 * Puts a library in the place of the one of its name, if there is one; `checkRoom` is called behind the last one.
 * @returns the name of one of its functions that another library has; then it has changed nothing.
 */
export function putLibrary(view: View, library: StoredLibrary): string | undefined {
  const { name, text, functions } = library;
  for (const one of functions) {
    const place = findFunction(view, one.name);
    if (place !== undefined && place.libraryName !== name) return one.name;
  }
  deleteLibrary(view, name);
  const digest = Buffer.from(digestOf(text), 'hex');
  view.put(libraryKey(name), recordOf(library));
  const place = Buffer.concat([digest, Buffer.from(name, 'latin1')]);
  for (const one of functions) view.put(functionKey(one.name), place);
  return undefined;
}

/** @returns whether there was one. */
export function deleteLibrary(view: View, name: string): boolean {
  const library = findLibrary(view, name);
  if (library === undefined) return false;
  view.delete(libraryKey(name));
  for (const one of library.functions) view.delete(functionKey(one.name));
  return true;
}

export function deleteLibraries(view: View): void {
  const { nextKey } = view.deleteRange(FUNCTION_REGION);
  if (nextKey !== undefined) throw budgetSpent(view.budget);
}

/** Whether a library or a function may be called so. */
export function isName(name: string): boolean {
  return name.length <= serverFixed.redisFunctionNameBytesMax && /^\w+$/.test(name);
}

/** Throws `limitReached` where libraries were put that are too many with the others. */
export function checkRoom(view: View): void {
  const { libraryCount, functionCount } = countLibraries(view);
  const byteCount = allLibraries(view).reduce((bytes, library) => bytes + sizeOf(library), 0);
  for (const [count, limit, what] of [
    [libraryCount, 'redisLibrariesMax', 'libraries of functions'],
    [functionCount, 'redisFunctionsMax', 'functions in libraries'],
    [byteCount, 'redisLibraryBytesMax', 'bytes of libraries of functions'],
  ] as const) {
    if (count <= serverFixed[limit]) continue;
    throw new StoreError(
      'limitReached',
      `there would be ${count} ${what}, and ${serverFixed[limit]} may be (${limit}); delete a library with FUNCTION DELETE`,
    );
  }
}

/** The bytes of its text and of what its functions say of themselves. */
function sizeOf({ text, functions }: StoredLibrary): number {
  let bytes = text.length;
  for (const { name, description = '' } of functions) bytes += name.length + description.length;
  return bytes;
}

function recordOf({ text, functions }: StoredLibrary): Uint8Array {
  const items = [text];
  for (const { name, flags, description } of functions) {
    let bits = 0;
    for (const [index, flag] of functionFlags.entries()) if (flags.has(flag)) bits |= 1 << index;
    const told = description === undefined ? '' : HAS_DESCRIPTION + description;
    items.push(name, String.fromCharCode(bits), told);
  }
  const head = Uint8Array.of(VERSION);
  return spliceItems(
    head,
    head.length,
    head.length,
    items.map((item) => Buffer.from(item, 'latin1')),
  );
}

function parseLibrary(name: string, value: Uint8Array): StoredLibrary {
  assert(value[0] === VERSION, 'a library is of a version that is known');
  const cursor = new ItemCursor(value, 1);
  const items: string[] = [];
  while (cursor.next()) items.push(Buffer.from(cursor.item).toString('latin1'));
  const [text = '', ...facts] = items;
  const functions: StoredFunction[] = [];
  for (let index = 0; index < facts.length; index += 3) {
    const [functionName = '', flags = '', told = ''] = facts.slice(index, index + 3);
    const bits = flags.charCodeAt(0);
    functions.push({
      name: functionName,
      flags: new Set(functionFlags.filter((_, at) => (bits & (1 << at)) !== 0)),
      description: told === '' ? undefined : told.slice(1),
    });
  }
  return { name, text, functions };
}
