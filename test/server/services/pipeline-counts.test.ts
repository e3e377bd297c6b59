/** The operations of batches are counted by kind and outcome for the metrics, and by stream for the log. */
import { type Transport, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import type { OperationCount } from '../../../src/server/calls/operation-counts.ts';
import { startTestServer } from '../../support/test-server.ts';
import { metricsOf } from '../health/exposition.ts';
import { type Operation, batch, get, put, startPipeline, texts, turns } from './pipeline-harness.ts';

const METRIC = 'kelp_pipeline_operations_total';

async function countsAt(url: string): Promise<Record<string, number>> {
  const metric = (await metricsOf(url)).find(({ name }) => name === METRIC);
  expect(metric?.type).toBe('counter');
  return Object.fromEntries(
    metric?.samples.map(({ name, value }) => [name.slice(METRIC.length), value]) ?? [],
  );
}

const transports: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  gRPC: (baseUrl) => createGrpcTransport({ baseUrl }),
  'Connect, HTTP/2': (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '2' }),
};

describe.each(Object.entries(transports))('over %s', (_, makeTransport) => {
  test('a scrape tells of all operations, and the line of a stream of its own', async () => {
    const server = await startTestServer();
    const kv = createClient(KvService, makeTransport(server.url));
    const run = async (...batches: Operation[][]): Promise<void> => {
      const requests = (async function* () {
        for (const each of batches) yield batch(...each);
      })();
      for await (const { results } of kv.pipeline(requests)) expect(results.length).toBeGreaterThan(0);
    };
    expect(await countsAt(server.url)).toEqual({});
    await run(
      [put('a'), put('b'), get('a'), put('', 'no key'), { case: 'touch', value: { key: 'absent' } }],
      [get('a'), { case: undefined }, { case: 'exists', value: { keys: ['a', 'b'] } }],
    );
    await run([get('a')]);
    expect(await countsAt(server.url)).toEqual({
      '{operation="get",code="Ok"}': 3,
      '{operation="put",code="Ok"}': 2,
      '{operation="put",code="InvalidArgument"}': 1,
      '{operation="touch",code="NotFound"}': 1,
      '{operation="exists",code="Ok"}': 1,
      '{operation="unreadable",code="InvalidArgument"}': 1,
    });
    await server.log.line(({ operations }) => operations === 1);
    const first = await server.log.line(({ operations }) => operations === 8);
    expect(first).toMatchObject({ msg: 'call', code: 'Ok', failedOperations: 3 });
    await kv.get({ key: 'a' });
    const line = await server.log.line(
      ({ msg, method }) => msg === 'call' && String(method).endsWith('/Get'),
    );
    expect(line).not.toHaveProperty('operations');
  });
});

describe('an operation is counted by how it ended', () => {
  const countOf = (all: readonly OperationCount[]): string[] =>
    all.map(({ operation, code, count }) => `${operation} ${code} ${count}`);

  test('when the log has told what became of it', async () => {
    const { simulated, disk, store, table, call, replies, send } = await startPipeline();
    simulated.injectFault({ call: 'sync', at: 1, pathEnd: '.log', isPermanent: true });
    disk.hold();
    send(batch(put('a'), put('', 'no key'), get('a')));
    await turns();
    expect(countOf(table.operationCounts.all)).toEqual([]);
    expect(call.operationTally).toEqual({ operations: 3, failedOperations: 0 });
    disk.release();
    expect(texts(await replies.next())).toHaveLength(3);
    expect(countOf(table.operationCounts.all)).toEqual([
      'get Unavailable 1',
      'put InvalidArgument 1',
      'put Unavailable 1',
    ]);
    expect(call.operationTally).toEqual({ operations: 3, failedOperations: 3 });
    await store.close().catch(() => undefined);
  });

  test('also where its client is gone', async () => {
    const { disk, store, table, call, send } = await startPipeline();
    disk.hold();
    send(batch(put('a'), put('b')));
    await turns();
    call.close();
    disk.release();
    await turns();
    expect(countOf(table.operationCounts.all)).toEqual(['put Ok 2']);
    await store.close();
  });
});
