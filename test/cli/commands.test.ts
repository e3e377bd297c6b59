/** The commands against a server, each as a person or a script would type it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { fixed } from '../../src/limits.ts';
import { eventually } from '../support/eventually.ts';
import { startTestServer, temporaryDirectory } from '../support/test-server.ts';
import { Kelp, jsonLines } from './kelp.ts';
import { engineOfTests } from '../support/test-engine.ts';

let kelp: Kelp;
let address: string;
beforeEach(async () => {
  ({ address } = await startTestServer());
  kelp = new Kelp(address);
});

test.each(
  [
    [
      'serve',
      'get',
      'exists',
      'keys',
      'scan',
      'put',
      'delete',
      'incr',
      'touch',
      'txn',
      'watch',
      'lease',
      'stats',
      'top',
      'version',
      'completion',
    ],
    [
      'snapshot',
      'compact',
      'lease grant',
      'lease renew',
      'lease keep-alive',
      'lease revoke',
      'lease get',
      'lease list',
    ],
  ].flat(),
)('%s --help prints its help', async (command) => {
  const { code, stdout } = await kelp.run([...command.split(' '), '--help']);
  expect(stdout).toMatch(new RegExp(`^Usage: kelp ${command}`));
  expect(code).toBe(0);
});

describe('get', () => {
  test('prints the bytes of the value and nothing else', async () => {
    await kelp.run(['put', 'a', '-'], { stdin: new Uint8Array([0, 255, 10]) });
    const { bytes, code } = await kelp.run(['get', 'a']);
    expect([...bytes]).toEqual([0, 255, 10]);
    expect(code).toBe(0);
  });

  test('on a terminal ends a text with a line and keeps what could harm it away', async () => {
    await kelp.text('put', 'a', 'text');
    await kelp.text('put', 'b', '\u001b[2J');
    expect(await kelp.run(['get', 'a'], { isTerminal: true })).toMatchObject({ stdout: 'text\n' });
    const unsafe = await kelp.run(['get', 'b'], { isTerminal: true });
    expect(unsafe.stdout).toBe('1b5b324a\n');
    expect(unsafe.stderr).toMatch(/redirect or pipe/);
  });

  test('exits with 1 and prints nothing when there is no such key', async () => {
    expect(await kelp.run(['get', 'a'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'kelp: there is no key a\n',
    });
    expect(await kelp.run(['get', 'a', '--json'])).toMatchObject({ code: 1, stdout: '{"revision":0}\n' });
  });

  test('reads old revisions', async () => {
    await kelp.text('put', 'a', 'old');
    await kelp.text('put', 'a', 'new');
    expect(await kelp.text('get', 'a', '--revision', '1')).toBe('old');
    const future = await kelp.run(['get', 'a', '--revision', '9']);
    expect(future).toMatchObject({ code: 4 });
  });

  test('prints the whole entry as JSON', async () => {
    await kelp.text('put', 'a', '1');
    await kelp.run(['put', 'b', '-'], { stdin: new Uint8Array([255]) });
    expect(await kelp.json('get', 'a')).toEqual([
      { entry: { key: 'a', value: '1', createRevision: 1, modRevision: 1, version: 1 }, revision: 2 },
    ]);
    expect(await kelp.json('get', 'b')).toMatchObject([{ entry: { value: { base64: '/w==' } } }]);
  });
});

describe('put', () => {
  test('takes its value from the command line, standard input or a file', async () => {
    const path = join(await temporaryDirectory(), 'value');
    await writeFile(path, 'from a file');
    expect(await kelp.text('put', 'a', 'typed')).toBe('revision 1\n');
    await kelp.run(['put', 'b', '-'], { stdin: 'from a pipe' });
    await kelp.text('put', 'c', '--file', path);
    await kelp.text('put', 'd', '');
    const values = await Promise.all(['a', 'b', 'c', 'd'].map((key) => kelp.text('get', key)));
    expect(values).toEqual(['typed', 'from a pipe', 'from a file', '']);
  });

  test.each([[[]], [['1', '--file', 'x']], [['--file', '/no/such/file']]])(
    'refuses %j for a value',
    async (args) => {
      expect(await kelp.run(['put', 'a', ...args])).toMatchObject({ code: 2, stdout: '' });
    },
  );

  test('exits with 1 when its condition does not hold', async () => {
    expect((await kelp.run(['put', 'a', '1', '--if-exists'])).code).toBe(1);
    expect((await kelp.run(['put', 'a', '1', '--if-absent'])).code).toBe(0);
    expect((await kelp.run(['put', 'a', '2', '--if-absent'])).code).toBe(1);
    expect((await kelp.run(['put', 'a', '2', '--if-revision', '7'])).code).toBe(1);
    expect((await kelp.run(['put', 'a', '2', '--if-revision', '1'])).code).toBe(0);
    expect((await kelp.run(['put', 'a', '3', '--if-absent', '--if-exists'])).code).toBe(2);
    expect(await kelp.text('get', 'a')).toBe('2');
  });

  test('shows the entry before', async () => {
    expect(await kelp.text('put', 'a', '1', '--previous')).toBe('revision 1\nprevious none\n');
    expect(await kelp.text('put', 'a', '2', '--previous')).toBe('revision 2\nprevious "1" of revision 1\n');
    expect(await kelp.json('put', 'a', '3', '--previous')).toMatchObject([{ previous: { value: '2' } }]);
  });

  test('sets a time to live', async () => {
    await kelp.text('put', 'a', '1', '--ttl', '1h');
    const [{ entry }] = (await kelp.json('get', 'a')) as [{ entry: { expireTime: string } }];
    const remainingMs = Date.parse(entry.expireTime) - Date.now();
    expect(remainingMs).toBeGreaterThan(3_590_000);
    expect(remainingMs).toBeLessThanOrEqual(3_600_000);
  });
});

describe('delete', () => {
  test('exits with 1 when there is nothing to delete', async () => {
    await kelp.text('put', 'a', '1');
    expect(await kelp.text('delete', 'a', '--previous')).toBe('revision 2\nprevious "1" of revision 1\n');
    expect(await kelp.run(['del', 'a'])).toMatchObject({ code: 1, stderr: 'kelp: there is no key a\n' });
    expect(await kelp.run(['delete', 'a', '--json'])).toMatchObject({
      code: 1,
      stdout: '{"revision":2,"deleted":false}\n',
    });
  });

  test('deletes a range at once', async () => {
    for (const key of ['a/1', 'a/2', 'b/1', 'c/1']) await kelp.text('put', key, '1');
    expect(await kelp.text('delete', '--prefix', 'a/')).toBe('deleted 2, revision 5\n');
    expect(await kelp.text('delete', '--start', 'c', '--end', 'd')).toBe('deleted 1, revision 6\n');
    expect(await kelp.text('delete', '--prefix', 'a/')).toBe('deleted 0, revision 6\n');
    expect(await kelp.text('delete', '--all')).toBe('deleted 1, revision 7\n');
    expect(await kelp.text('delete', '--all', '--json')).toBe(
      '{"deletedCount":0,"firstRevision":7,"revision":7}\n',
    );
  });

  test('deletes a range in several revisions where that is asked for', async () => {
    const count = fixed.deletePartKeysMax + 1;
    const puts = Array.from({ length: count }, (_, index) => ({ put: { key: `k${index}`, value: '' } }));
    await kelp.run(['txn', '-'], { stdin: JSON.stringify({ success: puts }) });
    expect(await kelp.text('delete', '--prefix', 'k', '--in-parts')).toBe(
      `deleted ${count}, revisions 2 to 3\n`,
    );
    expect(await kelp.text('delete', '--all', '--in-parts')).toBe('deleted 0, revision 3\n');
  });

  test.each([
    [[]],
    [['--prefix', '']],
    [['--start', '']],
    [['--start', 'a', '--end', '']],
    [['--all', '--prefix', '']],
    [['a', '--prefix', 'a']],
    [['--all', '--prefix', 'a']],
    [['--prefix', 'a', '--previous']],
    [['a', '--in-parts']],
  ])('deletes nothing for %j', async (args) => {
    await kelp.text('put', 'a', '1');
    expect(await kelp.run(['delete', ...args])).toMatchObject({ code: 2 });
    expect(await kelp.text('get', 'a')).toBe('1');
  });

  test('says how to delete all keys when a range is empty, and when there is none', async () => {
    for (const args of [[], ['--prefix', '']]) {
      expect((await kelp.run(['delete', ...args])).stderr).toContain('--all');
    }
  });
});

describe('exists', () => {
  test('answers for each key, and with 1 unless all exist', async () => {
    await kelp.text('put', 'a', '1');
    expect(await kelp.run(['exists', 'a', 'b'])).toMatchObject({
      code: 1,
      stdout: ['KEY  EXISTS', 'a    yes', 'b    no', ''].join('\n'),
    });
    expect(await kelp.json('exists', 'a')).toEqual([{ keys: [{ key: 'a', exists: true }], revision: 1 }]);
  });
});

describe('lists', () => {
  beforeEach(async () => {
    for (const key of ['user/2', 'user/1', 'user/3', 'x\ny']) await kelp.text('put', key, `v${key}`);
  });

  test('of keys match a glob', async () => {
    expect(await kelp.text('keys')).toBe('user/1\nuser/2\nuser/3\n"x\\ny"\n');
    expect(await kelp.text('keys', 'user/[12]', '--limit', '1')).toBe('user/1\n');
    expect(await kelp.json('keys', 'x*')).toEqual([{ key: 'x\ny' }]);
    expect(await kelp.run(['keys', '['])).toMatchObject({ code: 2 });
  });

  test('of entries are tables', async () => {
    const lines = (await kelp.text('scan', '--prefix', 'user/', '--limit', '2')).split('\n');
    expect(lines).toEqual([
      'KEY     VALUE      REVISION  VERSION  LEASE  EXPIRES IN',
      'user/1  "vuser/1"         2        1      -  -',
      'user/2  "vuser/2"         1        1      -  -',
      '',
    ]);
  });

  test('of entries are JSON, one in a line', async () => {
    const entries = await kelp.json('scan', '--start', 'user/2', '--end', 'user/9', '--reverse');
    expect(entries).toMatchObject([
      { key: 'user/3', value: 'vuser/3' },
      { key: 'user/2', value: 'vuser/2' },
    ]);
    expect(await kelp.json('scan', '--keys-only', '--limit', '1')).toEqual([
      { key: 'user/1', createRevision: 2, modRevision: 2, version: 1 },
    ]);
  });

  test('of entries can be only keys or their number', async () => {
    expect(await kelp.text('scan', '--prefix', 'user/', '--keys-only')).toBe('user/1\nuser/2\nuser/3\n');
    expect(await kelp.text('scan', '--prefix', 'user/', '--count')).toBe('3\n');
    expect(await kelp.text('scan', '--count', '--revision', '1')).toBe('1\n');
    expect(await kelp.json('scan', '--count')).toEqual([{ count: 4, revision: 4 }]);
    expect(await kelp.text('scan', '--prefix', 'none')).toBe('');
  });
});

describe('incr', () => {
  test('adds 1 or what is given, also less than 0', async () => {
    expect(await kelp.text('incr', 'n')).toBe('1\n');
    expect(await kelp.text('incr', 'n', '-5')).toBe('-4\n');
    expect(await kelp.json('incr', 'n', '9223372036854775807')).toEqual([
      { value: '9223372036854775803', revision: 3 },
    ]);
    expect(await kelp.run(['incr', 'n', '9223372036854775807'])).toMatchObject({ code: 4 });
    expect(await kelp.run(['incr', 'n', 'x'])).toMatchObject({ code: 2 });
  });
});

describe('touch', () => {
  test('starts a time to live anew, sets and ends it', async () => {
    await kelp.text('put', 'a', '1', '--ttl', '10m');
    expect(await kelp.text('touch', 'a')).toMatch(/^revision 2, expires in (10m|9m 59s)\n$/);
    expect(await kelp.text('touch', 'a', '--ttl', '2h')).toMatch(/^revision 3, expires in (2h|1h 59m)\n$/);
    expect(await kelp.text('touch', 'a', '--forever')).toBe('revision 4, lives for ever\n');
    expect(await kelp.run(['touch', 'b'])).toMatchObject({ code: 1 });
    const [answer] = await kelp.json('touch', 'a', '--ttl', '1h');
    expect(answer).not.toHaveProperty('entry.value');
  });
});

describe('txn', () => {
  const txn = JSON.stringify({
    compares: [{ key: 'a', exists: false }],
    success: [
      { put: { key: 'a', value: '1' } },
      { increment: { key: 'n', delta: 2 } },
      { delete: { key: 'b' } },
      { deleteRange: { range: { prefix: 'p/' } } },
    ],
    failure: [{ get: { key: 'a' } }, { get: { key: 'b' } }],
  });

  test('runs one of two lists, and exits with 1 when it is the second', async () => {
    expect(await kelp.run(['txn', '-'], { stdin: txn })).toMatchObject({
      code: 0,
      stdout: [
        'succeeded, revision 1',
        'OPERATION    KEY  RESULT',
        'put          a    written',
        'increment    n    2',
        'delete       b    no such key',
        'deleteRange  p/*  0 deleted',
        '',
      ].join('\n'),
    });
    const path = join(await temporaryDirectory(), 'txn.json');
    await writeFile(path, txn);
    expect(await kelp.run(['txn', path])).toMatchObject({
      code: 1,
      stdout:
        'failed, revision 1\nOPERATION  KEY  RESULT\nget        a    "1"\nget        b    no such key\n',
    });
    const { stdout } = await kelp.run(['txn', path, '--json']);
    expect(jsonLines(stdout)).toMatchObject([
      { succeeded: false, revision: 1, results: [{ get: { entry: { key: 'a', value: '1' } } }, { get: {} }] },
    ]);
  });

  test('refuses what is no transaction', async () => {
    expect(await kelp.run(['txn', '-'], { stdin: '{"succes": []}' })).toMatchObject({ code: 2 });
    expect(await kelp.run(['txn', '/no/such/file'])).toMatchObject({ code: 2 });
  });
});

describe('lease', () => {
  test('lives from grant to revoke', async () => {
    const id = (await kelp.text('lease', 'grant', '1h')).trim();
    await kelp.text('put', 'a', '1', '--lease', id);
    expect(await kelp.json('lease', 'get', id, '--keys')).toMatchObject([
      { leaseId: Number(id), ttlMs: 3_600_000, keyCount: 1, keys: ['a'] },
    ]);
    expect(await kelp.text('lease', 'get', id, '--keys')).toMatch(/time to live {2}1h\n[^]*\n {2}a\n$/);
    expect(await kelp.text('lease', 'list')).toContain(id);
    expect(await kelp.json('lease', 'list')).toMatchObject([{ leaseId: Number(id) }]);
    expect(await kelp.text('lease', 'renew', id)).toBe(`lease ${id} lives for 1h from now\n`);
    expect(await kelp.text('lease', 'revoke', id)).toMatch(/^deleted 1, revision \d+\n$/);
    for (const action of ['get', 'renew', 'revoke', 'keep-alive']) {
      expect(await kelp.run(['lease', action, id])).toMatchObject({ code: 1, stdout: '' });
    }
  });

  test('is kept alive until it is lost', async () => {
    await kelp.text('lease', 'grant', '1s', '--id', '7');
    const { promise: isKept, resolve } = Promise.withResolvers<void>();
    const keeping = kelp.run(['lease', 'keep-alive', '7', '--json'], { onOutput: () => resolve() });
    await isKept;
    await kelp.text('lease', 'revoke', '7');
    expect(await keeping).toMatchObject({ code: 1, stdout: '{"leaseId":7,"ttlMs":1000}\n' });
  });

  test('can have a chosen id, once', async () => {
    expect(await kelp.text('lease', 'grant', '1h', '--id', '7')).toBe('7\n');
    expect(await kelp.run(['lease', 'grant', '1h', '--id', '7'])).toMatchObject({ code: 4 });
    expect(await kelp.run(['lease', 'grant', '10ms'])).toMatchObject({ code: 2 });
  });
});

describe('watch', () => {
  /** Watches until the output holds a text, which it does not do by itself: the server is stopped under it. */
  async function watchUntil(args: string[], onOutput: (text: string) => void): Promise<void> {
    let seen = '';
    const { promise, resolve } = Promise.withResolvers<void>();
    void kelp.run(['watch', ...args], {
      onOutput: (text) => {
        seen += text;
        onOutput(seen);
        if (seen.includes('end')) resolve();
      },
    });
    await promise;
  }

  test('prints present entries, then changes', async () => {
    await kelp.text('put', 'config/a', '1');
    await kelp.text('put', 'other', '1');
    let output = '';
    const writing = (async () => {
      await eventually(() => output).toContain('current');
      await kelp.text('put', 'config/a', '2');
      await kelp.text('delete', 'config/a');
      await kelp.text('put', 'config/end', '3', '--ttl', '1h');
    })();
    await watchUntil(['--prefix', 'config/', '--current', '--previous'], (seen) => void (output = seen));
    await writing;
    expect(output).toBe(
      [
        '1  current  config/a  "1"',
        '3  put      config/a  "2"  (before: "1")',
        '4  delete   config/a  (before: "2")',
        '5  put      config/end  "3"',
        '',
      ].join('\n'),
    );
  });

  test('goes on from a revision, with JSON for scripts', async () => {
    for (const key of ['a', 'b', 'end']) await kelp.text('put', key, '1');
    await kelp.text('delete', 'b');
    let output = '';
    await watchUntil(
      ['a', 'b', 'end', '--from-revision', '2', '--json', '--keys-only'],
      (seen) => void (output = seen),
    );
    await eventually(() => jsonLines(output).length).toBeGreaterThan(3);
    expect(jsonLines(output)).toMatchObject([
      { kind: 'events', revision: 2, events: [{ type: 'put', entry: { key: 'b', modRevision: 2 } }] },
      { kind: 'events', revision: 3, events: [{ type: 'put', entry: { key: 'end' } }] },
      {
        kind: 'events',
        revision: 4,
        events: [{ type: 'delete', key: 'b', modRevision: 4, reason: 'requested' }],
      },
      { kind: 'synced', revision: 4 },
    ]);
    expect(output).not.toContain('value');
  });

  test('goes on from a place in no other history', async () => {
    await kelp.text('put', 'a', '1');
    const [status] = (await kelp.json('status')) as [{ readonly incarnation: string }];
    let output = '';
    const place = ['--from-revision', '2', '--json', '--incarnation'];
    const watching = watchUntil([...place, status.incarnation], (seen) => void (output = seen));
    await eventually(() => jsonLines(output).length).toBe(1);
    await kelp.text('put', 'end', '1');
    await watching;
    expect(jsonLines(output)).toMatchObject([
      { kind: 'synced', revision: 1, incarnation: status.incarnation },
      { kind: 'events', revision: 2, incarnation: status.incarnation },
    ]);
    const elsewhere = await kelp.run(['watch', ...place, 'f'.repeat(32)]);
    expect(elsewhere.code).toBe(4);
    expect(JSON.parse(elsewhere.stderr)).toMatchObject({
      error: {
        reason: 'HISTORY_DIFFERS',
        message: expect.stringContaining('Read the present state'),
        requestedRevision: 1,
        requestedIncarnation: 'f'.repeat(32),
        incarnation: status.incarnation,
      },
    });
  });

  test('says why it can not begin', async () => {
    expect(await kelp.run(['watch', '--from-revision', '99'])).toMatchObject({ code: 4 });
    expect(await kelp.run(['watch', '--events', 'moves'])).toMatchObject({ code: 2 });
    expect(await kelp.run(['watch', '--current', '--from-revision', '1'])).toMatchObject({ code: 2 });
    expect(await kelp.run(['watch', ''])).toMatchObject({ code: 2 });
  });
});

