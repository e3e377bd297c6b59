/**
 * A value of Redis as bytes, as RDB files of version 10 and DUMP have it ("Redis RDB Dump File Format" of S. Sripathi Krishnan describes
 * most of it):
 *
 *     type value version:u16 crc:u64      the last two, little-endian, are those of DUMP; the checksum is of all before it
 *
 *     length   00LLLLLL | 01LLLLLL llllllll | 80 u32 | 81 u64      big-endian
 *     string   length bytes | C0 i8 | C1 i16 | C2 i32 | C3 length length LZF      numbers little-endian, as their decimal text
 */

/** The byte at the beginning. Of those above 5 the value is a string that holds all elements, or strings with parts of them. */
export const valueTypes = {
  string: 0,
  list: 1,
  set: 2,
  sortedSetOfTexts: 3,
  hash: 4,
  sortedSet: 5,
  listZiplist: 10,
  setIntset: 11,
  sortedSetZiplist: 12,
  hashZiplist: 13,
  listOfZiplists: 14,
  hashListpack: 16,
  sortedSetListpack: 17,
  listOfNodes: 18,
} as const;

/** In place of a type: the text of a library of functions follows. */
export const LIBRARY = 245;

/** What a node of a list of nodes is: one long element, or a listpack. */
export const nodeTypes = { plain: 1, packed: 2 } as const;

export const RDB_VERSION = 10;
export const VERSION_BYTES = 2;

export const lengths = {
  short: 0x00,
  medium: 0x40,
  long: 0x80,
  longest: 0x81,
  encoded: 0xc0,
  kindMask: 0xc0,
} as const;

/** In place of a length: how the string is encoded. */
export const stringEncodings = { int8: 0, int16: 1, int32: 2, lzf: 3 } as const;
