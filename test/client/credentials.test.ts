/** What a client shows of who it is, when it gets other credentials, and that none of them is to be read anywhere. */
import { execFile } from 'node:child_process';
import { inspect, promisify } from 'node:util';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { Code } from '@connectrpc/connect';
import { describe, expect, onTestFinished, test } from 'vitest';
import { KvService } from '../../gen/kelp/v1/kv_pb.ts';
import type { ClientOptions, Credentials } from '../../src/client/index.ts';
import type { KelpClient } from '../../src/client/client.ts';
import { createClient } from '../../src/client/client.ts';
import { client as limits } from '../../src/limits.ts';
import { FakePace, clientOf, failureOf, kelpFailure } from './support/fake-server.ts';
import { type GuardedServer, startGuarded } from './support/guarded-server.ts';

function clientFor({ url }: GuardedServer, options: Partial<ClientOptions>): KelpClient {
  const client = createClient({ address: url, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** A function that gives token 1, 2 and so on, when it is told to. */
function tokens(): { readonly give: () => Promise<Credentials>; count: number } {
  const source = {
    count: 0,
    give: async (): Promise<Credentials> => {
      await new Promise((resolve) => setImmediate(resolve));
      return { token: `t${++source.count}` };
    },
  };
  return source;
}

const keys = (count: number): string[] => Array.from({ length: count }, (_, index) => `k${index}`);

describe('the header authorization', () => {
  test.each<[string, Credentials, string]>([
    ['a user', { user: 'ada', password: 'open: sesame' }, `Basic ${btoa('ada:open: sesame')}`],
    [
      'a user in UTF-8',
      { user: 'ada', password: 'Öffne' },
      `Basic ${Buffer.from('ada:Öffne').toString('base64')}`,
    ],
    ['a token', { token: 'a-_.~+/b=' }, 'Bearer a-_.~+/b='],
  ])('says %s, in calls alone and together, and in streams', async (_, credentials, header) => {
    const server = await startGuarded(header);
    const client = clientFor(server, { credentials });
    await client.get('a');
    await client.put('a', '1');
    await Promise.all(keys(limits.pipelineCallsMin).map((key) => client.get(key)));
    await client.watch().next();
    for (const method of ['Get', 'Put', 'Pipeline', 'Watch']) expect(server.shown(method)).toEqual([header]);
  });

  test('is not there without credentials', async () => {
    const server = await startGuarded();
    expect(await failureOf(clientFor(server, {}).get('a'))).toMatchObject({ code: 'unauthenticated' });
    expect(server.seen).toEqual([{ method: 'Get', authorization: null }]);
  });

  test.each([
    ['gRPC', (baseUrl: string) => createGrpcTransport({ baseUrl })],
    ['Connect', (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: '2' })],
  ])('is there over a transport of the user, too: %s', async (_, transportTo) => {
    const server = await startGuarded('Bearer t2');
    const source = tokens();
    const client = clientFor(server, { transport: transportTo(server.url), credentials: source.give });
    await client.get('a');
    await client.watch().next();
    expect(server.shown('Get')).toEqual(['Bearer t1', 'Bearer t2']);
    expect(server.shown('Watch')).toEqual(['Bearer t2']);
  });
});

describe.each<[string, Credentials | (() => Credentials)]>([
  ['given as they are', { token: 'wrong' }],
  // Each try with a wrong password counts as a guess of it.
  ['given by a function that has no others', () => ({ token: 'wrong' })],
])('credentials that are refused, %s', (_, credentials) => {
  test.each(['Get', 'Pipeline', 'Watch', 'ScanStream', 'Backup'])(
    'are told at once, and not tried again: %s',
    async (method) => {
      const server = await startGuarded('Bearer right');
      const client = clientFor(server, { credentials });
      const calls: Record<string, () => Promise<unknown>> = {
        Get: () => client.get('a'),
        Pipeline: () => Promise.all(keys(limits.pipelineCallsMin).map((key) => client.get(key))),
        Watch: () => client.watch().next(),
        ScanStream: () => client.scan().toArray(),
        Backup: () => client.admin.backup().next(),
      };
      const failure = await failureOf(calls[method]?.() ?? Promise.resolve());
      expect(failure).toMatchObject({ code: 'unauthenticated', mayHaveTakenEffect: false });
      expect(server.shown(method)).toEqual(['Bearer wrong']);
    },
  );
});

describe('a function that gives credentials', () => {
  test('is called before the first call, and its result is used for all others', async () => {
    const server = await startGuarded('Bearer t1');
    const source = tokens();
    const client = clientFor(server, { credentials: source.give });
    expect(source.count).toBe(0);
    await Promise.all([client.get('a'), client.get('b'), client.watch().next()]);
    await client.get('c');
    expect(source.count).toBe(1);
  });

  test('may give them at once', async () => {
    const server = await startGuarded('Bearer at-once');
    await clientFor(server, { credentials: () => ({ token: 'at-once' }) }).get('a');
    expect(server.shown('Get')).toEqual(['Bearer at-once']);
  });

  test.each([1, limits.pipelineCallsMin])(
    'is called once for all that were refused: bursts of %d calls',
    async (size) => {
      const server = await startGuarded('Bearer t1');
      const source = tokens();
      const client = clientFor(server, { credentials: source.give, retries: 0 });
      await client.get('a');
      const burst = (): Promise<unknown> => Promise.all(keys(size).map((key) => client.put(key, '1')));
      await burst();
      server.replace('Bearer t1', 'Bearer t2');
      await Promise.all([burst(), client.get('b'), client.scan({}, { limit: 1 }).toArray(), burst()]);
      expect(source.count).toBe(2);
    },
  );

  test('is called once when the calls of a turn are refused one by one', async () => {
    const server = await startGuarded('Bearer t2');
    const source = tokens();
    const client = clientFor(server, { credentials: source.give, pipeline: false });
    await Promise.all(keys(50).map((key) => client.get(key)));
    expect(source.count).toBe(2);
    expect(server.shown('Get')).toEqual([
      ...Array<string>(50).fill('Bearer t1'),
      ...Array<string>(50).fill('Bearer t2'),
    ]);
  });

  test('whose second result is refused as well ends the call with that', async () => {
    const server = await startGuarded('Bearer t5');
    const source = tokens();
    const client = clientFor(server, { credentials: source.give });
    expect(await failureOf(client.put('a', '1'))).toMatchObject({
      code: 'unauthenticated',
      mayHaveTakenEffect: false,
    });
    expect(server.shown('Put')).toEqual(['Bearer t1', 'Bearer t2']);
    // The next call begins anew.
    expect(await failureOf(client.put('a', '1'))).toMatchObject({ code: 'unauthenticated' });
    expect(server.shown('Put')).toEqual(['Bearer t1', 'Bearer t2', 'Bearer t2', 'Bearer t3']);
  });

  test('that gives what was refused, and then others, serves all calls again', async () => {
    const server = await startGuarded('Bearer t1');
    let token = 't1';
    let count = 0;
    const credentials = (): Credentials => ((count += 1), { token });
    const client = clientFor(server, { credentials, pipeline: false });
    await client.get('a');
    server.replace('Bearer t1', 'Bearer t2');
    const failures = await Promise.all([failureOf(client.get('a')), failureOf(client.get('b'))]);
    expect(failures).toMatchObject([{ code: 'unauthenticated' }, { code: 'unauthenticated' }]);
    expect(server.shown('Get')).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t1']);
    expect(count).toBe(2);
    token = 't2';
    await Promise.all([client.get('a'), client.get('b')]);
    expect(count).toBe(3);
  });

  test('leaves the count of retries as it is', async () => {
    let tries = 0;
    const source = tokens();
    const { client } = clientOf(
      (router) =>
        void router.service(KvService, {
          get: (_, { requestHeader }) => {
            tries++;
            if (requestHeader.get('authorization') === 'Bearer t1')
              throw kelpFailure(Code.Unauthenticated, 22);
            if (tries < 4) throw kelpFailure(Code.Unavailable, 14);
            return {};
          },
        }),
      { credentials: source.give, retries: 2 },
    );
    await client.get('a');
    expect(tries).toBe(4);
  });

  test('keeps a watch going, without a word, when its credentials are not valid any more', async () => {
    const server = await startGuarded('Bearer t1');
    const source = tokens();
    const client = clientFor(server, { credentials: source.give });
    const interruptions: unknown[] = [];
    const watch = client.watch({ onInterrupted: (error) => interruptions.push(error) });
    expect((await watch.next()).value).toMatchObject({ kind: 'events', revision: 1 });
    for (let count = 1; count <= 3; count++) {
      server.replace(`Bearer t${count}`, `Bearer t${count + 1}`);
      expect((await watch.next()).value).toMatchObject({ kind: 'events', revision: count + 1 });
    }
    expect(interruptions).toEqual([]);
    expect(source.count).toBe(4);
    await watch.return();
  });

  test('ends a watch whose new credentials are refused, too', async () => {
    const server = await startGuarded('Bearer t1');
    const client = clientFor(server, { credentials: tokens().give });
    const watch = client.watch();
    await watch.next();
    server.replace('Bearer t1', 'Bearer none');
    expect(await failureOf(watch.next())).toMatchObject({ code: 'unauthenticated' });
    expect(server.shown('Watch')).toEqual(['Bearer t1', 'Bearer t2']);
  });

  test('keeps a watch going that has begun when it fails for a while', async () => {
    const server = await startGuarded('Bearer t1');
    let failures = 0;
    let given = 0;
    const credentials = (): Credentials => {
      if (given === 1 && failures < 3) throw new Error(`vault is down ${++failures}`);
      return { token: `t${++given}` };
    };
    const client = createClient({ address: server.url, credentials }, new FakePace());
    onTestFinished(() => client.close());
    const interruptions: unknown[] = [];
    const watch = client.watch({ onInterrupted: (error) => interruptions.push(error) });
    await watch.next();
    server.replace('Bearer t1', 'Bearer t2');
    expect((await watch.next()).value).toMatchObject({ kind: 'events', revision: 2 });
    expect(failures).toBe(3);
    expect(interruptions).toMatchObject([{ code: 'unauthenticated' }]);
    await watch.return();
  });

  test('lets a scan go on behind its last chunk', async () => {
    const server = await startGuarded('Bearer t1');
    const source = tokens();
    const client = clientFor(server, { credentials: source.give });
    const found: string[] = [];
    for await (const { key } of client.scan()) {
      found.push(key);
      if (found.length === 1) server.replace('Bearer t1', 'Bearer t2');
    }
    expect(found).toEqual(['k0', 'k1', 'k2']);
    expect(server.shown('ScanStream')).toEqual(['Bearer t1', 'Bearer t2']);
    expect(source.count).toBe(2);
  });

  test('is not called again for a stream that was refused what has been replaced since', async () => {
    const server = await startGuarded('Bearer t1');
    const source = tokens();
    const client = clientFor(server, { credentials: source.give });
    const scan = client.scan()[Symbol.asyncIterator]();
    await scan.next();
    server.replace('Bearer t1', 'Bearer t2');
    await client.get('a');
    await scan.next();
    expect(source.count).toBe(2);
    await scan.return?.();
  });

  test('lets a backup begin', async () => {
    const server = await startGuarded('Bearer t2');
    const client = clientFor(server, { credentials: tokens().give });
    const pieces: string[] = [];
    for await (const piece of client.admin.backup()) pieces.push(Buffer.from(piece).toString());
    expect(pieces).toEqual(['backup']);
    expect(server.shown('Backup')).toEqual(['Bearer t1', 'Bearer t2']);
  });

  test('lets a lease live on', async () => {
    const server = await startGuarded('Bearer t1');
    const client = clientFor(server, { credentials: tokens().give });
    const lease = await client.leases.grant(60_000);
    server.replace('Bearer t1', 'Bearer t2');
    await lease.renew();
    expect(server.shown('Renew')).toEqual(['Bearer t1', 'Bearer t2']);
  });

  test('that fails is the error of the call, and is called again for the next', async () => {
    const server = await startGuarded('Bearer right');
    const cause = new Error('vault is down');
    let isDown = true;
    const credentials = (): Credentials => {
      if (isDown) throw cause;
      return { token: 'right' };
    };
    const client = clientFor(server, { credentials });
    const failure = await failureOf(client.put('a', '1'));
    expect(failure).toMatchObject({
      code: 'unauthenticated',
      message: 'no credentials: the function credentials failed: vault is down',
      mayHaveTakenEffect: false,
      cause: { cause },
    });
    expect(await failureOf(client.watch().next())).toMatchObject({ code: 'unauthenticated' });
    expect(server.seen).toEqual([]);
    isDown = false;
    await client.put('a', '1');
  });

  test.each([
    [undefined, 'what the function credentials gave is missing; it must be { user, password } or { token }'],
    ['s3cret', 'what the function credentials gave is of type string; it must be'],
    [{ token: 's3cret\n' }, 'what the function credentials gave.token has a line break or space around it'],
  ])('that gives %j is told what is wrong', async (given, message) => {
    const server = await startGuarded();
    const failure = await failureOf(
      clientFor(server, { credentials: (() => given) as unknown as () => Credentials }).get('a'),
    );
    expect(failure).toMatchObject({ code: 'invalidArgument' });
    expect((failure as Error).message).toContain(message);
    expect((failure as Error).message).not.toContain('s3cret');
  });

  test('that gives nothing lets a call end by its deadline, its signal and the end of the client', async () => {
    const server = await startGuarded();
    const client = clientFor(server, { credentials: () => new Promise<never>(() => undefined) });
    expect(await failureOf(client.get('a', { deadlineMs: 1 }))).toMatchObject({ code: 'deadlineExceeded' });
    const controller = new AbortController();
    const canceled = failureOf(client.get('a', { signal: controller.signal }));
    controller.abort();
    expect(await canceled).toMatchObject({ code: 'canceled', mayHaveTakenEffect: false });
    const closed = failureOf(client.put('a', '1'));
    const watched = client.watch().next();
    client.close();
    expect(await closed).toMatchObject({ code: 'closed', mayHaveTakenEffect: false });
    expect(await watched).toMatchObject({ done: true });
    expect(server.seen).toEqual([]);
  });
});

test('a program does not end while a call of it waits for credentials', async () => {
  const program = `
    import { createClient } from ${JSON.stringify(new URL('../../src/client/client.ts', import.meta.url).href)};
    const credentials = () => new Promise(() => undefined);
    const client = createClient({ address: '127.0.0.1:1', credentials, deadlineMs: 50 });
    await client.get('a').catch(({ code }) => console.log(code));
    const watch = client.watch();
    await watch.next().catch(({ code }) => console.log(code));`;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
  expect(stdout.trim().split('\n')).toEqual(['deadlineExceeded', 'deadlineExceeded']);
});

describe('in plain text', () => {
  const credentials = { token: 's3cret' };

  test.each(['kelp.example:7379', 'http://10.0.0.1:7379', '0.0.0.0', 'localhost.example', 'http://[::2]'])(
    'credentials are not sent to %s, which is another machine',
    (address) => {
      expect(() => createClient({ address, credentials })).toThrow(
        /in plain text.*allowPlaintextCredentials/,
      );
      createClient({ address, credentials, allowPlaintextCredentials: true }).close();
      createClient({ address }).close();
    },
  );

  test.each(['127.0.0.1:7379', '127.1', 'localhost', 'http://[::1]:7379', ':7379', 'unix:/run/kelp.sock'])(
    'they are to %s, which is this machine',
    (address) => createClient({ address, credentials }).close(),
  );

  test('they are where TLS is, and over a transport of the user', () => {
    createClient({ address: 'https://kelp.example', credentials }).close();
    createClient({ address: 'kelp.example', tls: true, credentials }).close();
    const transport = createGrpcTransport({ baseUrl: 'https://kelp.example' });
    createClient({ address: 'kelp.example', transport, credentials }).close();
  });
});

test.each([
  ['s3cret', 'credentials is of type string; it must be { user, password } or { token } or a function'],
  [{ token: 's3cret\n' }, 'credentials.token has a line break or space around it; give it without'],
  [{ token: undefined }, 'credentials.token is missing; it must be text'],
  [
    { user: 'a:b', password: 's3cret' },
    'credentials.user has a colon, which no user with a password has in its name',
  ],
  [{ user: 'ada', pasword: 's3cret' }, 'credentials has no member "pasword" (did you mean "password"?)'],
  [{ user: 'ada', password: 4711 }, 'credentials.password is of type number; it must be text'],
  [{ token: 'a', password: 's3cret' }, 'credentials has a token and a user or password'],
])('credentials %j are refused, with what is wrong and no secret', (credentials, message) => {
  const options = { address: '127.0.0.1', credentials } as ClientOptions;
  expect(() => createClient(options)).toThrow(message);
  expect(() => createClient(options)).not.toThrow(/s3cret|4711/);
});

test('no secret shows in the client, its parts and its errors', async () => {
  const server = await startGuarded();
  const basic = clientFor(server, { credentials: { user: 'ada', password: 's3cret' } });
  let count = 0;
  const bearer = clientFor(server, { credentials: () => ({ token: `s3cret${++count}` }) });
  const header = Buffer.from('ada:s3cret').toString('base64');
  for (const client of [basic, bearer]) {
    const watch = client.watch();
    const failures = await Promise.all([
      failureOf(client.get('a')),
      failureOf(Promise.all(keys(limits.pipelineCallsMin).map((key) => client.get(key)))),
      failureOf(client.scan().toArray()),
      failureOf(watch.next()),
    ]);
    for (const each of [client, client.access, client.admin, client.leases, watch, ...failures]) {
      const text = inspect(each, { depth: 20, showHidden: true }) + JSON.stringify(each);
      expect(text).not.toContain('s3cret');
      expect(text).not.toContain(header);
    }
  }
  expect(server.seen.length).toBeGreaterThan(8);
});
