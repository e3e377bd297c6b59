/** The commands that work with the files of a store, as an operator would type them. */
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Access } from '../../src/access/access.ts';
import * as records from '../../src/access/records/access-records.ts';
import { openUncheckedStore } from '../../src/kv/open-store.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/random.ts';
import { KelpProcess } from '../cli/kelp-process.ts';
import { jsonLines, Kelp, type Outcome } from '../cli/kelp.ts';
import { startTestServer, temporaryDirectory } from '../support/test-server.ts';
import { BEGIN_MS, contentsOf, openFolder } from './folders.ts';

/** Nobody listens there: these commands need no server. */
const offline = new Kelp('127.0.0.1:1');

/** A store with all that a log can hold, closed. */
async function oldStore(): Promise<string> {
  const dataDir = join(await temporaryDirectory(), 'data');
  const { store, clock } = await openFolder(dataDir);
  await store.put('text', 'one');
  await store.put('\u001b[2J', new Uint8Array([0, 255]));
  await store.grantLease(60_000, 7);
  await store.put('leased', 'x', { leaseId: 7 });
  clock.advance(500);
  await store.renewLease(7);
  await store.put('mortal', 'y', { ttlMs: 3_600_000 });
  await store.touch('mortal', { ttlMs: 7_200_000 });
  await store.txn({
    success: [
      { kind: 'put', key: 'a', value: '1' },
      { kind: 'delete', key: 'text' },
    ],
  });
  await store.revokeLease(7);
  await store.close();
  return dataDir;
}

async function segmentOf(dataDir: string): Promise<string> {
  const [name = ''] = (await readdir(join(dataDir, 'log'))).filter((each) => each.endsWith('.log'));
  return join(dataDir, 'log', name);
}

