/** Servers that follow another one, for tests: real ones, in this process. */
import { onTestFinished } from 'vitest';
import { type KelpClient, createClient } from '../../../src/client/client.ts';
import type { GetOptions } from '../../../src/client/messages/types.ts';
import { followedServerOf } from '../../../src/cli/session/followed-server.ts';
import { type TestServer, type TestServerOptions, startTestServer } from '../../support/test-server.ts';

export const UNREACHABLE =
  'the server that is followed is not reached: reads wait, but for those that are local';
export const REFUSED =
  'the server that is to be followed can not be: reads are refused, but for those that are local';
export const FETCHED = 'got a snapshot of the server that is followed';

export async function valueAt(
  client: KelpClient,
  key: string,
  options: GetOptions = {},
): Promise<string | undefined> {
  const { entry } = await client.get(key, options);
  return entry && Buffer.from(entry.value).toString();
}

export function clientOf({ address }: Pick<TestServer, 'address'>): KelpClient {
  const client = createClient({ address, retries: 0 });
  onTestFinished(() => client.close());
  return client;
}

export async function startReplica(
  address: string,
  options: TestServerOptions = {},
  shown: { readonly caPath?: string; readonly tokenFile?: string } = {},
): Promise<TestServer> {
  const { caPath, tokenFile } = shown;
  const openFollowed = await followedServerOf({ address, caPath, tokenFile });
  return startTestServer({
    ...options,
    flags: { follow: address, ...options.flags },
    nodeParts: { openFollowed },
  });
}

export const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );
