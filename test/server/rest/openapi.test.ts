/**
 * The OpenAPI document says what is served: it is valid, has each operation, and for each status that it names a real request is answered
 * so, in the form that it describes.
 */
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, onTestFinished, test } from 'vitest';
import { nodeDisk } from '../../../src/disk/node-disk.ts';
import { HeldDisk } from '../../support/held-disk.ts';
import { basic } from '../access/access-client.ts';
import { startTestServer } from '../../support/test-server.ts';
import { type EventConnection, connectEvents } from './event-reader.ts';
import { type RestReply, type RestRequest, type Send, jsonOf, restClient } from './rest-client.ts';

interface Media {
  readonly schema?: object;
  readonly example?: unknown;
}

type Content = Readonly<Record<string, Media>>;

interface Response {
  readonly $ref?: string;
  readonly headers?: Readonly<Record<string, { readonly required?: boolean }>>;
  readonly content?: Content;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly { readonly name: string; readonly description?: string }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, Response>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly responses: Readonly<Record<string, Response>> };
}

/** A request that is answered with a status: what stands behind the template in the path, and the rest. */
type Case = readonly [path: string, request?: RestRequest];

const LONG = 'x'.repeat(200_000);
const json = { 'content-type': 'application/json' };
const text = { 'content-type': 'text/plain' };

/** By operation and status. A key of the path stands in its place. */
const cases: Readonly<Record<string, Readonly<Record<number, Case>>>> = {
  'GET /v1/keys/{key}': {
    200: ['/v1/keys/a'],
    206: ['/v1/keys/a', { headers: { range: 'bytes=0-1' } }],
    304: ['/v1/keys/a', { headers: { 'if-none-match': '*' } }],
    400: ['/v1/keys/a?revision=x'],
    404: ['/v1/keys/none'],
    409: ['/v1/keys/hash'],
    410: ['/v1/keys/a?revision=1'],
    412: ['/v1/keys/a', { headers: { 'if-match': '"x"' } }],
    416: ['/v1/keys/a', { headers: { range: 'bytes=999-' } }],
  },
  'PUT /v1/keys/{key}': {
    200: ['/v1/keys/a?ttl=1h', { body: '2' }],
    201: ['/v1/keys/new', { body: '1' }],
    400: ['/v1/keys/a?ttl=x', { body: '1' }],
    404: ['/v1/keys/a?lease=999', { body: '1' }],
    412: ['/v1/keys/a', { body: '1', headers: { 'if-none-match': '*' } }],
    413: ['/v1/keys/a', { body: LONG }],
    415: ['/v1/keys/a', { body: '1', headers: { 'content-encoding': 'gzip' } }],
  },
  'DELETE /v1/keys/{key}': {
    200: ['/v1/keys/gone'],
    400: ['/v1/keys/a?x=1'],
    404: ['/v1/keys/none'],
    412: ['/v1/keys/a', { headers: { 'if-match': '"x"' } }],
  },
  'POST /v1/keys/{key}/increment': {
    200: ['/v1/keys/n/increment', { body: { delta: '9007199254740993', ttl: '1h' } }],
    400: ['/v1/keys/n/increment', { body: { delta: 1.5 } }],
    409: ['/v1/keys/text/increment'],
    413: ['/v1/keys/n/increment', { body: LONG, headers: json }],
    415: ['/v1/keys/n/increment', { body: '{}', headers: text }],
  },
  'GET /v1/keys': {
    200: ['/v1/keys?limit=2'],
    400: ['/v1/keys?limit=x'],
    410: ['/v1/keys?revision=1'],
  },
  'DELETE /v1/keys': {
    200: ['/v1/keys?prefix=gone'],
    400: ['/v1/keys'],
  },
  'POST /v1/txn': {
    200: [
      '/v1/txn',
      {
        body: {
          compares: [
            { key: 'a', exists: true },
            { range: { prefix: 'b' }, relation: 'greater', version: 0 },
          ],
          success: [
            { put: { key: 't', value: { base64: '/w==' }, ttl: '1h', returnPrevious: true } },
            { put: { keyBytes: '/w==', value: 'x' } },
            { get: { key: 't' } },
            { increment: { key: 'n', delta: 1 } },
            { delete: { key: 't', returnPrevious: true } },
            { deleteRange: { range: { prefix: 'zz' } } },
          ],
          failure: [{ get: { keyBytes: '/w==' } }],
        },
      },
    ],
    400: ['/v1/txn', { body: { succes: [] } }],
    404: ['/v1/txn', { body: { success: [{ put: { key: 'a', value: '', leaseId: 999 } }] } }],
    409: ['/v1/txn', { body: { success: [{ increment: { key: 'text', delta: 1 } }] } }],
    413: ['/v1/txn', { body: LONG, headers: json }],
    415: ['/v1/txn', { body: '{}', headers: text }],
  },
  'GET /v1/watch': {
    400: ['/v1/watch?events=move'],
    409: ['/v1/watch', { headers: { 'last-event-id': '0123456789ab-1' } }],
    410: ['/v1/watch?previous=true&start_revision=2'],
  },
  'GET /v1/openapi.json': {
    200: ['/v1/openapi.json'],
    400: ['/v1/openapi.json?x=1'],
  },
};