async function flipByte(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

describe('kelp log', () => {
  it('prints a line for each effect', async () => {
    expect(await offline.text('log', await oldStore())).toMatchInlineSnapshot(`
      "1  2026-01-01T00:00:00.000Z  life     incarnation ac7680e466ef4f1560c37cfe42e6841a
      1  2026-01-01T00:00:00.000Z  put      text  3 bytes  (version 1)
      2  2026-01-01T00:00:00.000Z  put      "\\u001b[2J"  2 bytes  (version 1)
      -  2026-01-01T00:00:00.000Z  lease    7  (ttl 1m)
      3  2026-01-01T00:00:00.000Z  put      leased  1 byte  (version 1, lease 7)
      -  2026-01-01T00:00:00.500Z  lease    7  (ttl 1m)
      4  2026-01-01T00:00:00.500Z  put      mortal  1 byte  (version 1, ttl 1h, until 2026-01-01T01:00:00.500Z)
      5  2026-01-01T00:00:00.500Z  touch    mortal  (ttl 2h, until 2026-01-01T02:00:00.500Z)
      6  2026-01-01T00:00:00.500Z  put      a  1 byte  (version 1)
      6  2026-01-01T00:00:00.500Z  delete   text  (asked for)
      7  2026-01-01T00:00:00.500Z  delete   leased  (its lease was revoked)
      7  2026-01-01T00:00:00.500Z  end      lease 7
      "
    `);
  });

  it('prints values when asked to', async () => {
    const text = await offline.text('log', await oldStore(), '--values', '--to', '2');
    expect(text).toMatchInlineSnapshot(`
      "1  2026-01-01T00:00:00.000Z  life     incarnation ac7680e466ef4f1560c37cfe42e6841a
      1  2026-01-01T00:00:00.000Z  put      text  "one"  (version 1)
      2  2026-01-01T00:00:00.000Z  put      "\\u001b[2J"  0x00ff (2 bytes)  (version 1)
      -  2026-01-01T00:00:00.000Z  lease    7  (ttl 1m)
      "
    `);
  });

  it('prints whose a lease is', async () => {
    const dataDir = join(await temporaryDirectory(), 'data');
    const store = await openUncheckedStore({ dataDir });
    await store.grantLease(60_000, 7, 'ann');
    await store.close();
    expect(await offline.text('log', dataDir)).toMatch(/lease {4}7 {2}\(ttl 1m, owner ann\)\n/);
    const [record] = await offline.json('log', dataDir);
    expect(record).toMatchObject({ effects: [{ type: 'lease', leaseId: 7, owner: 'ann' }] });
  });

  it('prints a range of revisions, with the notes that follow each', async () => {
    const dataDir = await oldStore();
    const revisionsOf = async (...args: string[]): Promise<unknown[]> =>
      (await offline.json('log', dataDir, ...args)).map(
        (record) => (record as { readonly revision: number }).revision,
      );
    expect(await revisionsOf()).toEqual([1, 2, 0, 3, 0, 4, 5, 6, 7]);
    expect(await revisionsOf('--from', '3', '--to', '4')).toEqual([3, 0, 4]);
    expect(await revisionsOf('--from', '7')).toEqual([7]);
    expect(await revisionsOf('--from', '8')).toEqual([]);
    expect(await offline.run(['log', dataDir, '--from', '5', '--to', '4'])).toMatchObject({ code: 2 });
  });

  it('prints JSON', async () => {
    const text = await offline.text('log', await oldStore(), '--json', '--values');
    expect(text).toMatchInlineSnapshot(`
      "{"revision":1,"time":"2026-01-01T00:00:00.000Z","effects":[{"type":"life","incarnation":"ac7680e466ef4f1560c37cfe42e6841a"},{"type":"put","key":"text","value":"one","createRevision":1,"version":1}]}
      {"revision":2,"time":"2026-01-01T00:00:00.000Z","effects":[{"type":"put","key":"\\u001b[2J","value":{"base64":"AP8="},"createRevision":2,"version":1}]}
      {"revision":0,"time":"2026-01-01T00:00:00.000Z","effects":[{"type":"lease","leaseId":7,"ttlMs":60000,"deadlineMs":60000}]}
      {"revision":3,"time":"2026-01-01T00:00:00.000Z","effects":[{"type":"put","key":"leased","value":"x","createRevision":3,"version":1,"leaseId":7}]}
      {"revision":0,"time":"2026-01-01T00:00:00.500Z","leaseClockMs":500,"effects":[{"type":"lease","leaseId":7,"ttlMs":60000,"deadlineMs":60500}]}
      {"revision":4,"time":"2026-01-01T00:00:00.500Z","leaseClockMs":500,"effects":[{"type":"put","key":"mortal","value":"y","createRevision":4,"version":1,"ttlMs":3600000,"expireTime":"2026-01-01T01:00:00.500Z"}]}
      {"revision":5,"time":"2026-01-01T00:00:00.500Z","leaseClockMs":500,"effects":[{"type":"touch","key":"mortal","createRevision":4,"modRevision":4,"version":1,"ttlMs":7200000,"expireTime":"2026-01-01T02:00:00.500Z"}]}
      {"revision":6,"time":"2026-01-01T00:00:00.500Z","leaseClockMs":500,"effects":[{"type":"put","key":"a","value":"1","createRevision":6,"version":1},{"type":"delete","key":"text","reason":"requested"}]}
      {"revision":7,"time":"2026-01-01T00:00:00.500Z","leaseClockMs":500,"effects":[{"type":"delete","key":"leased","reason":"leaseRevoked"},{"type":"leaseEnd","leaseId":7}]}
      "
    `);
  });

  it('prints changes of access by their names, and never what is kept of them', async () => {
    const dataDir = join(await temporaryDirectory(), 'data');
    const [clock, random] = [new ManualClock(BEGIN_MS), new SeededRandom(1)];
    const store = await openUncheckedStore({ dataDir, clock, random, fsync: 'never' });
    const access = new Access({ store, clock, random, passwordCost: 2 });
    const password = await access.logins.passwords.hash('a password');
    await access.change((draft) => records.createRole(draft, 'reader'));
    await access.change((draft) =>
      records.createUser(draft, 'ann', { password, roles: ['reader'], nowMs: 1 }),
    );
    await access.change((draft) => records.deleteRole(draft, 'reader'));
    // As a key of a user, the same bytes are an entry like any other.
    await store.put(Uint8Array.of(0xfc, 1, 0x61), 'x');
    await store.close();
    for (const values of [[], ['--values']]) {
      const text = await offline.text('log', dataDir, ...values);
      const lines = text.split('\n').map((line) => line.replace(/^.*Z {2}/, ''));
      expect(lines.slice(1, 6)).toEqual([
        'access   role reader  (written)',
        'access   user ann  (written)',
        'access   role reader  (deleted)',
        'access   user ann  (written)',
        `put      0xfc0161  ${values.length === 0 ? '1 byte' : '"x"'}  (version 1)`,
      ]);
      const json = (await offline.json('log', dataDir, ...values)) as { readonly effects: unknown[] }[];
      expect(json[1]?.effects).toEqual([{ type: 'access', kind: 'user', name: 'ann', change: 'written' }]);
      const all = text + JSON.stringify(json);
      for (const form of ['hex', 'base64'] as const) {
        expect(all).not.toContain(Buffer.from(password.hash).toString(form));
      }
    }
  });

  it('prints that history was dropped on demand', async () => {
    const dataDir = join(await temporaryDirectory(), 'data');
    const { store } = await openFolder(dataDir);
    for (const value of ['1', '2', '3']) await store.put('k', value);
    await store.compact(2);
    await store.close();
    expect((await offline.text('log', dataDir)).split('\n').at(-2)).toMatch(
      /^- .*Z  compact  history before revision 2$/,
    );
    expect((await offline.json('log', dataDir)).at(-1)).toMatchObject({
      revision: 0,
      effects: [{ type: 'compact', oldestRevision: 2 }],
    });
  });

  it('reads a folder of segments, or one segment', async () => {
    const dataDir = await oldStore();
    const whole = await offline.text('log', dataDir);
    expect(await offline.text('log', join(dataDir, 'log'))).toBe(whole);
    expect(await offline.text('log', await segmentOf(dataDir))).toBe(whole);
  });

  it('prints what stands before damage, and says where that is', async () => {
    const dataDir = await oldStore();
    const whole = await offline.text('log', dataDir);
    await flipByte(await segmentOf(dataDir), 400);
    const { code, stdout, stderr } = await offline.run(['log', dataDir]);
    expect(code).toBe(1);
    expect(whole.startsWith(stdout)).toBe(true);
    expect(stdout.split('\n').length).toBeGreaterThan(2);
    expect(stderr).toMatch(/^kelp: the log is damaged: .*log, offset \d+: .*Revision \d+ is the last/);
  });

  it('does not go on from one history to another', async () => {
    const folder = await temporaryDirectory();
    // With the same seed, and so of the same store.
    for (const name of ['one', 'other']) {
      const { store } = await openFolder(join(folder, name), { limits: { segmentBytes: 4096 } });
      for (let index = 0; index < 8; index++) await store.put(name, name.padEnd(1300));
      await store.close();
    }
    const segment = join('log', '00000000000000000004.log');
    await cp(join(folder, 'other', segment), join(folder, 'one', segment));
    const { code, stdout, stderr } = await offline.run(['log', join(folder, 'one')]);
    expect([code, stdout.match(/ put /g)?.length]).toEqual([1, 3]);
    expect(stderr).toMatch(/a frame does not follow the one before/);
  });

  it('tells of a torn end', async () => {
    const dataDir = await oldStore();
    const path = await segmentOf(dataDir);
    const bytes = await readFile(path);
    const end = bytes.findLastIndex((byte) => byte !== 0) + 8;
    await flipByte(path, end + 10);
    const { code, stderr } = await offline.run(['log', dataDir]);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/are 11 bytes of a write that was never/)]);
  });

  it('is refused where there is no log', async () => {
    const folder = await temporaryDirectory();
    for (const path of [folder, join(folder, 'none')]) {
      expect(await offline.run(['log', path])).toMatchObject({ code: 2, stdout: '' });
    }
  });
});

