/** The wire format in its plainest form: a message is a row of records, each a field number, a wire type and a value. */

export interface WireRecord {
  readonly number: number;
  readonly wireType: number;
  /** A varint (64 bits, unsigned); `undefined` with all other wire types. */
  readonly varint?: bigint;
  /** What follows a length, without that length; `undefined` with all other wire types. */
  readonly payload?: Buffer;
  /** Eight bytes; `undefined` with all other wire types. */
  readonly fixed64?: Buffer;
  /** All its bytes, the tag included. */
  readonly raw: Buffer;
}

const GROUP_DEPTH_MAX = 100;

/** Cuts a message into its records. Throws when that can't be done. */
export function splitRecords(bytes: Buffer): WireRecord[] {
  const records: WireRecord[] = [];
  for (let at = 0; at < bytes.length;) {
    const record = recordAt(bytes, at, 0);
    if (record.wireType === 4) throw new Error('the end of a group that was not begun');
    records.push(record);
    at += record.raw.length;
  }
  return records;
}

export function encodeVarint(value: bigint, paddedTo = 1): Buffer {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, value); rest !== 0n || bytes.length < paddedTo; rest >>= 7n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
  bytes.push((bytes.pop() as number) & 0x7f);
  return Buffer.from(bytes);
}

export function encodeTag(number: number, wireType: number): Buffer {
  return encodeVarint(BigInt(number) * 8n + BigInt(wireType));
}

export function encodePayload(number: number, payload: Uint8Array): Buffer {
  return Buffer.concat([encodeTag(number, 2), encodeVarint(BigInt(payload.length)), payload]);
}

/** All varints of a packed list. */
export function splitVarints(payload: Buffer): bigint[] {
  const values: bigint[] = [];
  for (let at = 0; at < payload.length;) {
    const { value, end } = varintAt(payload, at, 10);
    values.push(value);
    at = end;
  }
  return values;
}

function recordAt(bytes: Buffer, start: number, groupDepth: number): WireRecord {
  const tag = varintAt(bytes, start, 5);
  const number = Number(tag.value >> 3n);
  const wireType = Number(tag.value & 7n);
  if (number === 0 || tag.value >= 2n ** 32n) throw new Error('field number out of range');
  switch (wireType) {
    case 0: {
      const { value, end } = varintAt(bytes, tag.end, 10);
      return { number, wireType, varint: value, raw: slice(bytes, start, end) };
    }
    case 1: {
      const end = tag.end + 8;
      return { number, wireType, fixed64: slice(bytes, tag.end, end), raw: slice(bytes, start, end) };
    }
    case 2: {
      const length = varintAt(bytes, tag.end, 10);
      const end = length.end + Number(length.value);
      return { number, wireType, payload: slice(bytes, length.end, end), raw: slice(bytes, start, end) };
    }
    case 3:
      return { number, wireType, raw: slice(bytes, start, endOfGroup(bytes, tag.end, number, groupDepth)) };
    case 4:
      return { number, wireType, raw: slice(bytes, start, tag.end) };
    case 5:
      return { number, wireType, raw: slice(bytes, start, tag.end + 4) };
    default:
      throw new Error(`wire type ${wireType}`);
  }
}

function endOfGroup(bytes: Buffer, start: number, number: number, depth: number): number {
  if (depth === GROUP_DEPTH_MAX) throw new Error('too deep');
  let at = start;
  for (;;) {
    const record = recordAt(bytes, at, depth + 1);
    at += record.raw.length;
    if (record.wireType !== 4) continue;
    if (record.number !== number) throw new Error('the end of another group');
    return at;
  }
}

function varintAt(bytes: Buffer, start: number, bytesMax: number): { value: bigint; end: number } {
  let value = 0n;
  for (let index = 0; index < bytesMax; index++) {
    const byte = bytes[start + index];
    if (byte === undefined) throw new Error('the message ends within a varint');
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), end: start + index + 1 };
  }
  throw new Error('the varint is too long');
}

function slice(bytes: Buffer, start: number, end: number): Buffer {
  if (end > bytes.length) throw new Error('the message ends too early');
  return bytes.subarray(start, end);
}
