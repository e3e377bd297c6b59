/**
 * Credentials that are none: whatever comes as `authorization`, over either version of HTTP, is refused as such, lets nobody in, and
 * leaves the server well.
 */
import { type ClientHttp2Session, connect } from 'node:http2';
import { expect, onTestFinished, test } from 'vitest';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { create, toBinary } from '@bufbuild/protobuf';
import { GetRequestSchema } from '../../../gen/kelp/v1/kv_pb.ts';
import { credentialsIn } from '../../../src/server/access/credentials.ts';
import { fuzz } from '../../fuzz/fuzz.ts';
import { field, frame, pingAcknowledged, pingFrame } from '../../support/bare-http2.ts';
import type { SeededRandom } from '../../support/random.ts';
import { RawConnection } from '../../support/raw-connection.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';
import { basic, bearer, clientsOf } from './access-client.ts';

const USER = 'jürgen';
const PASSWORD = 'pass:wörd';
/** Values of a batch are sent side by side: a wrong password is answered late. */
const BATCH = 16;

interface Guarded {
  readonly server: TestServer;
  /** What lets one in. */
  readonly right: readonly string[];
}

async function guarded(): Promise<Guarded> {
  const server = await startTestServer();
  await clientsOf(server.url).access.createUser({ name: 'root', password: 'top' });
  const { access } = clientsOf(server.url, basic('root', 'top'));
  await access.createUser({ name: USER, password: PASSWORD });
  const { secret } = await access.createToken({ name: 'token', user: USER });
  return { server, right: [basic(USER, PASSWORD), bearer(secret)] };
}

type Mutate = (value: string, random: SeededRandom) => string;

const bytes = (random: SeededRandom, count: number): string =>
  Array.from({ length: count }, () => String.fromCharCode(random.below(256))).join('');

function changedAt(value: string, random: SeededRandom, by: (before: string) => string): string {
  const at = random.below(value.length);
  return value.slice(0, at) + by(value[at] ?? '') + value.slice(at + 1);
}

const mutations: readonly Mutate[] = [
  (value) => value,
  (_, random) => bytes(random, random.below(64)),
  (_, random) => `Basic ${bytes(random, random.below(64))}`,
  (_, random) => `Bearer ${bytes(random, random.below(64))}`,
  (_, random) => `Basic ${Buffer.from(bytes(random, random.below(64)), 'latin1').toString('base64')}`,
  (_, random) => `Basic ${Buffer.from(`${USER}:${bytes(random, 8)}`).toString('base64')}`,
  () => basic(USER, ''),
  () => basic('', PASSWORD),
  () => `Basic ${Buffer.from(USER).toString('base64')}`,
  () => `Basic ${Buffer.from([0xff, 0x3a, 0xfe]).toString('base64')}`,
  (value) => value.toUpperCase(),
  (value) => value.toLowerCase(),
  (value, random) =>
    value.replace(/^\w+/, (scheme) => changedAt(scheme, random, (letter) => letter.toUpperCase())),
  (value) => value.replace(' ', '\t'),
  (value) => value.replace(' ', '   '),
  (value) => value.replace(' ', ''),
  (value) => `${value}=`,
  (value) => value.replace(/=+$/, ''),
  (value) => `${value}, ${value}`,
  (value) => `Negotiate ${value}`,
  (value, random) => changedAt(value, random, () => ''),
  (value, random) => changedAt(value, random, (before) => before + before),
  (value, random) => changedAt(value, random, () => bytes(random, 1)),
  (value, random) => value + 'A'.repeat(random.between(1, 20_000)),
  (_, random) => `Basic ${'A'.repeat(random.between(1, 6000))}`,
  (value) => `${value}\0`,
  (value) => value.replaceAll('+', '-').replaceAll('/', '_'),
];

/** As it may stand in a header: a line end would end it. */
function valueBy(random: SeededRandom, right: readonly string[]): string {
  return random
    .pick(mutations)(random.pick(right), random)
    .replace(/[\r\n]/g, ' ');
}

/** Whether the right credentials are in there, in whatever form. */
function isRight(value: string, right: readonly string[]): boolean {
  const [, scheme = '', token = ''] = /^\s*(basic|bearer) +(\S+)\s*$/i.exec(value) ?? [];
  if (scheme.toLowerCase() === 'bearer') return right.includes(`Bearer ${token}`);
  return Buffer.from(token, 'base64').toString() === `${USER}:${PASSWORD}`;
}

fuzz('the header is read, or refused as unauthenticated, whatever it has', 2000, (random) => {
  const right = [basic(USER, PASSWORD), bearer('x_-Y'.repeat(11))];
  const value = valueBy(random, right);
  try {
    const credentials = credentialsIn(value);
    if (isRight(value, right)) return;
    expect(credentials).not.toEqual({ kind: 'password', userName: USER, password: PASSWORD });
    expect(right).not.toContain(credentials.kind === 'token' && `Bearer ${credentials.secret}`);
  } catch (error) {
    expect(error).toMatchObject({ code: 'unauthenticated' });
    // A secret must not come back, or get into a log.
    expect(String(error)).not.toContain(Buffer.from(PASSWORD).toString('base64').slice(0, 8));
    expect(right.some((each) => each === value)).toBe(false);
  }
});

