/**
 * A value of Redis as bytes, as RDB files of version 10 and DUMP have it ("Redis RDB Dump File Format" of S. Sripathi Krishnan describes
 * most of it):
 *
 *     type value version:u16 crc:u64      the last two, little-endian, are those of DUMP; the checksum is of all before it
 *
 *     length   00LLLLLL | 01LLLLLL llllllll | 80 u32 | 81 u64      big-endian
 *     string   length bytes | C0 i8 | C1 i16 | C2 i32 | C3 length length LZF      numbers little-endian, as their decimal text
 *
 * A stream is made of nodes with some entries each, each node a listpack (`packed.ts`); ids in it are differences from that of the node.
 * `id` is two numbers as lengths are written, `rawId` 16 bytes big-endian, a time a u64 of milliseconds, little-endian. The part of the
 * second line is not in a stream of Redis before 7.0, nor is `read`, of which all ones say that it is not known.
 *
 *     stream     nodes:length (rawId as a string, node as a string)* entries:length last:id
 *                first:id maxDeleted:id added:length
 *                groups:length (name last:id read:length pending consumers:length (name seen:time owned)*)*
 *     pending    count:length (rawId delivered:time deliveries:length)*
 *     owned      count:length rawId*
 *
 *     node       entries deleted fieldCount field* 0 entry*
 *     entry      flags ms sequence (value* | fieldCount (field value)*) elementCount      the former: with the fields of the node
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
  stream: 15,
  hashListpack: 16,
  sortedSetListpack: 17,
  listOfNodes: 18,
  countedStream: 19,
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

/** What the flags of an entry in a node of a stream say. */
export const entryFlags = { deleted: 1, hasFieldsOfNode: 2 } as const;

/** How many entries a group has read, where that is not known. */
export const UNKNOWN_READ = 2n ** 64n - 1n;
