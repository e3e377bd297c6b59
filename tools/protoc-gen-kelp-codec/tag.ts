import type { DescField } from '@bufbuild/protobuf';

/** 0: varint, 1: eight bytes, 2: a length and bytes. */
export type WireType = 0 | 1 | 2;

/** A field's tag: its number and its wire type in one number. */
export function tagOf(field: DescField, wireType: WireType): number {
  return field.number * 8 + wireType;
}

/** The bytes of a tag, as a varint. */
function tagBytes(tag: number): number[] {
  const bytes: number[] = [];
  let rest = tag;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  return [...bytes, rest];
}

export function hex(value: number): string {
  return `0x${value.toString(16).padStart(2, '0')}`;
}

/** How many bytes the tag of a field takes; the wire type makes no difference. */
export function tagSize(field: DescField): number {
  return tagBytes(tagOf(field, 0)).length;
}

/** The statements that write a tag before `start`. */
export function prependTag(field: DescField, wireType: WireType): string {
  return tagBytes(tagOf(field, wireType))
    .toReversed()
    .map((byte) => `buffer[--start] = ${hex(byte)};\n`)
    .join('');
}