let overHttp1: Guarded | undefined;

fuzz('over HTTP/1.1 nothing else than the right ones lets in', 12, async (random) => {
  const { server, right } = (overHttp1 ??= await guarded());
  const values = [...right, ...Array.from({ length: BATCH }, () => valueBy(random, right))];
  await Promise.all(
    values.map(async (value, index) => {
      const second = random.chance(0.2) && index >= right.length ? `authorization: ${right[0]}\r\n` : '';
      const connection = await RawConnection.open(server);
      connection.send(
        Buffer.from(
          `GET /metrics HTTP/1.1\r\nhost: ${server.address}\r\nauthorization: ${value}\r\n${second}connection: close\r\n\r\n`,
          'latin1',
        ),
      );
      await connection.closed;
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(connection.received)?.[1]);
      judge(status, value, kindOf(value, index, right));
    }),
  );
});

let overHttp2: (Guarded & { readonly session: ClientHttp2Session }) | undefined;

fuzz('over HTTP/2 nothing else than the right ones lets in', 12, async (random) => {
  const { session, right } = (overHttp2 ??= await withSession());
  const values = [...right, ...Array.from({ length: BATCH }, () => valueBy(random, right))];
  await Promise.all(
    values.map(async (value, index) => {
      const isGrpc = random.chance(0.5);
      const status = await (isGrpc ? askGrpc(session, value) : askRest(session, value));
      judge(status, value, kindOf(value, index, right));
    }),
  );
});

test('a second header does not count where the first is wrong', async () => {
  const { server, right } = await guarded();
  const connection = await RawConnection.open(server);
  const request = encodeEnvelope(0, toBinary(GetRequestSchema, create(GetRequestSchema, { key: 'a' })));
  const head = (...values: readonly string[]): Buffer =>
    Buffer.concat([
      field(':method', 'POST'),
      field(':scheme', 'http'),
      field(':path', '/kelp.v1.AdminService/Status'),
      field('content-type', 'application/grpc'),
      field('te', 'trailers'),
      ...values.map((value) => field('authorization', value)),
    ]);
  const [byPassword = ''] = right;
  connection.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  connection.send(frame(4, 0, 0, new Uint8Array(0)));
  [
    [bearer('wrong'), byPassword],
    ['', byPassword],
  ].forEach((values, index) => {
    connection.send(frame(1, 4, 2 * index + 1, head(...values)));
    connection.send(frame(0, 1, 2 * index + 1, request));
  });
  connection.send(pingFrame);
  const received = await connection.until(pingAcknowledged);
  // UNAUTHENTICATED, as a text with its length.
  expect(received.split('\u000216')).toHaveLength(3);
});

async function withSession(): Promise<Guarded & { readonly session: ClientHttp2Session }> {
  const made = await guarded();
  const session = connect(made.server.url);
  onTestFinished(() => session.destroy());
  return { ...made, session };
}

/** The credentials as they were made; the same in another form, which may be taken for them; others. */
type Kind = 'right' | 'alike' | 'wrong';

function kindOf(value: string, index: number, right: readonly string[]): Kind {
  if (index < right.length) return 'right';
  return isRight(value, right) ? 'alike' : 'wrong';
}

const REFUSALS = [400, 401, 431, 0];
const statusesOf: Readonly<Record<Kind, readonly number[]>> = {
  right: [200],
  alike: [200, ...REFUSALS],
  wrong: REFUSALS,
};

/** @param status of HTTP; 0: the stream was reset, since no field may have such a value. */
function judge(status: number, value: string, kind: Kind): void {
  const isAsItShould = statusesOf[kind].includes(status);
  expect(isAsItShould, `${kind}: ${status} for ${JSON.stringify(value.slice(0, 100))}`).toBe(true);
}

function askRest(session: ClientHttp2Session, value: string): Promise<number> {
  return ended(session.request([':method', 'GET', ':path', '/metrics', 'authorization', value]));
}

/** @returns 200 and 401 for the statuses of gRPC that mean the same. */
function askGrpc(session: ClientHttp2Session, value: string): Promise<number> {
  const stream = session.request([
    ':method',
    'POST',
    ':path',
    '/kelp.v1.AdminService/Status',
    'content-type',
    'application/grpc',
    'te',
    'trailers',
    'authorization',
    value,
  ]);
  stream.end(encodeEnvelope(0, new Uint8Array(0)));
  return ended(stream);
}

function ended(stream: ReturnType<ClientHttp2Session['request']>): Promise<number> {
  return new Promise((resolve) => {
    let status = 0;
    const take = (headers: Record<string, unknown>): void => {
      const grpcStatus = headers['grpc-status'];
      if (headers[':status'] !== undefined) status = Number(headers[':status']);
      if (grpcStatus === '16') status = 401;
      else if (grpcStatus !== undefined && grpcStatus !== '0') status = 500 + Number(grpcStatus);
    };
    stream
      .on('response', take)
      .on('trailers', take)
      .on('error', () => undefined)
      .resume();
    stream.once('close', () => resolve(status));
  });
}