describe('kelp verify', () => {
  it('tells what is there and that it is whole, and changes nothing', async () => {
    const dataDir = await oldStore();
    const before = await contentsOf(dataDir);
    expect(await offline.text('verify', dataDir)).toBe(
      [
        'log         1 segment, 1.0 MiB, 9 records, revisions 1 to 7',
        'whole       up to revision 7',
        'next start  comes up at revision 7, from the log alone',
        '',
      ].join('\n'),
    );
    expect(await offline.json('verify', dataDir)).toMatchObject([{ isWhole: true, wholeRevision: 7 }]);
    await flipByte(await segmentOf(dataDir), 300);
    const harmed = await contentsOf(dataDir);
    expect(await offline.run(['verify', dataDir])).toMatchObject({ code: 1 });
    expect(await contentsOf(dataDir)).toEqual(harmed);
    expect([...before.keys()]).toEqual([...harmed.keys()]);
    expect([...before].filter(([name, content]) => harmed.get(name) !== content).length).toBe(1);
  });

  it('makes no lock file where there is none', async () => {
    const dataDir = await oldStore();
    const copy = join(await temporaryDirectory(), 'copy');
    await cp(join(dataDir, 'log'), join(copy, 'log'), { recursive: true });
    expect(await offline.run(['verify', copy])).toMatchObject({ code: 0 });
    expect(await readdir(copy)).toEqual(['log']);
  });

  it('names damage in readable text', async () => {
    const dataDir = await oldStore();
    const segment = await segmentOf(dataDir);
    await flipByte(segment, 400);
    const { code, stdout } = await offline.run(['verify', dataDir]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^whole {7}up to revision \d$/m);
    expect(stdout).toMatch(/^next start {2}refuses: the log is damaged/m);
    const damaged = stdout.split('\n').filter((line) => line.startsWith('damaged: '));
    expect(damaged).toEqual([
      expect.stringMatching(
        /^damaged: .*\/00000000000000000001\.log, offset \d+: .* \(revisions from \d on\)$/,
      ),
    ]);
  });

  it('is refused while a server uses the directory', async () => {
    const server = await startTestServer();
    for (const command of ['verify', 'log']) {
      expect(await offline.run([command, server.dataDir])).toMatchObject({
        code: 4,
        stdout: '',
        stderr: expect.stringMatching(/a server is using .*; stop it, or use a copy/),
      });
    }
    const log = join(server.dataDir, 'log');
    for (const path of [log, await segmentOf(server.dataDir)]) {
      expect(await offline.run(['log', path])).toMatchObject({ code: 4, stdout: '' });
    }
    // Looking at it has not broken the server's lock: another process finds it held.
    const other = await new KelpProcess(['verify', server.dataDir]).ended;
    expect(other).toMatchObject({ code: 4, stderr: expect.stringContaining('a server is using') });
  });

  it('takes no option of a client, and needs a path that exists', async () => {
    const dataDir = await oldStore();
    expect(await offline.run(['verify', dataDir, '--address', 'localhost:1'])).toMatchObject({ code: 2 });
    expect(await offline.run(['verify', join(dataDir, 'none')])).toMatchObject({ code: 2 });
    expect(await offline.run(['verify', join(dataDir, 'log')])).toMatchObject({ code: 2 });
  });
});

