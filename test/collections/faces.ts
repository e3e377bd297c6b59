/** The two faces that calls on collections have: the client, against a server, and the store in process. */
import { onTestFinished } from 'vitest';
import type { Collections, Store } from '../../src/api.ts';
import { createClient } from '../../src/client/index.ts';
import { MemoryHarness } from '../store/model/store-harness.ts';
import { KEPT_HISTORY, KEPT_HISTORY_FLAGS } from '../support/test-engine.ts';
import { startTestServer } from '../support/test-server.ts';

export type Face = Collections & Pick<Store, 'get' | 'put' | 'delete' | 'txn'>;

async function openClient(): Promise<Face> {
  const { address } = await startTestServer({ flags: KEPT_HISTORY_FLAGS });
  const client = createClient({ address });
  onTestFinished(() => client.close());
  return client;
}

async function openInProcess(): Promise<Face> {
  const { store } = await MemoryHarness.open({ limits: KEPT_HISTORY });
  return store;
}

/** Each makes an empty store. */
export const faces: readonly (readonly [string, () => Promise<Face>])[] = [
  ['the client', openClient],
  ['the store in process', openInProcess],
];
