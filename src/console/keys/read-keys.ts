/** The calls by which lists and trees read keys. */
import { type Range, keyOf, rangeFields } from '../bytes/key-name.ts';
import { kv } from '../calls/server.ts';
import { limits } from '../page/limits.ts';
import type { PageOfKeys, ReadKeys } from './ranged-keys.ts';
import type { ReadPage } from '../parts/forward-pages.ts';
import type { KeyRow } from './key-source.ts';

export const readKeys: ReadKeys = (range, reverse, signal) =>
  scanKeys(range, { reverse, limit: limits.pageKeys, signal });

export async function scanKeys(
  range: Range,
  {
    reverse = false,
    limit,
    signal,
  }: { readonly reverse?: boolean; readonly limit: number; readonly signal: AbortSignal },
): Promise<PageOfKeys> {
  const request = { range: rangeFields(range), reverse, limit, keysOnly: true };
  const { entries, nextPageToken } = await kv.scan(request, { signal });
  const rows = entries.map((entry) => ({ key: keyOf(entry), type: entry.type }));
  return { rows, isLast: nextPageToken === '' };
}

export async function countKeys(range: Range, signal: AbortSignal): Promise<bigint> {
  return (await kv.scan({ range: rangeFields(range), countOnly: true }, { signal })).count;
}

export function matchesOf(pattern: string): ReadPage<KeyRow> {
  return async (pageToken, signal) => {
    const request = { pattern, pageToken, limit: limits.pageKeys };
    const { keys, keysBytes, nextPageToken } = await kv.keys(request, { signal });
    let bytesTaken = 0;
    const rows = keys.map((key) => ({
      key: key === '' ? (keysBytes[bytesTaken++] ?? '') : key,
      type: undefined,
    }));
    return { rows, nextPageToken };
  };
}