describe('operation', () => {
  test('shows the status', async () => {
    await kelp.text('put', 'a', '1');
    expect(await kelp.json('status', '--interval', '1ms')).toMatchObject([
      { version: '0.0.0-test', revision: 1, keyCount: 1 },
    ]);
    expect(await kelp.text('status', '--interval', '1ms')).toMatch(
      /^version +0\.0\.0-test\n[^]*\nrevision +1\nlife +[0-9a-f]{32}\nreadable +all revisions\n/,
    );
  });

  test('writes snapshots and drops history', async () => {
    for (const value of ['1', '2', '3']) await kelp.text('put', 'a', value);
    expect(await kelp.text('snapshot')).toMatch(/^revision 3, \d+ B\n$/);
    expect(await kelp.json('snapshot', '--timeout', '30s')).toMatchObject([{ revision: 3 }]);
    // A checkpoint of an engine on disk has shortened history to its revision.
    const oldest = engineOfTests() === undefined ? '2' : '3';
    expect(await kelp.text('compact', oldest)).toBe(`readable from revision ${oldest} on\n`);
    expect(await kelp.run(['get', 'a', '--revision', '1'])).toMatchObject({ code: 4 });
    expect(await kelp.run(['compact', '9'])).toMatchObject({ code: 4 });
  });

  test('merges the files of the engine, of which memory has none', async () => {
    kelp = new Kelp((await startTestServer({ flags: { engine: 'memory' } })).address);
    expect(await kelp.text('compact', '--storage')).toBe('nothing to merge: the engine has no files\n');
    expect(await kelp.json('compact', '--storage')).toEqual([{ diskBytesBefore: 0, diskBytes: 0 }]);
    expect(await kelp.run(['compact'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/name the oldest revision to keep, or give --storage/),
    });
    expect(await kelp.run(['compact', '2', '--storage'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--storage takes no revision/),
    });
  });
});

