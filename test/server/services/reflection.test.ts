import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { create } from '@bufbuild/protobuf';
import { Code, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import { ServerReflection } from '../../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { startTestServer } from '../../support/test-server.ts';

const versions = { v1: ServerReflection, v1alpha: ServerReflectionAlpha };

const services = [
  'etcdserverpb.Auth',
  'etcdserverpb.Cluster',
  'etcdserverpb.KV',
  'etcdserverpb.Lease',
  'etcdserverpb.Maintenance',
  'etcdserverpb.Watch',
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
  'kelp.v1.AccessService',
  'kelp.v1.AdminService',
  'kelp.v1.ClusterService',
  'kelp.v1.HashService',
  'kelp.v1.KvService',
  'kelp.v1.LeaseService',
  'kelp.v1.ListService',
  'kelp.v1.SetService',
  'kelp.v1.SketchService',
  'kelp.v1.SortedSetService',
  'kelp.v1.WatchService',
];

type Question = { case: string; value: unknown };

/** One stream, one reply to each question. */
async function ask(version: keyof typeof versions, questions: readonly Question[]): Promise<Question[]> {
  const server = await startTestServer();
  // Both versions have the same messages.
  const client = createClient(
    versions[version] as typeof ServerReflection,
    createGrpcTransport({ baseUrl: server.url }),
  );
  async function* requests(): AsyncGenerator<object> {
    for (const messageRequest of questions) yield { host: 'kelp', messageRequest };
  }
  const answers: Question[] = [];
  for await (const { validHost, originalRequest, messageResponse } of client.serverReflectionInfo(
    requests(),
  )) {
    expect(validHost).toBe('kelp');
    expect(originalRequest?.messageRequest.case).toBe(questions[answers.length]?.case);
    answers.push(messageResponse as Question);
  }
  expect(answers).toHaveLength(questions.length);
  return answers;
}

function filesOf(answer: Question | undefined): FileDescriptorProto[] {
  if (answer?.case !== 'fileDescriptorResponse') throw new Error(`no files but ${answer?.case}`);
  const { fileDescriptorProto } = answer.value as { fileDescriptorProto: Uint8Array[] };
  return fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

describe.each(['v1', 'v1alpha'] as const)('reflection %s', (version) => {
  test('lists the services', async () => {
    const [answer] = await ask(version, [{ case: 'listServices', value: '' }]);

    expect(answer).toMatchObject({
      case: 'listServicesResponse',
      value: { service: services.map((name) => ({ name })) },
    });
  });

  test('gives a file with all that it imports, so that it can be built', async () => {
    const [answer] = await ask(version, [{ case: 'fileByFilename', value: 'kelp/v1/watch.proto' }]);

    const file = filesOf(answer);
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file }));
    expect(registry.getService('kelp.v1.WatchService')?.method['watch']?.methodKind).toBe('server_streaming');
    expect(file.at(-1)?.name).toBe('kelp/v1/watch.proto');
  });

  test('finds symbols of every kind', async () => {
    const fileBySymbol = {
      'kelp.v1.KvService': 'kelp/v1/kv.proto',
      'kelp.v1.KvService.Txn': 'kelp/v1/kv.proto',
      'kelp.v1.Entry': 'kelp/v1/types.proto',
      'kelp.v1.Entry.mod_revision': 'kelp/v1/types.proto',
      'kelp.v1.Condition.condition': 'kelp/v1/types.proto',
      'kelp.v1.EventType': 'kelp/v1/watch.proto',
      'kelp.v1.EVENT_TYPE_PUT': 'kelp/v1/watch.proto',
      'grpc.health.v1.HealthCheckResponse.ServingStatus': 'grpc/health/v1/health.proto',
      'grpc.health.v1.HealthCheckResponse.NOT_SERVING': 'grpc/health/v1/health.proto',
      'google.protobuf.Timestamp': 'google/protobuf/timestamp.proto',
      // Comes in the details of errors, which no method names.
      'kelp.v1.ErrorDetail': 'kelp/v1/errors.proto',
    };

    const answers = await ask(
      version,
      Object.keys(fileBySymbol).map((value) => ({ case: 'fileContainingSymbol', value })),
    );

    expect(answers.map((answer) => filesOf(answer).at(-1)?.name)).toEqual(Object.values(fileBySymbol));
  });

  test('answers what it does not know with an error, and goes on', async () => {
    const answers = await ask(version, [
      { case: 'fileByFilename', value: 'kelp/storage/v1/log.proto' },
      { case: 'fileContainingSymbol', value: 'kelp.v1.Nothing' },
      { case: 'fileContainingExtension', value: { containingType: 'kelp.v1.Entry', extensionNumber: 100 } },
      { case: 'allExtensionNumbersOfType', value: 'kelp.v1.Nothing' },
      { case: 'allExtensionNumbersOfType', value: 'kelp.v1.Entry' },
      { case: 'listServices', value: '*' },
    ]);

    for (const answer of answers.slice(0, 4)) {
      expect(answer).toMatchObject({ case: 'errorResponse', value: { errorCode: Code.NotFound } });
    }
    expect(answers[4]).toMatchObject({
      case: 'allExtensionNumbersResponse',
      value: { baseTypeName: 'kelp.v1.Entry', extensionNumber: [] },
    });
    expect(answers[5]?.case).toBe('listServicesResponse');
  });
});

describe('buf curl without any file', () => {
  const run = promisify(execFile);

  async function bufCurl(url: string, protocol: string, method: string, body: object): Promise<unknown> {
    const { stdout } = await run('buf', [
      'curl',
      `--protocol=${protocol}`,
      '--http2-prior-knowledge',
      `--data=${JSON.stringify(body)}`,
      `${url}/${method}`,
    ]);
    return JSON.parse(stdout);
  }

  test.each(['grpc', 'grpcweb', 'connect'])('calls over %s', async (protocol) => {
    const { url } = await startTestServer();

    expect(await bufCurl(url, protocol, 'kelp.v1.KvService/Put', { key: 'a', value: 'aGk=' })).toEqual({
      revision: '1',
    });
    expect(await bufCurl(url, protocol, 'kelp.v1.KvService/Get', { key: 'a' })).toMatchObject({
      entry: { key: 'a', value: 'aGk=', modRevision: '1' },
    });
    expect(await bufCurl(url, protocol, 'grpc.health.v1.Health/Check', {})).toEqual({ status: 'SERVING' });
  });

  test('shows the methods of a service and the detail of an error', async () => {
    const { url } = await startTestServer();

    const { stdout } = await run('buf', ['curl', '--http2-prior-knowledge', '--list-methods', url]);
    expect(stdout).toContain('kelp.v1.KvService/Txn');

    await expect(bufCurl(url, 'grpc', 'kelp.v1.KvService/Touch', { key: 'none' })).rejects.toMatchObject({
      stderr: expect.stringMatching(/not_found.*kelp\.v1\.ErrorDetail/s),
    });
  });
});
