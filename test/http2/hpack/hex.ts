/** Bytes as the RFC prints them. */
import type { Field } from '../../../src/http2/contract/fields.ts';
import type { HpackDecoder } from '../../../src/http2/hpack/decoder.ts';

export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

/** The fields of a block; undefined when its list is too long. */
export function fieldsOf(decoder: HpackDecoder, block: Buffer): readonly Field[] | undefined {
  return decoder.decode(block, 0, block.length)?.map(({ pair }) => pair);
}

/** What the dynamic table holds, the newest first. */
export function tableOf(decoder: HpackDecoder): readonly Field[] {
  const fields: Field[] = [];
  for (let index = 62; ; index++) {
    try {
      fields.push(...(fieldsOf(decoder, indexed(index)) ?? []));
    } catch {
      return fields;
    }
  }
}

function indexed(index: number): Buffer {
  return index < 127 ? Buffer.of(0x80 | index) : Buffer.of(0xff, index - 127);
}