describe('mistakes', () => {
  test('name the nearest command or option, in one line', async () => {
    expect(await kelp.run(['gte', 'a'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: "kelp: unknown command 'gte' (Did you mean get?)\n",
    });
    expect(await kelp.run(['get', 'a', '--jason'])).toMatchObject({
      code: 2,
      stderr: "kelp: unknown option '--jason' (Did you mean --json?)\n",
    });
    expect(await kelp.run(['get', 'a', 'b'])).toMatchObject({ code: 2 });
    expect(await kelp.run(['get', ''])).toMatchObject({ code: 2 });
    expect(await kelp.run(['get', 'a', '--address', 'ftp://x'])).toMatchObject({ code: 2 });
    expect(await kelp.run(['get', 'a', '--timeout', '0s'])).toMatchObject({ code: 2 });
    expect(await kelp.run(['get', 'a', '--tls', '--tls-ca', '/no/such/file'])).toMatchObject({ code: 2 });
  });

  test('help and version are none', async () => {
    for (const written of ['-v', '--version', 'version']) {
      expect(await kelp.run([written])).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
        stderr: '',
      });
    }
    expect(await kelp.json('version')).toEqual([{ version: expect.stringMatching(/^\d+\.\d+\.\d+$/) }]);
    expect(await kelp.run(['help', 'txn'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('base64'),
    });
    expect(await kelp.run([])).toMatchObject({ code: 2, stdout: '' });
    expect(await kelp.text('--help')).toContain('  4  any other refusal or failure\n');
  });

  test('a server that is not there exits with 3', async () => {
    const { code, stderr } = await kelp.run(['get', 'a'], { environment: { KELP_ADDRESS: '127.0.0.1:1' } });
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /^kelp: can't reach the server at http:\/\/127\.0\.0\.1:1: connection refused; is it running\?\n$/,
    );
  });
});