async function documentOf(send: Send): Promise<Document> {
  return jsonOf(await send('/v1/openapi.json')) as Document;
}

function operationsOf({ paths }: Document): (readonly [name: string, operation: Operation])[] {
  return Object.entries(paths).flatMap(([template, operationByMethod]) =>
    Object.entries(operationByMethod).map(
      ([method, operation]) => [`${method.toUpperCase()} ${template}`, operation] as const,
    ),
  );
}

/** What is wrong with something, by a schema of the document. */
class Schemas {
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });

  constructor(document: Document) {
    this.#ajv.addSchema(document, 'document');
  }

  faults(schema: object, value: unknown): string {
    const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')) as object;
    const validate = this.#ajv.compile(absolute);
    return validate(value) ? '' : this.#ajv.errorsText(validate.errors);
  }
}

async function prepared(): Promise<{ readonly url: string; readonly send: Send }> {
  const { url } = await startTestServer({
    flags: { 'value-bytes-max': '64KiB', 'request-bytes-max': '128KiB' },
  });
  const send = restClient(url);
  for (const key of ['a', 'b', 'text', 'gone', 'gone1', 'gone2', '%FF'])
    await send(`/v1/keys/${key}`, { method: 'PUT', body: key });
  await send('/kelp.v1.AdminService/Compact', { method: 'POST', body: { revision: 5 } });
  const fields = [{ name: '', value: '' }];
  await send('/kelp.v1.HashService/Set', { method: 'POST', body: { key: 'hash', fields } });
  return { url, send };
}

async function answered(send: Send, name: string, [path, request]: Case): Promise<RestReply> {
  return send(path, { ...request, method: name.split(' ')[0] ?? '' });
}

function responseOf(
  { components }: Document,
  { responses }: Operation,
  status: number,
): Response | undefined {
  const response = responses[status];
  if (response?.$ref === undefined) return response;
  return components.responses[response.$ref.split('/').at(-1) ?? ''];
}

test('it is valid', async () => {
  const { send } = await prepared();
  const document = jsonOf(await send('/v1/openapi.json')) as Record<string, unknown>;
  const result = await new Validator().validate(document);
  expect(result).toEqual({ valid: true });
});

test('it has each operation, and tells all of each', async () => {
  const { send } = await prepared();
  const document = await documentOf(send);
  const operations = operationsOf(document);
  for (const template of Object.keys(document.paths)) {
    const { headers } = await send(template.replace('{key}', 'a'), { method: 'OPTIONS' });
    const served = (headers['allow'] ?? '')
      .split(', ')
      .filter((method) => !['HEAD', 'OPTIONS'].includes(method));
    const told = operations
      .filter(([name]) => name.endsWith(` ${template}`))
      .map(([name]) => name.split(' ')[0]);
    expect([template, new Set(told)]).toEqual([template, new Set(served)]);
  }
  for (const [name, { summary, parameters, operationId }] of operations) {
    expect([name, summary, operationId]).toEqual([name, expect.stringMatching(/\.$/), expect.any(String)]);
    for (const { name: parameter, description } of parameters) {
      expect([name, parameter, description]).toEqual([name, parameter, expect.any(String)]);
    }
  }
  expect(new Set(operations.map(([, { operationId }]) => operationId)).size).toBe(operations.length);
});

