/** Watches over REST: Server-Sent Events. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { nodeDisk } from '../../../src/disk/node-disk.ts';
import { fixed } from '../../../src/limits.ts';
import { HeldDisk } from '../../support/held-disk.ts';
import { type TestServerOptions, type TestServer, startTestServer } from '../../support/test-server.ts';
import { type EventConnection, EventParser, type ReadEvent, connectEvents } from './event-reader.ts';
import { type Send, jsonOf, restClient } from './rest-client.ts';
import { KEPT_HISTORY_FLAGS } from '../../support/test-engine.ts';

interface Watched {
  readonly server: TestServer;
  readonly send: Send;
  readonly watch: (query?: string, headers?: Readonly<Record<string, string>>) => Promise<EventConnection>;
}

async function started(options?: TestServerOptions): Promise<Watched> {
  const server = await startTestServer(options);
  return {
    server,
    send: restClient(server.url),
    async watch(query = '', headers = {}) {
      const connection = await connectEvents(`${server.url}/v1/watch${query}`, headers);
      onTestFinished(() => connection.cut());
      return connection;
    },
  };
}

async function put(send: Send, key: string, value: string): Promise<void> {
  expect((await send(`/v1/keys/${key}`, { method: 'PUT', body: value })).status).toBeLessThan(300);
}

async function next(connection: EventConnection, type = 'message'): Promise<ReadEvent & { json: Data }> {
  const event = await connection.next();
  if (event === undefined) throw new Error('the stream has ended');
  expect(event.type).toBe(type);
  return { ...event, json: JSON.parse(event.data) as Data };
}

interface Data {
  readonly kind: string;
  readonly revision: number;
  readonly incarnation: string;
  readonly events?: readonly Record<string, unknown>[];
  readonly entries?: readonly { readonly key: string }[];
}

const entry = (key: string, value: string, revision: number, version = 1): object => ({
  key,
  value,
  createRevision: revision - version + 1,
  modRevision: revision,
  version,
});

test('a watch tells each revision as one event, whose id names the revision and who wrote it', async () => {
  const { send, watch } = await started();
  await put(send, 'a', '0');
  const stream = await watch();
  expect([stream.status, stream.contentType]).toEqual([200, 'text/event-stream']);
  const synced = await next(stream, 'synced');
  const { incarnation } = synced.json;
  expect(synced.json).toEqual({ kind: 'synced', revision: 1, incarnation });
  expect(synced.lastEventId).toBe(`${incarnation.slice(0, 12)}-1`);

  const success = [{ put: { key: 'a', value: '1' } }, { put: { key: 'b', value: 'x\ny' } }];
  await send('/v1/txn', { method: 'POST', body: { success } });
  await send('/v1/keys/a', { method: 'DELETE' });

  const two = await next(stream);
  expect(two.json).toEqual({
    kind: 'events',
    revision: 2,
    incarnation,
    commitTime: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
    events: [
      { type: 'put', entry: entry('a', '1', 2, 2) },
      { type: 'put', entry: entry('b', 'x\ny', 2) },
    ],
  });
  expect(two.lastEventId).toBe(`${incarnation.slice(0, 12)}-2`);
  expect((await next(stream)).json.events).toEqual([
    { type: 'delete', key: 'a', modRevision: 3, reason: 'requested' },
  ]);
  expect(stream.parser.retryMs).toBe(1000);
});

test('the id of an event is the entity tag of what it wrote', async () => {
  const { send, watch } = await started();
  const stream = await watch();
  await next(stream, 'synced');
  const written = await send('/v1/keys/a', { method: 'PUT', body: '1' });
  expect(written.headers['etag']).toBe(`"${(await next(stream)).lastEventId}"`);
});

describe('a watch', () => {
  test.each([
    ['?prefix=b', ['b1', 'b2']],
    ['?key=b1', ['b1']],
    ['?start=b2', ['b2', 'c']],
    ['?start=a&end=b2', ['a', 'b1']],
    ['?prefix=', ['a', 'b1', 'b2', 'c']],
  ])('with %j is told of its keys', async (query, keys) => {
    const { send, watch } = await started();
    for (const key of ['a', 'b1', 'b2', 'c']) await put(send, key, '');
    const stream = await watch(`${query}&start_revision=1`);
    const seen: unknown[] = [];
    for (const _ of keys) seen.push(...((await next(stream)).json.events ?? []));
    expect(seen).toMatchObject(keys.map((key) => ({ entry: { key } })));
    await next(stream, 'synced');
  });

  test('begins with the present entries, which have no id, if it is to', async () => {
    const { send, watch } = await started();
    const puts = Array.from({ length: fixed.watchMessageEventsMax + 1 }, (_, index) => ({
      put: { key: `k${10_000 + index}`, value: '' },
    }));
    await send('/v1/txn', { method: 'POST', body: { success: puts } });
    const stream = await watch('?include_current=true');
    const keys: string[] = [];
    while (keys.length < puts.length) {
      const current = await next(stream, 'current');
      expect(current.lastEventId).toBe('');
      keys.push(...(current.json.entries ?? []).map(({ key }) => key));
    }
    expect(keys).toEqual(puts.map((each) => each.put.key));
    expect((await next(stream, 'synced')).lastEventId).toMatch(/^[0-9a-f]{12}-1$/);
  });

  test('is told what it asks for: types of events, the entry before, keys alone', async () => {
    const { send, watch } = await started();
    const stream = await watch('?events=put,touch&previous=true');
    const keys = await watch('?keys_only=true&events=delete');
    await next(stream, 'synced');
    await next(keys, 'synced');
    await put(send, 'a', '1');
    await put(send, 'a', '2');
    await send('/v1/keys/a', { method: 'DELETE' });
    await put(send, 'b', '');
    expect((await next(stream)).json.events).toEqual([{ type: 'put', entry: entry('a', '1', 1) }]);
    expect((await next(stream)).json.events).toEqual([
      { type: 'put', entry: entry('a', '2', 2, 2), previous: entry('a', '1', 1) },
    ]);
    expect((await next(stream)).json.revision).toBe(4);
    expect((await next(keys)).json.events).toMatchObject([{ type: 'delete', key: 'a' }]);
  });

  test('is told how far it is while nothing comes for it, with an id to go on from', async () => {
    const { send, watch } = await started();
    const stream = await watch('?prefix=w&progress_interval=100ms');
    await next(stream, 'synced');
    await put(send, 'other', '');
    for (;;) {
      const progress = await next(stream, 'progress');
      expect(progress.lastEventId.endsWith(`-${progress.json.revision}`)).toBe(true);
      if (progress.json.revision === 1) break;
    }
  });

  test('of a revision of more changes than a message holds is told of it by one event', async () => {
    const { send, watch } = await started();
    const stream = await watch('?previous=true');
    await next(stream, 'synced');
    const long = 'ä'.repeat(200_000);
    const puts = Array.from({ length: 2500 }, (_, index) => ({
      put: { key: `k${10_000 + index}`, value: index % 1000 === 500 ? long : 'v' },
    }));
    await send('/v1/txn', { method: 'POST', body: { success: puts } });
    await put(send, 'z', '');
    const { json, lastEventId } = await next(stream);
    expect([json.revision, lastEventId]).toEqual([1, expect.stringMatching(/-1$/)]);
    const seen = (json.events ?? []) as unknown as { entry: { key: string; value: string } }[];
    expect(seen.map((each) => each.entry.key)).toEqual(puts.map((each) => each.put.key));
    expect(seen.every(({ entry: { value } }, index) => value === puts[index]?.put.value)).toBe(true);
    expect((await next(stream)).json.revision).toBe(2);
  });

  test('of long values, text or not, is told of them whole', async () => {
    const { send, watch } = await started();
    const stream = await watch();
    await next(stream, 'synced');
    const text = '"\u0001ä\r\n'.repeat(200_000);
    const bytes = Buffer.alloc(1_000_001, 0xff);
    await put(send, 'text', text);
    await send('/v1/keys/bytes', { method: 'PUT', body: bytes });
    const value = async (): Promise<unknown> => {
      const [event] = (await next(stream)).json.events ?? [];
      return (event?.['entry'] as { readonly value: unknown } | undefined)?.value;
    };
    expect((await value()) === text).toBe(true);
    expect(await value()).toEqual({ base64: bytes.toString('base64') });
  });
});

describe('a reader that comes again', () => {
  test('goes on behind the last event that it has seen, whatever its address says', async () => {
    const { send, watch } = await started();
    for (const value of ['1', '2', '3', '4']) await put(send, 'a', value);
    const first = await watch('?start_revision=2');
    const { lastEventId } = await next(first);
    first.cut();
    for (const query of ['?start_revision=2', '?include_current=true', '']) {
      const again = await watch(query, { 'last-event-id': lastEventId });
      expect((await next(again)).json.revision).toBe(3);
      expect((await next(again)).json.revision).toBe(4);
      await next(again, 'synced');
    }
  });

  test('goes on from revision 0, which has no incarnation', async () => {
    const { send, watch } = await started();
    const empty = await watch();
    const { lastEventId } = await next(empty, 'synced');
    expect(lastEventId).toBe('-0');
    await put(send, 'a', '1');
    const again = await watch('', { 'last-event-id': lastEventId });
    expect((await next(again)).json.revision).toBe(1);
  });

  test('is told by a problem, for which EventSource stops, that the history is another one', async () => {
    const { send, watch } = await started();
    await put(send, 'a', '1');
    for (const id of ['0123456789ab-1', '-1', '0123456789ab-7']) {
      const refused = await watch('', { 'last-event-id': id });
      expect([refused.status, refused.contentType]).toEqual([409, 'application/problem+json']);
      expect(JSON.parse(await refused.body)).toMatchObject({
        code: 'historyDiffers',
        sharedRevision: 0,
        newestRevision: 1,
        incarnation: id.endsWith('-7') ? '' : (expect.stringMatching(/^[0-9a-f]{32}$/) as unknown),
      });
    }
    const [, incarnation = ''] =
      /"([0-9a-f]{12})-1"/.exec((await send('/v1/keys/a')).headers['etag'] ?? '') ?? [];
    const ahead = await watch('', { 'last-event-id': `${incarnation}-9` });
    expect([ahead.status, JSON.parse(await ahead.body)]).toMatchObject([
      409,
      { code: 'historyDiffers', sharedRevision: 1, newestRevision: 1 },
    ]);
  });

  test('is told where to go on when what it asks for is not kept', async () => {
    const { server, send, watch } = await started({ flags: KEPT_HISTORY_FLAGS });
    for (let index = 0; index < 6; index++) await put(send, 'a', String(index));
    const { lastEventId } = await next(await watch('?start_revision=1&previous=true'));
    const compacted = await fetch(`${server.url}/kelp.v1.AdminService/Compact`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ revision: 5 }),
    });
    expect(compacted.status).toBe(200);
    const refused = await watch('?previous=true', { 'last-event-id': lastEventId });
    expect([refused.status, JSON.parse(await refused.body)]).toMatchObject([
      410,
      {
        code: 'revisionCompacted',
        requestedRevision: 2,
        oldestRevision: 5,
        newestRevision: 6,
        detail: expect.stringContaining('a watch can start at 6 or later') as unknown,
      },
    ]);
  });
});

describe('the end of a stream', () => {
  test('by a server that stops says so and where to go on', async () => {
    const { server, send, watch } = await started();
    const stream = await watch();
    await next(stream, 'synced');
    await put(send, 'a', '1');
    await next(stream);
    const stopped = server.stop();
    const { json, lastEventId } = await next(stream, 'error');
    expect(json).toMatchObject({ status: 503, code: 'stopping', resumeRevision: 2 });
    expect(lastEventId).toMatch(/-1$/);
    expect(await stream.next()).toBeUndefined();
    await stopped;
  });

  test('that was read too slowly says so, and where to begin anew', async () => {
    const { server, send } = await started();
    const socket = connect(server.port, server.host);
    onTestFinished(() => void socket.destroy());
    socket.setEncoding('utf8');
    socket.write('GET /v1/watch?previous=true HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
    let text = '';
    while (!text.includes('event: synced')) {
      await once(socket, 'readable');
      text += String(socket.read() ?? '');
    }
    for (let index = 0; index < 40; index++) await put(send, 'a', 'x'.repeat(1_000_000));
    await send('/kelp.v1.AdminService/Compact', { method: 'POST', body: { revision: 40 } });
    socket.on('data', (part: string) => (text += part));
    await once(socket, 'end');
    const [, data = 'null'] = /event: error\ndata: (.*)\n\n/.exec(text.slice(-2000)) ?? [];
    const problem = JSON.parse(data) as { readonly resumeRevision: number };
    expect(problem).toMatchObject({ status: 429, code: 'slowWatcher' });
    expect(text).toContain(`-${problem.resumeRevision - 1}\n\n`);
    expect(text).not.toContain(`-${problem.resumeRevision}\n\n`);
  });

  test('that is not read lets the server stop in good time', async () => {
    const { server, send } = await started();
    const socket = connect(server.port, server.host);
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined);
    socket.write('GET /v1/watch?start_revision=1 HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await once(socket, 'readable');
    socket.pause();
    for (let index = 0; index < 20; index++) await put(send, 'a', 'x'.repeat(1_000_000));
    await server.stop();
    expectStoppedInTime(server);
  });

  test('by its client is told in the log', async () => {
    const { server, watch } = await started();
    const stream = await watch();
    await next(stream, 'synced');
    stream.cut();
    const line = await server.log.line(({ method }) => method === 'GET /v1/watch');
    expect(line).toMatchObject({ code: 'Canceled', status: 200 });
  });

  test('whose client is lost as the server stops holds nothing up', async () => {
    const { server, send, watch } = await started();
    await put(send, 'a', '1');
    await next(await watch('?start_revision=1'));
    server.abort();
    await server.stop();
    expectStoppedInTime(server);
  });
});

function expectStoppedInTime({ log }: TestServer): void {
  const messages = log.lines.map(({ msg }) => msg);
  expect(messages).toContain('stopped');
  expect(messages).not.toContain('calls did not finish in time; broken off');
}

describe('what passes by itself', () => {
  test('such as a start ends the stream of a reader of events, and is a problem to others', async () => {
    const disk = new HeldDisk(nodeDisk);
    disk.hold();
    const { watch } = await started({ storeOptions: { disk }, waitUntilReady: false });
    onTestFinished(() => disk.release());
    const early = await watch();
    expect((await next(early, 'error')).json).toMatchObject({ status: 503, code: 'recovering' });
    expect(await early.next()).toBeUndefined();
    expect([early.status, early.contentType, early.parser.retryMs]).toEqual([200, 'text/event-stream', 1000]);
    expect((await watch('', { accept: '*/*' })).status).toBe(503);
  });

  test('such as a limit ends it too, for longer', async () => {
    const { watch } = await started({ flags: { 'watchers-max': '1' } });
    const stream = await watch();
    await next(stream, 'synced');
    const refused = await watch();
    expect([refused.status, refused.contentType]).toEqual([200, 'text/event-stream']);
    expect((await next(refused, 'error')).json).toMatchObject({ status: 429, code: 'limitReached' });
    expect(await refused.next()).toBeUndefined();
    expect(refused.parser.retryMs).toBe(5000);
    const other = await watch('', { accept: '*/*' });
    expect([other.status, other.contentType]).toEqual([429, 'application/problem+json']);
  });
});

