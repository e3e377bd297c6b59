/** How new what is read must be: in the options of each read, as the client's own, and over batches. */
import type { Transport } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { Consistency } from '../../gen/kelp/v1/types_pb.ts';
import type { ClientOptions } from '../../src/client/client-options.ts';
import { type KelpClient, createClient } from '../../src/client/client.ts';
import type { ReadCallOptions } from '../../src/client/index.ts';
import { startTestServer } from '../support/test-server.ts';
import { failureOf } from './support/fake-server.ts';

type Read = (client: KelpClient, options: ReadCallOptions) => Promise<unknown>;

const reads: Readonly<Record<string, Read>> = {
  get: (client, options) => client.get('k', options),
  exists: (client, options) => client.exists(['k'], options),
  count: (client, options) => client.count({}, options),
  scan: (client, options) => client.scan({}, options).toArray(),
  keys: (client, options) => client.keys('*', options).toArray(),
  'hash.get': (client, options) => client.hash.get('k', options),
  'hash.scan': (client, options) => client.hash.scan('k', options).toArray(),
  'list.range': (client, options) => client.list.range('k', options),
  'list.scan': (client, options) => client.list.scan('k', options).toArray(),
  'set.contains': (client, options) => client.set.contains('k', ['m'], options),
  'set.scan': (client, options) => client.set.scan('k', options).toArray(),
  'set.combine': (client, options) => client.set.combine('union', ['k'], options),
  'sortedSet.score': (client, options) => client.sortedSet.score('k', ['m'], options),
  'sortedSet.rank': (client, options) => client.sortedSet.rank('k', 'm', options),
  'sortedSet.range': (client, options) => client.sortedSet.range('k', {}, options).toArray(),
  'sortedSet.count': (client, options) => client.sortedSet.count('k', {}, options),
  'sortedSet.combine': (client, options) => client.sortedSet.combine('union', ['k'], options),
  'sketch.hllCount': (client, options) => client.sketch.hllCount(['k'], options),
  'sketch.bloomContains': (client, options) => client.sketch.bloomContains('k', ['m'], options),
};

/** What the requests of a client ask for, in their order. Each call fails. */
function recordingClient(options: Partial<ClientOptions> = {}): {
  client: KelpClient;
  demands: [Consistency, bigint][];
} {
  const demands: [Consistency, bigint][] = [];
  const note = (request: object): void => {
    const { consistency, minRevision } = request as { consistency: Consistency; minRevision: bigint };
    demands.push([consistency, minRevision]);
  };
  const transport: Transport = {
    unary: (_method, _signal, _timeoutMs, _header, request) => {
      note(request);
      return Promise.reject(new Error('noted'));
    },
    stream: async (_method, _signal, _timeoutMs, _header, requests) => {
      for await (const request of requests) note(request);
      throw new Error('noted');
    },
  };
  return { client: createClient({ address: 'fake', transport, retries: 0, ...options }), demands };
}

async function demandsOf(
  options: ReadCallOptions,
  clientOptions: Partial<ClientOptions> = {},
): Promise<Record<string, [Consistency, bigint][]>> {
  const demandsByRead: Record<string, [Consistency, bigint][]> = {};
  for (const [name, read] of Object.entries(reads)) {
    const { client, demands } = recordingClient(clientOptions);
    await failureOf(read(client, options));
    demandsByRead[name] = demands;
  }
  return demandsByRead;
}

const each = (demand: [Consistency, bigint]): Record<string, [Consistency, bigint][]> =>
  Object.fromEntries(Object.keys(reads).map((name) => [name, [demand]]));

describe('each read asks', () => {
  test('for nothing unless it is told to', async () => {
    expect(await demandsOf({})).toEqual(each([Consistency.UNSPECIFIED, 0n]));
  });

  test('for what its options say', async () => {
    expect(await demandsOf({ consistency: 'local', minRevision: 7 })).toEqual(each([Consistency.LOCAL, 7n]));
    expect(await demandsOf({ minRevision: 7 })).toEqual(each([Consistency.UNSPECIFIED, 7n]));
  });

  test('for what the client was told, and rather for what its options say', async () => {
    const ofClient = { consistency: 'local', minRevision: 3 } as const;
    expect(await demandsOf({}, ofClient)).toEqual(each([Consistency.LOCAL, 3n]));
    expect(await demandsOf({ consistency: 'linearizable', minRevision: 0 }, ofClient)).toEqual(
      each([Consistency.LINEARIZABLE, 0n]),
    );
  });
});

test.each<[string, (client: KelpClient, options: object) => Promise<unknown>]>([
  ['put', (client, options) => client.put('k', 'v', options)],
  ['txn', (client, options) => client.txn({}, options)],
  ['set.add', (client, options) => client.set.add('k', ['m'], options)],
  ['sortedSet.pop', (client, options) => client.sortedSet.pop('k', options)],
])('%s is no read, and takes no such option', async (_, call) => {
  const { client, demands } = recordingClient();
  for (const options of [{ consistency: 'local' }, { minRevision: 1 }]) {
    expect(await failureOf(call(client, options))).toMatchObject({ code: 'invalidArgument' });
  }
  expect(demands).toEqual([]);
});

test('reads that travel in one batch keep their options, each its own', async () => {
  const { address } = await startTestServer();
  await using client = createClient({ address });
  const { revision } = await client.put('k', 'v');
  const options = (index: number): ReadCallOptions => ({ minRevision: revision + (index % 2) });
  const count = 40;
  const gets = Array.from({ length: count }, (_, index) => client.get('k', options(index)));
  const questions = Array.from({ length: count }, (_, index) => client.exists(['k'], options(index)));
  for (const calls of [await Promise.allSettled(gets), await Promise.allSettled(questions)]) {
    expect(calls.map(({ status }) => status)).toEqual(
      calls.map((_, index) => (index % 2 === 0 ? 'fulfilled' : 'rejected')),
    );
    expect(calls[1]).toMatchObject({
      reason: {
        code: 'revisionFuture',
        details: { requestedRevision: revision + 1, newestRevision: revision },
        mayHaveTakenEffect: false,
      },
    });
  }
});
