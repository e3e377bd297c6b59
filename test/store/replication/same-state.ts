/** What two stores of a cluster have in common once both have all that the shared log has: everything that can be read of them. */
import { expect } from 'vitest';
import { collectionIdOf } from '../../../src/store/collections/collection-keys.ts';
import type { DurableStore } from '../../../src/store/durable-store.ts';
import { ELEMENT, SWEPT } from '../../../src/store/views/regions.ts';

const ALL = { start: new Uint8Array(), end: undefined };

/**
 * All versions of a state, as lines, but for elements that no key has any more and their marks: each store sweeps those as its
 * own history lets it. @param instantMs 0: with what is overdue.
 */
export function linesOf(store: DurableStore, revision: number, instantMs = 0): string[] {
  const found: { readonly first: number; readonly id: number; readonly line: string }[] = [];
  const held = new Set<number>();
  let start: Uint8Array | undefined = ALL.start;
  while (start !== undefined) {
    const from: Uint8Array = start;
    start = store.readAt({ revision, instantMs }, (view) =>
      view.scan({ ...ALL, start: from }, false, (version) => {
        const { key, value, kind, collectionId, createRevision, modRevision, leaseId, ttlMs } = version;
        const first = key[0] ?? 0;
        if (collectionId !== 0) held.add(collectionId);
        const id = first === ELEMENT || first === SWEPT ? collectionIdOf(key) : 0;
        const numbers = [version.revision, createRevision, modRevision, version.version, leaseId, ttlMs];
        const rest = [...numbers, version.expireTimeMs, kind, collectionId].join(' ');
        found.push({ first, id, line: `${hex(key)} ${rest} ${hex(value)}` });
        return true;
      }),
    );
  }
  return found
    .filter(({ first, id }) => first !== SWEPT && (first !== ELEMENT || held.has(id)))
    .map(({ line }) => line);
}

/** How many elements and marks there are that no key has. */
export function unsweptCount(store: DurableStore): number {
  const { visibleRevision } = store;
  let count = 0;
  store.readAt({ revision: visibleRevision, instantMs: 0 }, (view) =>
    view.scan({ start: Uint8Array.of(SWEPT), end: Uint8Array.of(SWEPT + 1) }, false, () => {
      count++;
      return true;
    }),
  );
  return count;
}

/** The leases with their keys, and what is left of them. */
export async function leasesOf(store: DurableStore): Promise<object[]> {
  return await store.readLeases((leases) =>
    leases.list(0, 1000).map(({ leaseId, ttlMs, deadlineMs, owner, keys, keyBytes }) => ({
      leaseId,
      ttlMs,
      deadlineMs,
      owner,
      keys: [...keys].sort(),
      keyBytes,
    })),
  );
}

/** @param newestMs the time of the newest record. */
export async function expectSame(writer: DurableStore, follower: DurableStore): Promise<void> {
  const [of, at] = [writer.status(), follower.status()];
  const { revision } = of;
  expect(at).toMatchObject({
    storeId: of.storeId,
    revision,
    incarnation: of.incarnation,
    keyCount: of.keyCount,
    leaseCount: of.leaseCount,
  });
  expect(linesOf(follower, revision)).toEqual(linesOf(writer, revision));
  expect(await leasesOf(follower)).toEqual(await leasesOf(writer));
  const oldest = Math.max(of.oldestRevision, at.oldestRevision);
  for (const old of [oldest, Math.ceil((oldest + revision) / 2)]) {
    expect(linesOf(follower, old), `at revision ${old}`).toEqual(linesOf(writer, old));
    expect(follower.incarnationOf(old)).toBe(writer.incarnationOf(old));
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