describe('refused:', () => {
  test.each([
    ['?start_revision=x', /start_revision must be a whole number/],
    ['?start_revision=9', /lies in the future/],
    ['?start_revision=1&include_current=true', /^give start_revision or include_current=true, not both$/],
    ['?events=put,move', /events has "move"/],
    ['?events=', /events has ""/],
    ['?progress_interval=10ms', /progress_interval must be 100ms/],
    ['?progress_interval=10', /progress_interval must be a length of time with its unit/],
    ['?key=a&prefix=b', /not by several of them/],
    ['?key=', /key is empty; leave it out to watch all keys/],
    ['?incarnation=abc&start_revision=1', /32 hexadecimal digits/],
    ['?previous=1', /previous must be true or false/],
    ['?prefx=a', /did you mean prefix\?/],
  ])('%s', async (query, detail) => {
    const { watch } = await started();
    const refused = await watch(query);
    expect([refused.status, JSON.parse(await refused.body)]).toMatchObject([
      400,
      { detail: expect.stringMatching(detail) as unknown },
    ]);
  });

  test.each([
    'x',
    '12',
    'abc-1',
    '0123456789AB-1',
    '0123456789ab--1',
    '0123456789ab-99999999999999999',
    '0123456789ab-1 '.repeat(99),
  ])('the id %j', async (id) => {
    const { watch } = await started();
    const refused = await watch('', { 'last-event-id': id });
    expect([refused.status, JSON.parse(await refused.body)]).toMatchObject([
      400,
      { detail: expect.stringMatching(/last-event-id is no id of an event/) as unknown },
    ]);
  });
});