describe('help', () => {
  test.each([
    [['help'], 'kelp [options] [command]'],
    [['help', 'get'], 'kelp get [options] <key>'],
    [['help', 'lease'], 'kelp lease [options] [command]'],
    [['help', 'lease', 'grant'], 'kelp lease grant [options] <ttl>'],
    [['lease', 'help', 'grant'], 'kelp lease grant [options] <ttl>'],
    [['lease', 'help'], 'kelp lease [options] [command]'],
    [['help', 'lease', 'ls'], 'kelp lease list|ls [options]'],
    [['help', 'rm'], 'kelp delete|del|rm [options] [key]'],
    [['help', 'help'], 'kelp help [options] [command...]'],
  ])('%j is that of the command', async (args, usage) => {
    const { code, stdout, stderr } = await kelp.run(args);
    expect({ code, usage: stdout.split('\n')[0], stderr }).toEqual({
      code: 0,
      usage: `Usage: ${usage}`,
      stderr: '',
    });
  });

  test.each([
    [['nope'], "unknown command 'nope'; kelp help lists the commands"],
    [['help', 'nope'], "unknown command 'nope'; kelp help lists the commands"],
    [['help', 'gte'], "unknown command 'gte' (Did you mean get?)"],
    [['lease', 'nope'], "unknown command 'lease nope'; kelp help lease lists the commands"],
    [['help', 'lease', 'nope'], "unknown command 'lease nope'; kelp help lease lists the commands"],
    [['lease', 'help', 'nope'], "unknown command 'lease nope'; kelp help lease lists the commands"],
    [['lease', 'gratn'], "unknown command 'lease gratn' (Did you mean lease grant?)"],
    [['help', 'lease', 'revok'], "unknown command 'lease revok' (Did you mean lease revoke?)"],
    [['help', 'get', 'nope'], "kelp get has no command 'nope'"],
  ])('%j names the nearest command there is', async (args, message) => {
    expect(await kelp.run(args)).toEqual({
      code: 2,
      stdout: '',
      stderr: `kelp: ${message}\n`,
      bytes: Buffer.alloc(0),
    });
  });

  test('shows the other names of commands', async () => {
    const help = await kelp.text('--help');
    for (const names of ['keys|ls ', 'delete|del|rm ']) expect(help).toContain(`  ${names}`);
    expect(await kelp.text('lease', '--help')).toContain('  list|ls');
  });
});