test('its examples are what it says', async () => {
  const { send } = await prepared();
  const document = await documentOf(send);
  const schemas = new Schemas(document);
  let count = 0;
  for (const [name, { requestBody, responses }] of operationsOf(document)) {
    const contents = [requestBody?.content, ...Object.values(responses).map(({ content }) => content)];
    for (const { schema, example } of contents.flatMap((content) => Object.values(content ?? {}))) {
      if (schema === undefined) continue;
      expect([name, schemas.faults(schema, example)]).toEqual([name, '']);
      count++;
    }
  }
  expect(count).toBeGreaterThan(10);
});

test('each status that it names is that of a real reply, which has the form that it says', async () => {
  const { send } = await prepared();
  const document = await documentOf(send);
  const schemas = new Schemas(document);
  const operations = operationsOf(document);
  const asked = operations.map(([name, { responses }]) => [name, statusesOf(responses)]);
  const known = operations.map(([name]) => {
    const statuses = Object.keys(cases[name] ?? {}).map(Number);
    return [name, name === 'GET /v1/watch' ? [200, ...statuses] : statuses];
  });
  expect(known).toEqual(asked);
  for (const [name, operation] of operations) {
    for (const [status, request] of Object.entries(cases[name] ?? {})) {
      const reply = await answered(send, name, request);
      expect([name, status, reply.text, reply.status]).toEqual([name, status, reply.text, Number(status)]);
      expect([name, status, faultsOf(document, schemas, operation, reply)]).toEqual([name, status, []]);
      const { body } = request[1] ?? {};
      const schema = operation.requestBody?.content['application/json']?.schema;
      if (schema === undefined || typeof body !== 'object') continue;
      const faults = schemas.faults(schema, body);
      if (reply.status < 300) expect([name, faults]).toEqual([name, '']);
      else if (reply.status === 400) expect([name, faults]).not.toEqual([name, '']);
    }
  }
});

/** Those that all operations have are asked for apart. */
function statusesOf(responses: Operation['responses']): number[] {
  const statuses = Object.keys(responses).filter(
    (status) => !['401', '403', '429', '503', 'default'].includes(status),
  );
  return statuses.map(Number);
}

/** Headers that say something of KelpDB: the others are those of any reply of HTTP. */
const TOLD_HEADER = /^(?:kelp-.*|etag|expires|content-range|accept-encoding|retry-after|www-authenticate)$/;

function faultsOf(document: Document, schemas: Schemas, operation: Operation, reply: RestReply): string[] {
  const response = responseOf(document, operation, reply.status);
  if (response === undefined) return [`${reply.status} is not told`];
  const faults: string[] = [];
  const told = Object.entries(response.headers ?? {});
  for (const [name, { required }] of told) {
    if (required === true && !(name.toLowerCase() in reply.headers)) faults.push(`no ${name}`);
  }
  const toldNames = new Set(told.map(([name]) => name.toLowerCase()));
  for (const name of Object.keys(reply.headers)) {
    if (!toldNames.has(name) && TOLD_HEADER.test(name)) faults.push(`${name} is not told`);
  }
  const type = reply.headers['content-type'];
  const media = type === undefined ? undefined : response.content?.[type];
  if (response.content === undefined ? type !== undefined : media === undefined) faults.push(`is ${type}`);
  if (media?.schema !== undefined) faults.push(schemas.faults(media.schema, jsonOf(reply)));
  return faults.filter((fault) => fault !== '');
}

test('the head of a value that will be gone is what it says', async () => {
  const { send } = await prepared();
  const document = await documentOf(send);
  const operation = document.paths['/v1/keys/{key}']?.['get'];
  if (operation === undefined) throw new Error('keys are read');
  const granted = await send('/kelp.v1.LeaseService/Grant', {
    method: 'POST',
    body: { ttl: '60s', leaseId: 7 },
  });
  expect(granted.status).toBe(200);
  await send('/v1/keys/leased?lease=7', { method: 'PUT', body: '1' });
  await send('/v1/keys/timed?ttl=1h', { method: 'PUT', body: '1' });
  for (const [key, name] of [
    ['leased', 'kelp-lease'],
    ['timed', 'expires'],
  ] as const) {
    const reply = await send(`/v1/keys/${key}`);
    expect(reply.headers).toHaveProperty(name);
    expect([key, faultsOf(document, new Schemas(document), operation, reply)]).toEqual([key, []]);
  }
});

