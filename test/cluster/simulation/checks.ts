/** What a node shows, held against the truth. */
import type { KvStore } from '../../../src/kv/kv-store.ts';
import { USER_KEYS } from '../../../src/store/views/regions.ts';
import type { RecentChange } from '../../../src/store/watch/matching/recent-changes.ts';
import type { Truth } from './truth.ts';

/** The whole state at a revision. */
export function checkState(what: string, store: KvStore, truth: Truth, revision: number): void {
  const expected = [...truth.stateAt(revision)].sort(([a], [b]) => (a < b ? -1 : 1));
  const found = store.seam.readAt({ revision, instantMs: 0 }, (view) => {
    const lines: string[] = [];
    view.scan(USER_KEYS, false, (entry) => {
      lines.push(line(text(entry.key), text(entry.value), entry.modRevision, entry.expireTimeMs));
      return true;
    });
    return lines;
  });
  const lines = expected.map(([key, { value, modRevision, expireTimeMs }]) =>
    line(key, value, modRevision, expireTimeMs),
  );
  if (found.join('\n') === lines.join('\n')) return;
  throw new Error(
    `${what} shows at revision ${revision}\n${found.join('\n')}\nbut it is\n${lines.join('\n')}`,
  );
}

export function checkChanges(
  what: string,
  truth: Truth,
  revision: number,
  changes: readonly RecentChange[],
): void {
  const found = changes.map(({ type, key }) => `${type} ${key}`).sort();
  const expected = truth.changesOf(revision).map(({ type, key }) => `${type} ${key}`);
  if (found.join() === expected.sort().join()) return;
  throw new Error(`${what} shows ${found.join()} at revision ${revision}, which is ${expected.join()}`);
}

function line(key: string, value: string, modRevision: number, expireTimeMs: number): string {
  return `${key}=${value} of ${modRevision}, until ${expireTimeMs}`;
}

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