describe('kelp backup, verify and restore', () => {
  it('bring all that a server held to another one', async () => {
    const server = await startTestServer();
    const kelp = new Kelp(server.address);
    const folder = await temporaryDirectory();
    const backupPath = join(folder, 'kelp.backup');
    await kelp.text('put', 'a', '1');
    await kelp.text('put', 'b', '2', '--ttl', '1h');
    const leaseId = (await kelp.text('lease', 'grant', '1h')).trim();
    await kelp.text('put', 'c', '3', '--lease', leaseId);
    expect(await kelp.text('backup', backupPath)).toMatch(/^revision 3, 3 keys, 1 lease, \d+ B\n$/);
    expect(await kelp.run(['backup', backupPath])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/exists; a backup never overwrites a file/),
    });
    await kelp.text('put', 'd', '4');
    await server.stop();

    const dataDir = join(folder, 'restored');
    const args = ['restore', backupPath, '--data-dir', dataDir, '--log', server.dataDir];
    const [result] = await offline.json(...args);
    expect(result).toMatchObject({ revision: 4, backupRevision: 3, versionCount: 3, leaseCount: 1 });
    expect(await offline.run(args)).toMatchObject({ code: 2, stderr: expect.stringMatching(/is not empty/) });

    const restored = new Kelp((await startTestServer({ flags: { 'data-dir': dataDir } })).address);
    const scanned = jsonLines(await restored.text('scan', '--json')) as {
      key: string;
      expireTime?: string;
    }[];
    expect(scanned.map(({ key }) => key)).toEqual(['a', 'b', 'c', 'd']);
    expect(Date.parse(scanned[1]?.expireTime ?? '') - Date.now()).toBeGreaterThan(3_500_000);
    expect(await restored.json('lease', 'get', leaseId, '--keys')).toMatchObject([{ keys: ['c'] }]);
    expect(await restored.json('status')).toMatchObject([
      { revision: 4, storeId: (result as { readonly storeId: string }).storeId },
    ]);
  });

  it('count users, roles and tokens by themselves', async () => {
    const server = await startTestServer();
    const kelp = new Kelp(server.address);
    const folder = await temporaryDirectory();
    const backupPath = join(folder, 'kelp.backup');
    await kelp.text('put', 'a', '1');
    await kelp.text('role', 'create', 'reader');
    await kelp.text('user', 'add', 'web', '--role', 'reader', '--no-password');
    expect(await kelp.text('backup', backupPath)).toMatch(
      /^revision 3, 1 key, 0 leases, 2 access records, \d+ B\n$/,
    );
    expect(await offline.json('verify', backupPath)).toMatchObject([{ versionCount: 1, accessCount: 2 }]);
    expect(await offline.text('verify', backupPath)).toMatch(
      /\nkeys {6}1\nleases {4}0\naccess {4}2 records\n$/,
    );
    await kelp.text('snapshot');
    await server.stop();
    expect(await offline.text('verify', server.dataDir)).toMatch(
      /1 version, 0 leases, 2 access records, whole/,
    );
    const dataDir = join(folder, 'restored');
    expect(await offline.text('restore', backupPath, '--data-dir', dataDir)).toMatch(
      /\nbackup +revision 3, 1 key, 0 leases, 2 access records\n/,
    );
  });

  it('may take as long as can be said', async () => {
    const { address } = await startTestServer();
    const path = join(await temporaryDirectory(), 'kelp.backup');
    expect(await new Kelp(address).run(['backup', path, '--timeout', '36500d'])).toMatchObject({ code: 0 });
  });

  it('go through a pipe', async () => {
    const { address } = await startTestServer();
    const kelp = new Kelp(address);
    await kelp.text('put', 'a', '1');
    const piped = await kelp.run(['backup', '-']);
    const path = join(await temporaryDirectory(), 'piped');
    await writeFile(path, piped.bytes);
    expect(await offline.text('verify', path)).toMatch(
      /^backup .*whole\nstore .*\nrevision {2}1, of 2.*\nkeys {6}1\n/,
    );
    expect(await offline.json('verify', path)).toMatchObject([
      { isWhole: true, revision: 1, versionCount: 1 },
    ]);
    await writeFile(path, piped.bytes.subarray(0, -3));
    expect(await offline.run(['verify', path])).toMatchObject({ code: 1 });
    expect(await kelp.run(['backup', '-'], { isTerminal: true })).toMatchObject({ code: 2, stdout: '' });
  });

  it('tell what is wrong with the time or the revision', async () => {
    const restore = (...args: string[]): Promise<Outcome> =>
      offline.run(['restore', 'none', '--data-dir', 'nowhere', ...args]);
    for (const time of ['yesterday', '2026-01-01', '2026-02-30T00:00:00Z', '2026-01-01T25:00:00Z', '']) {
      expect(await restore('--time', time), time).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/Expected a time such as/),
      });
    }
    expect(await restore('--time', '2026-01-01T00:00:00Z', '--revision', '1')).toMatchObject({ code: 2 });
    expect(await restore('--time', '2026-01-31t13:00:00.5+01:00')).toMatchObject({
      code: 2,
      stderr: 'kelp: there is no backup none\n',
    });
    expect(await offline.run(['restore', 'none'])).toMatchObject({ code: 2 });
  });
});