test('the data of the events of a watch are what it says', async () => {
  const { url, send } = await prepared();
  const document = await documentOf(send);
  const schemas = new Schemas(document);
  const watchData = { $ref: '#/components/schemas/WatchData' };
  const stream = await connectEvents(
    `${url}/v1/watch?include_current=true&previous=true&progress_interval=100ms`,
  );
  onTestFinished(() => stream.cut());
  expect(stream.contentType in (document.paths['/v1/watch']?.['get']?.responses[200]?.content ?? {})).toBe(
    true,
  );
  const types = new Set<string>();
  await nextOf(stream, 'current');
  for (const change of ['PUT', 'DELETE']) await send('/v1/keys/%FF', { method: change });
  while (types.size < 3) {
    const event = await stream.next();
    types.add(event?.type ?? 'end');
    expect(schemas.faults(watchData, JSON.parse(event?.data ?? 'null'))).toBe('');
  }
  expect([...types].sort()).toEqual(['message', 'progress', 'synced']);
});

async function nextOf(stream: EventConnection, type: string): Promise<void> {
  expect((await stream.next())?.type).toBe(type);
}

test('all operations answer 429 when too much is under way', async () => {
  const { url } = await startTestServer({ flags: { 'calls-max': '1' } });
  const send = restClient(url);
  const document = await documentOf(send);
  const schemas = new Schemas(document);
  const stream = await connectEvents(`${url}/v1/watch`);
  onTestFinished(() => stream.cut());
  await nextOf(stream, 'synced');
  for (const [name, operation] of operationsOf(document)) await expectProblem(send, name, operation, 429);

  async function expectProblem(by: Send, name: string, operation: Operation, status: number): Promise<void> {
    const reply = await answered(by, name, firstOf(name));
    expect([name, reply.status]).toEqual([name, status]);
    expect([name, faultsOf(document, schemas, operation, reply)]).toEqual([name, []]);
  }
});

test('all operations but the document answer 401 without credentials, and 403 without a right, once access is closed', async () => {
  const { url } = await startTestServer();
  const root = { authorization: basic('root', 'secret') };
  for (const name of ['root', 'ann']) {
    const headers = name === 'root' ? {} : root;
    const body = { name, password: 'secret' };
    await restClient(url)('/kelp.v1.AccessService/CreateUser', { method: 'POST', headers, body });
  }
  const send = restClient(url);
  const document = await documentOf(send);
  const schemas = new Schemas(document);
  for (const [name, operation] of operationsOf(document)) {
    for (const [status, authorization] of [
      [401, undefined],
      [401, 'Bearer wrong'],
      [403, basic('ann', 'secret')],
    ] as const) {
      const [path, request]: Case = name === 'GET /v1/watch' ? ['/v1/watch'] : firstOf(name);
      const headers = { ...request?.headers, ...(authorization !== undefined && { authorization }) };
      const reply = await answered(send, name, [path, { ...request, headers }]);
      const isOpen = name === 'GET /v1/openapi.json';
      expect([name, authorization, reply.status]).toEqual([name, authorization, isOpen ? 200 : status]);
      expect([name, faultsOf(document, schemas, operation, reply)]).toEqual([name, []]);
    }
  }
});

test('all operations that need the store answer 503 while there is none', async () => {
  const disk = new HeldDisk(nodeDisk);
  disk.hold();
  const { url } = await startTestServer({ storeOptions: { disk }, waitUntilReady: false });
  onTestFinished(() => disk.release());
  const send = restClient(url);
  const document = await documentOf(send);
  const schemas = new Schemas(document);
  for (const [name, operation] of operationsOf(document)) {
    const reply = await answered(send, name, firstOf(name));
    expect([name, reply.status]).toEqual([name, '503' in operation.responses ? 503 : 200]);
    expect([name, faultsOf(document, schemas, operation, reply)]).toEqual([name, []]);
  }
});

function firstOf(name: string): Case {
  return Object.values(cases[name] ?? {})[0] ?? ['/'];
}