test('commands have the names of other stores and of the shell too', async () => {
  expect(await kelp.text('set', 'config/a', '1', '--ttl', '1h30m')).toBe('revision 1\n');
  await kelp.text('set', 'other', '2');
  expect(await kelp.text('ls')).toBe('config/a\nother\n');
  expect(await kelp.text('ls', 'config/*')).toBe('config/a\n');
  expect(await kelp.text('rm', 'config/a')).toBe('revision 3\n');
  expect(await kelp.text('del', '--prefix', 'oth')).toBe('deleted 1, revision 4\n');
  const id = (await kelp.text('lease', 'grant', '1m30s')).trim();
  expect(await kelp.json('lease', 'ls')).toMatchObject([{ leaseId: Number(id), ttlMs: 90_000 }]);
});

test('an address without a host is this machine', async () => {
  const port = new URL(`http://${address}`).port;
  for (const circumstances of [
    { args: ['--address', `:${port}`] },
    { environment: { KELP_ADDRESS: `:${port}` } },
  ]) {
    const { args = [], environment = { KELP_ADDRESS: '127.0.0.1:1' } } = circumstances;
    const { code, stderr } = await kelp.run(['put', 'a', '1', ...args], { environment });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }
});

test('tables line up behind keys and values of any width', async () => {
  for (const key of ['plain', '日本語', '🎉', 'e\u0301']) await kelp.text('put', key, key);
  await kelp.text('put', '\u001b[2J', '');
  expect(await kelp.text('scan')).toBe(
    [
      'KEY          VALUE     REVISION  VERSION  LEASE  EXPIRES IN',
      '"\\u001b[2J"  ""               5        1      -  -',
      'e\u0301            "e\u0301"              4        1      -  -',
      'plain        "plain"          1        1      -  -',
      '日本語       "日本語"         2        1      -  -',
      '🎉           "🎉"             3        1      -  -',
      '',
    ].join('\n'),
  );
});

test('options of the client stand before or after the command', async () => {
  await kelp.text('put', 'a', '1');
  const [before, after] = [await kelp.text('--json', 'get', 'a'), await kelp.text('get', 'a', '--json')];
  expect(before).toBe(after);
});
