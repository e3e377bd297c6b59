/** Who may do what over HTTP without RPC: each operation, asked by all principals over both versions of it. */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { startTestServer } from '../../support/test-server.ts';
import { type HttpVersion, httpVersions } from '../rest/rest-client.ts';
import { type HttpRow, httpRows } from './http-rows.ts';
import { expectedOutcome, type Principal } from './principals.ts';
import { openSituation } from './situation.ts';

const SERVER = join(import.meta.dirname, '../../../src/server');
const OPERATION = /operation\(\{\s+method: '(\w+)',\s+template: '([^']+)'/g;

/** Thousands of calls. */
const TABLE_MS_MAX = 180_000;

test('every operation has a row', () => {
  const names = readdirSync(SERVER, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const sources = names.map((name) => readFileSync(join(SERVER, name), 'utf8'));
  const operations = sources.flatMap((source) =>
    [...source.matchAll(OPERATION)].map(([, method, template]) => `${method} ${template}`),
  );
  expect(operations.length).toBeGreaterThan(15);
  expect(sources.flatMap((source) => source.match(/^ +template: /gm) ?? [])).toHaveLength(operations.length);
  const withRows = new Set(httpRows.map(({ operation }) => operation).filter((name) => name !== ''));
  expect([...withRows].sort()).toEqual(operations.sort());
});

test.each(httpVersions)(
  'over HTTP/%s each request is allowed, or refused without a change, as its rule says',
  async (version) => {
    const server = await startTestServer();
    const { principals, fingerprint, restore } = await openSituation(server.url);
    const wrong: string[] = [];
    for (const who of principals) {
      const ask = client(server.url, version, who);
      const rows = httpRows.map((row) => ({ row, expected: expectedOutcome(who, row.need) }));
      const check = async ({ row, expected }: (typeof rows)[number]): Promise<void> => {
        const outcome = outcomeOf(await ask(row), row);
        if (outcome !== expected) {
          wrong.push(`${who.name}: ${row.operation} ${row.path}: ${outcome}, not ${expected}`);
        }
      };
      const before = await fingerprint();
      await Promise.all(rows.filter(({ expected }) => expected !== 'allowed').map(check));
      if (!isDeepStrictEqual(await fingerprint(), before)) wrong.push(`${who.name}: has changed something`);
      for (const each of rows) {
        if (each.expected !== 'allowed') continue;
        await check(each);
        if (each.row.path.includes('all=true')) await restore();
      }
      await restore();
    }
    expect(wrong).toEqual([]);
  },
  TABLE_MS_MAX,
);

test('a health check tells who may not see more whether the server is well, and nothing else', async () => {
  const server = await startTestServer();
  const { principals } = await openSituation(server.url);
  for (const who of principals) {
    const { body } = await client(server.url, '1.1', who)(healthRow);
    const told = Object.keys(JSON.parse(body) as object);
    expect([who.name, ...told]).toEqual(
      who.user === ''
        ? [who.name, 'status']
        : [who.name, 'status', 'volume_id', 'keys', 'segments', 'total_mb', 'uptime_secs'],
    );
  }
});

const healthRow = httpRows.find(({ path }) => path === '/health') ?? expect.unreachable();

interface Answer {
  readonly status: number;
  readonly challenge: string | undefined;
  /** Of a stream of events: nothing. */
  readonly body: string;
}

/** By status, and by what must come with it. */
function outcomeOf({ status, challenge, body }: Answer, { operation, orStatus }: HttpRow): string {
  if (status === 401) {
    if (!/^Bearer .*, Basic /.test(challenge ?? '')) return '401 without www-authenticate';
    return isError(body, operation, 'unauthenticated') ? 'unauthenticated' : `401 with ${body}`;
  }
  if (challenge !== undefined) return `${status} with www-authenticate`;
  if (status === 403) return isError(body, operation, 'permissionDenied') ? 'denied' : `403 with ${body}`;
  return (status >= 200 && status < 300) || orStatus.includes(status) ? 'allowed' : String(status);
}

/** In the form that the interface has for errors. */
function isError(body: string, operation: string, code: string): boolean {
  const error = JSON.parse(body) as { code?: string; error?: string; message?: string };
  if (operation.includes(' /v1/')) return error.code === code;
  return typeof (error.error ?? error.message) === 'string';
}

/** Asks on connections of its own. */
function client(url: string, version: HttpVersion, who: Principal): (row: HttpRow) => Promise<Answer> {
  const { authorization } = who;
  const shown = authorization === undefined ? {} : { authorization };
  if (version === '1.1') return (row) => askHttp1(url, row, shown);
  const session = connect(url);
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  return (row) => askHttp2(session, row, shown);
}

async function askHttp1(url: string, row: HttpRow, shown: Record<string, string>): Promise<Answer> {
  const { path, headers, body = null } = row;
  const response = await fetch(`${url}${path}`, {
    method: methodOf(row),
    headers: { ...headers, ...shown },
    body,
  });
  const challenge = response.headers.get('www-authenticate') ?? undefined;
  const isStream = isEvents(response.headers.get('content-type') ?? '');
  if (isStream) await response.body?.cancel();
  return { status: response.status, challenge, body: isStream ? '' : await response.text() };
}

async function askHttp2(
  session: ClientHttp2Session,
  row: HttpRow,
  shown: Record<string, string>,
): Promise<Answer> {
  const stream = session.request({
    ':method': methodOf(row),
    ':path': row.path,
    ...row.headers,
    ...shown,
  });
  stream.on('error', () => undefined);
  stream.end(row.body);
  const [headers] = (await once(stream, 'response')) as [Record<string, string>];
  const isStream = isEvents(headers['content-type'] ?? '');
  if (isStream) stream.close();
  const body = isStream ? [] : ((await stream.toArray()) as Buffer[]);
  return {
    status: Number(headers[':status']),
    challenge: headers['www-authenticate'],
    body: Buffer.concat(body).toString(),
  };
}

function methodOf({ operation }: HttpRow): string {
  return operation.split(' ')[0] || 'GET';
}

function isEvents(contentType: string): boolean {
  return contentType.startsWith('text/event-stream');
}
