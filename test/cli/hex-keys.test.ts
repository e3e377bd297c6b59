/** Keys that are not UTF-8 on the command line and in what it prints. */
import { beforeEach, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { type TestServer, startTestServer } from '../support/test-server.ts';
import { Kelp } from './kelp.ts';

let kelp: Kelp;
let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
  kelp = new Kelp(server.address);
  await using client = createClient({ address: server.address });
  for (const key of ['a', Uint8Array.of(0xff), '0xff', Uint8Array.of(0x61, 0xc3)]) await client.put(key, '1');
});

test('a key that is not UTF-8 is shown in hexadecimal digits, and no other key like it', async () => {
  expect(await kelp.text('keys')).toBe('"0xff"\na\n0x61c3\n0xff\n');
  expect(await kelp.text('scan', '--keys-only')).toBe('"0xff"\na\n0x61c3\n0xff\n');
  expect(await kelp.text('scan', '--start', 'b')).toMatch(/^KEY .*\n0xff {2}"1" /);
});

test('with --hex-keys all keys are typed and printed so, and what is printed can be typed', async () => {
  expect(await kelp.text('keys', '--hex-keys')).toBe('30786666\n61\n61c3\nff\n');
  expect(await kelp.text('get', '--hex-keys', 'ff')).toBe('1');
  expect(await kelp.text('get', '--hex-keys', '0xFF')).toBe('1');
  expect(await kelp.text('put', '--hex-keys', 'fe', '2', '--previous')).toBe('revision 5\nprevious none\n');
  expect(await kelp.text('incr', '--hex-keys', 'fe', '5')).toBe('7\n');
  expect(await kelp.text('touch', '--hex-keys', 'fe', '--ttl', '1h')).toMatch(/^revision 7, expires in /);
  expect(await kelp.run(['exists', '--hex-keys', 'fe', '61', 'fd'])).toMatchObject({
    code: 1,
    stdout: 'KEY  EXISTS\nfe   yes\n61   yes\nfd   no\n',
  });
  expect(await kelp.text('scan', '--hex-keys', '--prefix', '61', '--keys-only')).toBe('61\n61c3\n');
  expect(await kelp.text('scan', '--hex-keys', '--start', '61c3', '--end', 'ff', '--count')).toBe('2\n');
  expect(await kelp.text('delete', '--hex-keys', 'fe')).toBe('revision 8\n');
  expect(await kelp.run(['delete', '--hex-keys', 'fe'])).toMatchObject({
    code: 1,
    stderr: 'kelp: there is no key fe\n',
  });
  expect(await kelp.text('delete', '--hex-keys', '--prefix', '61c3')).toBe('deleted 1, revision 9\n');
});

test.each(['f', 'fg', '0xf', 'ff ', 'é'])('%j is no key in hexadecimal digits', async (key) => {
  expect(await kelp.run(['get', '--hex-keys', key])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: `kelp: "${key}" is no key in hexadecimal digits, two for each byte, as --hex-keys asks for\n`,
  });
});

test('a range that is empty in hexadecimal digits is refused as any', async () => {
  for (const empty of ['', '0x']) {
    expect(await kelp.run(['delete', '--hex-keys', '--prefix', empty])).toMatchObject({ code: 2 });
  }
  expect(await kelp.text('scan', '--count')).toBe('4\n');
});

test('JSON has a key that is not UTF-8 in base64, with --hex-keys too', async () => {
  expect(await kelp.json('keys')).toEqual([
    { key: '0xff' },
    { key: 'a' },
    { key: '', keyBytes: 'YcM=' },
    { key: '', keyBytes: '/w==' },
  ]);
  expect(await kelp.json('get', '--hex-keys', 'ff')).toMatchObject([
    { entry: { key: '', keyBytes: '/w==', value: '1' } },
  ]);
  expect(await kelp.json('exists', '--hex-keys', 'ff', '61')).toMatchObject([
    {
      keys: [
        { key: '', keyBytes: '/w==', exists: true },
        { key: 'a', exists: true },
      ],
    },
  ]);
});

test('a lease lists them', async () => {
  await kelp.text('lease', 'grant', '1h', '--id', '7');
  await kelp.text('put', '--hex-keys', 'fe', '1', '--lease', '7');
  await kelp.text('put', 'a', '1', '--lease', '7');
  expect(await kelp.text('lease', 'get', '7', '--keys')).toMatch(/\n {2}a\n {2}0xfe\n$/);
  expect(await kelp.text('lease', 'get', '7', '--keys', '--hex-keys')).toMatch(/\n {2}61\n {2}fe\n$/);
  expect(await kelp.json('lease', 'get', '7', '--keys')).toMatchObject([{ keys: ['a', { base64: '/g==' }] }]);
});

test('a transaction has them in base64', async () => {
  const txn = JSON.stringify({
    compares: [{ keyBytes: '/w==', relation: 'equal', value: '1' }],
    success: [
      { put: { keyBytes: '/g==', value: '2' } },
      { get: { keyBytes: '/w==' } },
      { deleteRange: { range: { prefixBytes: 'YcM=' } } },
    ],
  });
  expect((await kelp.run(['txn', '-'], { stdin: txn })).stdout).toBe(
    'succeeded, revision 5\nOPERATION    KEY      RESULT\nput          0xfe     written\nget          0xff     "1"\ndeleteRange  0x61c3*  1 deleted\n',
  );
  const both = '{"success": [{"get": {"key": "a", "keyBytes": "/w=="}}]}';
  expect(await kelp.run(['txn', '-'], { stdin: both })).toMatchObject({
    code: 2,
    stderr: 'kelp: success[0].get.key and success[0].get.keyBytes are both given; give one of them\n',
  });
});

test('a watch and the log print them', async () => {
  await kelp.text('delete', '--hex-keys', 'ff');
  const watched = async (...flags: string[]): Promise<string> => {
    let seen = '';
    const { promise, resolve } = Promise.withResolvers<void>();
    // It goes on until its server stops.
    void kelp.run(['watch', '--from-revision', '2', '--hex-keys', 'ff', ...flags], {
      onOutput: (text) => {
        seen += text;
        if (seen.includes('delete')) resolve();
      },
    });
    await promise;
    return seen;
  };
  expect(await watched()).toBe('2  put      ff  "1"\n5  delete   ff\n');
  expect(await watched('--json')).toContain('"type":"delete","key":"","keyBytes":"/w==","modRevision":5');
  await server.stop();
  expect(await kelp.text('log', server.dataDir)).toMatch(/put +0xff {2}1 byte/);
  expect(await kelp.text('log', server.dataDir, '--json')).toContain(
    '"type":"put","key":"","keyBytes":"/w=="',
  );
});
