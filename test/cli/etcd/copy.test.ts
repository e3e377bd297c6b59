/** `kelp import --from-etcd --no-follow` beside Debian's etcd: what is copied, and what is refused. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hasRealEtcd } from '../../server/etcd/support/real-etcd.ts';
import { freePort } from '../../support/free-port.ts';
import { startTestServer, temporaryDirectory } from '../../support/test-server.ts';
import { Kelp, jsonLines } from '../kelp.ts';
import { bytes, clientOf, putAll, startEtcd, stateOfEtcd, stateOfKelp } from './support.ts';

test.runIf(hasRealEtcd)('copies all keys of one revision, in pages, while etcd is written to', async () => {
  const { endpoint, calls } = await startEtcd();
  const entries = Array.from(
    { length: 20_000 },
    (_, index) =>
      [
        bytes(`key/${index}${index % 3 === 0 ? '\xff\x00\xfe' : ''}`),
        bytes(`\x00value ${index}\xff`),
      ] as const,
  );
  await putAll(calls, [...entries, [bytes('empty'), bytes('')], [bytes('\x00'), bytes('the first key')]]);
  const server = await startTestServer();
  const kelp = new Kelp(server.address);
  const over = new AbortController();
  const writes = (async () => {
    for (let index = 0; !over.signal.aborted; index++) {
      await calls.kv.put({ key: bytes(`key/${index}`), value: bytes('later') });
      await calls.kv.deleteRange({ key: bytes(`key/${19_999 - index}`) });
      await calls.kv.put({ key: bytes(`new/${index}`), value: bytes('later') });
    }
  })();
  const [copied, end] = (await kelp.json('import', '--from-etcd', endpoint, '--no-follow')) as {
    kind: string;
    revision: number;
    writtenCount: number;
  }[];
  over.abort();
  await writes;
  const revision = copied?.revision ?? 0;
  const expected = await stateOfEtcd(calls, BigInt(revision));
  expect(copied).toMatchObject({
    kind: 'copied',
    writtenCount: expected.size,
    skippedCount: 0,
    expiredCount: 0,
  });
  expect(end).toMatchObject({ kind: 'end', revision });
  expect(await stateOfKelp(clientOf(server.address))).toEqual(expected);
});

test.runIf(hasRealEtcd)('values of very different lengths are copied in pages that fit', async () => {
  const { endpoint, calls } = await startEtcd();
  for (let index = 0; index < 300; index++) {
    const value = Buffer.alloc(index > 200 && index < 212 ? 1_400_000 : 1, index);
    await calls.kv.put({ key: bytes(`key/${String(index).padStart(4, '0')}`), value });
  }
  const server = await startTestServer();
  const kelp = new Kelp(server.address);
  expect(await kelp.text('import', '--from-etcd', `http://${endpoint}/`, '--no-follow')).toBe(
    'revision 301 of etcd: 300 keys written\n',
  );
  expect(await stateOfKelp(clientOf(server.address))).toEqual(await stateOfEtcd(calls));
});

test.runIf(hasRealEtcd)('gives keys of leases the time that their leases have left', async () => {
  const { endpoint, calls } = await startEtcd();
  const { ID: long } = await calls.lease.leaseGrant({ TTL: 1000n });
  const { ID: longer } = await calls.lease.leaseGrant({ TTL: 5000n, ID: 2n ** 62n + 1n });
  for (const [key, lease] of [
    ['long/1', long],
    ['long/2', long],
    ['longer', longer],
    ['none', 0n],
  ] as const) {
    await calls.kv.put({ key: bytes(key), value: bytes('x'), lease });
  }
  const server = await startTestServer();
  const kelp = new Kelp(server.address);
  await kelp.text('import', '--from-etcd', endpoint, '--no-follow');
  const left = new Map<string, number>();
  for await (const { key, expireTimeMs } of clientOf(server.address).scan()) left.set(key, expireTimeMs);
  const nowMs = Date.now();
  // Neither clock stands still, and etcd tells whole seconds.
  for (const [key, ttlMs] of [
    ['long/1', 1_000_000],
    ['long/2', 1_000_000],
    ['longer', 5_000_000],
  ] as const) {
    expect((left.get(key) ?? 0) - nowMs).toBeLessThanOrEqual(ttlMs + 1000);
    expect((left.get(key) ?? 0) - nowMs).toBeGreaterThan(ttlMs - 120_000);
  }
  expect(left.get('none')).toBe(0);
});

test.runIf(hasRealEtcd)('treats a key that is there as an import of a file does', async () => {
  const { endpoint, calls } = await startEtcd();
  await putAll(calls, [
    [bytes('a'), bytes('etcd')],
    [bytes('b'), bytes('etcd')],
  ]);
  const server = await startTestServer();
  const kelp = new Kelp(server.address);
  const client = clientOf(server.address);
  await client.put('a', 'mine');
  const from = ['import', '--from-etcd', endpoint, '--no-follow'];
  const { code, stderr } = await kelp.run(from);
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^kelp: the key "a" \(entry 1\) is there already; .*; nothing was written\n$/),
  ]);
  expect(await kelp.text(...from, '--dry-run', '--on-conflict', 'skip')).toBe(
    'revision 2 of etcd: 1 key would be written, 1 left as they are\n',
  );
  expect(await stateOfKelp(client)).toEqual(new Map([['a', 'mine']]));
  expect(await kelp.text(...from, '--on-conflict', 'skip')).toBe(
    'revision 2 of etcd: 1 key written, 1 left as they are\n',
  );
  expect(await stateOfKelp(client)).toEqual(
    new Map([
      ['a', 'mine'],
      ['b', 'etcd'],
    ]),
  );
  expect(await kelp.text(...from, '--on-conflict', 'replace')).toBe('revision 2 of etcd: 2 keys written\n');
  expect(await stateOfKelp(client)).toEqual(
    new Map([
      ['a', 'etcd'],
      ['b', 'etcd'],
    ]),
  );
});

test.runIf(hasRealEtcd)('copies a part, of keys that begin alike', async () => {
  const { endpoint, calls } = await startEtcd();
  await putAll(
    calls,
    ['a', 'p', 'p/1', 'p/2', 'p\xff', 'q'].map((key) => [bytes(key), bytes('x')] as const),
  );
  const dataDir = await temporaryDirectory();
  const kelp = new Kelp('127.0.0.1:1');
  await kelp.text('import', '--from-etcd', endpoint, '--no-follow', '--prefix', 'p', '--data-dir', dataDir);
  const lines = jsonLines(await kelp.text('export', '--data-dir', dataDir)) as { key?: string }[];
  expect(lines).toHaveLength(4);
});

test.runIf(hasRealEtcd)('names a key or value that is too long, and leaves out nothing unsaid', async () => {
  const { endpoint, calls } = await startEtcd();
  const server = await startTestServer({ flags: { 'value-bytes-max': '1000' } });
  const kelp = new Kelp(server.address);
  await putAll(calls, [
    [bytes('a'), bytes('x')],
    [bytes('b'), Buffer.alloc(1001)],
    [bytes('c'), bytes('x')],
  ]);
  const from = ['import', '--from-etcd', endpoint, '--no-follow', '--on-conflict', 'replace'];
  const tooLong = await kelp.run(from);
  expect(tooLong.code).toBe(2);
  expect(tooLong.stderr).toMatch(
    /^kelp: the key "b" \(entry 2\): .*1000.*; the copy is not whole, 1 keys of it are written/,
  );
  await calls.kv.put({ key: bytes('b'), value: bytes('x') });
  await calls.kv.put({ key: bytes('k'.repeat(4097)), value: bytes('x') });
  const longKey = await kelp.run(from);
  expect(longKey.code).toBe(2);
  expect(longKey.stderr).toMatch(/^kelp: the key "kkk.*4096/);
});

test.runIf(hasRealEtcd)('logs in to an etcd with users, by a password or a token', async () => {
  const { endpoint, calls } = await startEtcd();
  await calls.kv.put({ key: bytes('a'), value: bytes('x') });
  await calls.auth.userAdd({ name: 'root', password: 'secret' });
  await calls.auth.userGrantRole({ user: 'root', role: 'root' });
  await calls.auth.authEnable({});
  const server = await startTestServer();
  const kelp = new Kelp(server.address);
  const folder = await temporaryDirectory();
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const from = ['import', '--from-etcd', endpoint, '--no-follow', '--on-conflict', 'replace'];
  expect(await kelp.run(from)).toMatchObject({
    code: 4,
    stderr: expect.stringMatching(
      /etcd at http:\S+: .*user name is empty; it asks for a login: give --etcd-user with/,
    ) as string,
  });
  const wrong = await kelp.run([
    ...from,
    '--etcd-user',
    'root',
    '--etcd-password-file',
    await file('wrong', 'x\n'),
  ]);
  expect(wrong).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('authentication failed') as string,
  });
  const password = ['--etcd-user', 'root', '--etcd-password-file', await file('password', 'secret\n')];
  expect(await kelp.text(...from, ...password)).toMatch(/1 key written/);
  const { token } = await calls.auth.authenticate({ name: 'root', password: 'secret' });
  expect(await kelp.text(...from, '--etcd-token-file', await file('token', token))).toMatch(/1 key written/);
});

test.runIf(hasRealEtcd)('reads an etcd with TLS, and another member where one is not there', async () => {
  const port = await freePort();
  const endpoint = `127.0.0.1:${port}`;
  await startEtcd([
    // The later of two options counts.
    `--listen-client-urls=https://${endpoint}`,
    `--advertise-client-urls=https://${endpoint}`,
    '--cert-file=test/support/tls/cert.pem',
    '--key-file=test/support/tls/key.pem',
    // What is asked of those who come is a certificate that this one has signed: it has signed itself.
    '--trusted-ca-file=test/support/tls/cert.pem',
    '--client-cert-auth',
  ]);
  const server = await startTestServer();
  const kelp = new Kelp(server.address);
  const run = (...args: string[]) => kelp.run(['import', '--no-follow', '--from-etcd', ...args]);
  const ca = ['--etcd-ca', 'test/support/tls/cert.pem'];
  const own = ['--etcd-cert', 'test/support/tls/cert.pem', '--etcd-key', 'test/support/tls/key.pem'];
  expect(await run(`https://127.0.0.1:1,https://${endpoint}`, ...ca, ...own)).toMatchObject({
    code: 0,
    stdout: 'revision 1 of etcd: 0 keys written\n',
  });
  expect((await run(endpoint)).stderr).toMatch(/etcd at .* speaks TLS; write https:\/\/ before its address/);
  expect((await run(`https://${endpoint}`, ...own)).stderr).toMatch(/is not trusted: .*--etcd-ca/);
  expect((await run(`https://${endpoint}`, ...ca)).code).not.toBe(0);
});

test('says what is wrong with an endpoint, and what does not go together', async () => {
  const server = await startTestServer();
  const kelp = new Kelp(server.address);
  const run = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await kelp.run(['import', ...args]);
    return `${code} ${stderr.trim()}`;
  };
  expect(await run('--from-etcd', '127.0.0.1:1', '--no-follow')).toBe(
    "3 kelp: can't reach etcd at http://127.0.0.1:1: connection refused; is it running?; nothing was written",
  );
  // The metrics of no etcd.
  expect(await run('--from-etcd', `https://${server.address}`)).toMatch(/^[34] kelp: .*nothing was written$/);
  expect(await run('--from-etcd', 'a b')).toMatch(/^2 kelp: the endpoint "a b" can't be read/);
  expect(await run('--from-etcd', '127.0.0.1:1,')).toMatch(/^2 kelp: an endpoint is empty/);
  expect(await run('--from-etcd', '127.0.0.1:1', '--on-conflict', 'skip')).toMatch(
    /^2 kelp: what is skipped can't be followed/,
  );
  expect(await run('--from-etcd', '127.0.0.1:1', '--etcd-ca', 'x')).toMatch(
    /^2 kelp: --etcd-ca, .* https:\/\//,
  );
  expect(await run('--from-etcd', 'etcd.example:2379', '--etcd-token-file', '/dev/null')).toMatch(
    /^2 kelp: /,
  );
  expect(await run('--from-etcd', '127.0.0.1:1', 'file.jsonl')).toMatch(/^2 kelp: .*leave the file out/);
  expect(await run('--from-revision', '7')).toBe('2 kelp: --from-revision is for an import with --from-etcd');
  expect(await run('--no-follow')).toBe('2 kelp: --no-follow is for an import with --from-etcd');
});
