/** The elements of hashes, lists, sets and sorted sets, page by page. */
import { ValueType } from '../../../gen/kelp/v1/types_pb.ts';
import { type Key, keyFields } from '../bytes/key-name.ts';
import { hashes, lists, sets, sortedSets } from '../calls/server.ts';
import { limits } from '../page/limits.ts';

/** What the columns of an element are called, by the type of its collection. */
export const columnsByType: Readonly<Partial<Record<ValueType, readonly string[]>>> = {
  [ValueType.HASH]: ['Field', 'Value'],
  [ValueType.LIST]: ['Index', 'Element'],
  [ValueType.SET]: ['Member'],
  [ValueType.SORTED_SET]: ['Score', 'Member'],
};

/** One for each column. */
export type Element = readonly (Uint8Array | string)[];

export interface PageOfElements {
  readonly elements: readonly Element[];
  readonly count: bigint;
  /** What the next page is asked for with; empty: there is none. */
  readonly next: string;
}

/**
 * @param revision to read at.
 * @param next of the page before; empty: the first one.
 */
export async function readElements(
  key: Key,
  type: ValueType,
  {
    revision,
    next,
    signal,
  }: { readonly revision: bigint; readonly next: string; readonly signal: AbortSignal },
): Promise<PageOfElements> {
  const options = { signal };
  const request = { ...keyFields(key), revision, limit: limits.elementsAtOnce, pageToken: next };
  switch (type) {
    case ValueType.HASH: {
      const { fields, count, nextPageToken } = await hashes.scan(request, options);
      return { elements: fields.map(({ name, value }) => [name, value]), count, next: nextPageToken };
    }
    case ValueType.SET: {
      const { members, count, nextPageToken } = await sets.scan(request, options);
      return { elements: members.map((member) => [member]), count, next: nextPageToken };
    }
    case ValueType.SORTED_SET: {
      const { members, count, nextPageToken } = await sortedSets.range(request, options);
      const elements = members.map(({ member, score }) => [String(score), member]);
      return { elements, count, next: nextPageToken };
    }
    case ValueType.LIST: {
      const start = BigInt(next || '0');
      const stop = start + BigInt(limits.elementsAtOnce) - 1n;
      const { elements, count } = await lists.range({ ...keyFields(key), revision, start, stop }, options);
      const end = start + BigInt(elements.length);
      const rows = elements.map((element, index) => [String(start + BigInt(index)), element]);
      return { elements: rows, count, next: end < count && elements.length > 0 ? String(end) : '' };
    }
    default:
      return { elements: [], count: 0n, next: '' };
  }
}
