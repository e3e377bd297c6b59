/** What a store in process and the client of a served one have in common, as far as histories need it. */
import type { KelpClient } from '../../src/client/client.ts';
import { keyResult } from '../support/key-operations.ts';
import type { Condition, Store, TxnRequest } from '../../src/api.ts';

export interface SeenEntry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly modRevision: number;
}

export interface CalledStore {
  get(
    key: string,
    options: { readonly revision?: number },
  ): Promise<{ readonly entry: SeenEntry | undefined; readonly revision: number }>;
  /** All entries, at one revision. */
  readAll(revision: number): Promise<{ readonly entries: readonly SeenEntry[]; readonly revision: number }>;
  put(
    key: string,
    value: string,
    options: { readonly condition?: Condition },
  ): Promise<{ readonly revision: number }>;
  delete(
    key: string,
    options: { readonly returnPrevious: true },
  ): Promise<{ readonly revision: number; readonly previous: SeenEntry | undefined }>;
  increment(key: string, delta: bigint): Promise<{ readonly value: bigint; readonly revision: number }>;
  txn(request: TxnRequest): Promise<{
    readonly succeeded: boolean;
    readonly revision: number;
    readonly results: readonly TxnPart[];
  }>;
}

export type TxnPart =
  | { readonly kind: 'get'; readonly entry: SeenEntry | undefined }
  | { readonly kind: 'increment'; readonly value: bigint }
  | { readonly kind: 'put' | 'delete' | 'deleteRange' };

/** Small, so that reading all takes more than one page. */
const PAGE_SIZE = 2;

export function calledInProcess(store: Store): CalledStore {
  return {
    ...singleCalls(store),
    async readAll(revision) {
      const entries: SeenEntry[] = [];
      for (let pageToken = ''; ;) {
        const page = await store.scan({}, { revision, pageToken, limit: PAGE_SIZE });
        entries.push(...page.entries);
        pageToken = page.nextPageToken;
        if (pageToken === '') return { entries, revision: page.revision };
      }
    },
  };
}

export function calledThroughClient(client: KelpClient): CalledStore {
  return {
    ...singleCalls(client),
    async readAll(wantedRevision) {
      const entries: SeenEntry[] = [];
      let revision = 0;
      for await (const page of client.scan({}, { revision: wantedRevision, pageSize: PAGE_SIZE }).pages()) {
        entries.push(...page.items);
        ({ revision } = page);
      }
      return { entries, revision };
    },
  };
}

function singleCalls(store: Store | KelpClient): Omit<CalledStore, 'readAll'> {
  return {
    get: (key, options) => store.get(key, options),
    put: (key, value, options) => store.put(key, value, options),
    delete: (key, options) => store.delete(key, options),
    increment: (key, delta) => store.increment(key, delta),
    txn: async (request) => {
      const { succeeded, revision, results } = await store.txn(request);
      return { succeeded, revision, results: results.map(keyResult) };
    },
  };
}
