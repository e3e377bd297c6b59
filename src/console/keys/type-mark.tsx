/** What a key holds, in a word; nothing for plain bytes, which most do. */
import type { JSX } from 'preact';
import { ValueType } from '../../../gen/kelp/v1/types_pb.ts';

const names: Readonly<Record<number, string>> = {
  [ValueType.UNSPECIFIED]: 'plain',
  [ValueType.HASH]: 'hash',
  [ValueType.LIST]: 'list',
  [ValueType.SET]: 'set',
  [ValueType.SORTED_SET]: 'sorted set',
  [ValueType.STREAM]: 'stream',
  [ValueType.BLOOM_FILTER]: 'Bloom filter',
};

export function typeName(type: ValueType): string {
  return names[type] ?? 'value of an unknown type';
}

export function TypeMark({ type }: { readonly type: ValueType | undefined }): JSX.Element | null {
  return type === undefined || type === ValueType.UNSPECIFIED ? null : (
    <span class="mark">{typeName(type)}</span>
  );
}
