/** A server for a test of a recipe, and clients of it. */
import { onTestFinished } from 'vitest';
import { type KelpClient, createClient } from '../../../../src/client/client.ts';
import { startTestServer } from '../../../support/test-server.ts';

export function clientOf(address: string): KelpClient {
  const client = createClient({ address });
  onTestFinished(() => client.close());
  return client;
}

export async function started(): Promise<{ address: string; client: KelpClient }> {
  const { address } = await startTestServer();
  return { address, client: clientOf(address) };
}