test('HEAD of a watch tells what GET would be', async () => {
  const { send } = await started();
  const reply = await send('/v1/watch', { method: 'HEAD' });
  expect([reply.status, reply.headers['content-type']]).toEqual([200, 'text/event-stream']);
});

test('curl -N shows each event as it comes', async () => {
  const { server, send } = await started();
  const curl = spawn('curl', ['-sN', `${server.url}/v1/watch`]);
  onTestFinished(() => void curl.kill());
  const parser = new EventParser();
  const events: ReadEvent[] = [];
  curl.stdout.setEncoding('utf8').on('data', (text: string) => events.push(...parser.push(text)));
  for (let revision = 0; revision < 3; revision++) {
    while (events.length <= revision) await once(curl.stdout, 'data');
    await put(send, `k${revision}`, '');
  }
  expect(events.map(({ type }) => type)).toEqual(['synced', 'message', 'message']);
});

test('a watch over HTTP/2 is the same', async () => {
  const { server, send } = await started();
  await put(send, 'a', '1');
  const session = connectHttp2(server.url);
  onTestFinished(() => session.destroy());
  const stream = session.request({ ':path': '/v1/watch?start_revision=1' });
  const parser = new EventParser();
  const events: ReadEvent[] = [];
  stream.setEncoding('utf8').on('data', (text: string) => events.push(...parser.push(text)));
  while (events.length < 2) await once(stream, 'data');
  expect(events.map(({ type }) => type)).toEqual(['message', 'synced']);
  expect(jsonOf({ status: 0, headers: {}, text: events[0]?.data ?? '' })).toMatchObject({ revision: 1 });
});
