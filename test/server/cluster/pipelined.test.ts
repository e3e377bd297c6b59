/** Batches of `KvService.Pipeline` in a cluster: what runs here, what the writer answers, and in which order. */
import { once } from 'node:events';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import {
  type PipelineOperationSchema,
  type PipelineRequestSchema,
  type PipelineResponse,
  KvService,
} from '../../../gen/kelp/v1/kv_pb.ts';
import { Consistency } from '../../../gen/kelp/v1/types_pb.ts';
import { createClient as createKelpClient } from '../../../src/client/index.ts';
import { GrpcJsClient } from '../../support/grpc-js-client.ts';
import { type Node, startNode, startNodes } from './nodes.ts';
import { playWriter } from './played-writer.ts';

type Operation = MessageInitShape<typeof PipelineOperationSchema>;
type Batches = ClientDuplexStream<MessageInitShape<typeof PipelineRequestSchema>, PipelineResponse>;

const get = (key: string, more: object = {}): Operation => ({
  operation: { case: 'get', value: { key, ...more } },
});
const put = (key: string, value = '1'): Operation => ({
  operation: { case: 'put', value: { key, value: Buffer.from(value) } },
});

function pipelineOf({ address }: Node): Batches {
  const stream = new GrpcJsClient(address).bidiStream(KvService.method.pipeline);
  stream.on('error', () => undefined);
  return stream;
}

/** What was found of each operation: its case, and a value if there is one. */
function told({ results }: PipelineResponse): string[] {
  return results.map(({ result }) => {
    const text = result.case === 'get' ? Buffer.from(result.value.entry?.value ?? []).toString() : '';
    return `${result.case}${text === '' ? '' : ` ${text}`}`;
  });
}

async function answers(stream: Batches, count: number): Promise<string[][]> {
  const got: string[][] = [];
  while (got.length < count) {
    const [reply] = (await once(stream, 'data')) as [PipelineResponse];
    got.push(told(reply));
  }
  return got;
}

async function ask(stream: Batches, ...batches: Operation[][]): Promise<string[][]> {
  const got = answers(stream, batches.length);
  for (const operations of batches) stream.write({ operations });
  return await got;
}

test('a writer asks whether it is one for each batch that reads, and for no other', async () => {
  const node = await startNode('writer');
  const stream = pipelineOf(node);
  await ask(stream, [put('a'), put('b')]);
  expect(node.view.barrierCount).toBe(0);
  expect(await ask(stream, [put('c'), get('a')])).toEqual([['put', 'get 1']]);
  expect(node.view.barrierCount).toBe(1);
  const local = { consistency: Consistency.LOCAL };
  expect(await ask(stream, [get('a', local), get('b', local)])).toEqual([['get 1', 'get 1']]);
  expect(node.view.barrierCount).toBe(1);
  expect(await ask(stream, [get('a', local), get('b')])).toEqual([['get 1', 'get 1']]);
  expect(node.view.barrierCount).toBe(2);
  // They tell what is there, as a read does, while they change nothing.
  const mustNotExist = { case: 'mustNotExist' as const, value: true };
  const value = { key: 'a', value: Buffer.from('2'), condition: { condition: mustNotExist } };
  expect(await ask(stream, [{ operation: { case: 'put', value } }])).toEqual([['failure']]);
  expect(node.view.barrierCount).toBe(3);
  const absent: Operation = { operation: { case: 'delete', value: { key: 'x' } } };
  expect(await ask(stream, [put('d'), absent])).toEqual([['put', 'delete']]);
  expect(node.view.barrierCount).toBe(4);
  stream.cancel();
});

test('a follower runs what only reads, and has the writer run all else, in their order', async () => {
  const { writer, follower } = await startNodes();
  const stream = pipelineOf(follower);
  const got = await ask(
    stream,
    [get('a')],
    [put('a', 'w'), get('a')],
    [get('a')],
    [get('a', { refreshTtl: true }), get('b')],
    [put('b')],
    [get('b')],
  );
  // The follower of this test has nothing: what was found was found at the writer.
  expect(got).toEqual([['get'], ['put', 'get w'], ['get'], ['get w', 'get'], ['put'], ['get']]);
  expect(follower.view.barrierCount).toBe(3);
  expect(writer.view.barrierCount).toBe(2);
  stream.end();
  await once(stream, 'end');
});

test('a read behind a write waits for the writer’s answer', async () => {
  const follower = await startNode('follower');
  const writer = await playWriter();
  follower.view.writerAddress = writer.address;
  const answer = Promise.withResolvers<void>();
  writer.onStream = (played) => {
    played.respond({ 'content-type': 'application/grpc+proto' });
    played.on('data', () => undefined);
    // One result of no kind.
    void answer.promise.then(() => played.write(Buffer.from([0, 0, 0, 0, 2, 10, 0])));
  };
  const stream = pipelineOf(follower);
  const got = answers(stream, 2);
  stream.write({ operations: [put('a')] });
  stream.write({ operations: [get('a')] });
  while (writer.requests.length === 0) await new Promise(setImmediate);
  expect(follower.view.barrierCount).toBe(0);
  answer.resolve();
  expect(await got).toEqual([['undefined'], ['get']]);
  expect(follower.view.barrierCount).toBe(1);
  stream.cancel();
});

test('what becomes of the writer ends the stream, behind what was answered', async () => {
  const follower = await startNode('follower');
  const writer = await playWriter();
  follower.view.writerAddress = writer.address;
  writer.onStream = (_played, session) => session.destroy();
  const stream = pipelineOf(follower);
  const ended = new Promise<ServiceError>((resolve) => stream.on('error', resolve));
  expect(await ask(stream, [get('a')])).toEqual([['get']]);
  stream.write({ operations: [put('a')] });
  expect((await ended).details).toContain('it may have taken effect');
  follower.view.writerAddress = '';
  const other = pipelineOf(follower);
  const refused = new Promise<ServiceError>((resolve) => other.on('error', resolve));
  other.write({ operations: [put('a')] });
  expect((await refused).details).toContain('nothing was changed');
});

test('a client that goes ends its stream at the writer', async () => {
  const follower = await startNode('follower');
  const writer = await playWriter();
  follower.view.writerAddress = writer.address;
  const ended = Promise.withResolvers<void>();
  writer.onStream = (played) => played.once('close', () => ended.resolve());
  const stream = pipelineOf(follower);
  stream.write({ operations: [put('a')] });
  while (writer.requests.length === 0) await new Promise(setImmediate);
  stream.cancel();
  await ended.promise;
});

test('our own client, and one of Connect, are served through a follower as by the writer', async () => {
  const { follower } = await startNodes();
  const client = createKelpClient({ address: follower.address });
  const keys = Array.from({ length: 500 }, (_, index) => `k${index}`);
  const revisions = await Promise.all(keys.map(async (key) => (await client.put(key, key)).revision));
  expect(new Set(revisions).size).toBe(keys.length);
  client.close();
  const transport = createConnectTransport({ baseUrl: follower.url, httpVersion: '2' });
  async function* batches(): AsyncGenerator<{ operations: Operation[] }> {
    yield await Promise.resolve({ operations: [put('a', 'w'), get('k7'), get('a')] });
  }
  const got: string[][] = [];
  for await (const reply of createClient(KvService, transport).pipeline(batches())) got.push(told(reply));
  expect(got).toEqual([['put', 'get k7', 'get w']]);
});
