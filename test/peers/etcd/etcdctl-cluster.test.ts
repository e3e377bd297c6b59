/** The commands of Debian's etcdctl that look at a cluster and its members. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startTestServer } from '../../support/test-server.ts';
import { Etcdctl, hasEtcdctl } from './etcdctl.ts';

describe.skipIf(!hasEtcdctl)('etcdctl', { timeout: 60_000 }, () => {
  test('lists the one member, and finds its status and health by that list', async () => {
    const { address, url } = await startTestServer();
    const ctl = (...args: readonly string[]): Promise<string> => Etcdctl.run(address, ...args);
    const [, id = ''] = /^(\w+), started, kelp, , (\S+), false\n$/.exec(await ctl('member', 'list')) ?? [];
    expect(id).not.toBe('');
    for (const where of [[], ['--cluster']] as const) {
      const [line = ''] = (await ctl('endpoint', 'status', ...where)).split('\n');
      const [endpoint, member, version, , isLeader] = line.split(', ');
      expect([where.length === 0 ? address : url, id, '3.4.23+kelp.0.0.0-test', 'true']).toEqual([
        endpoint,
        member,
        version,
        isLeader,
      ]);
      expect(await ctl('endpoint', 'health', ...where)).toContain('is healthy');
    }
  });

  test('defragments, and finds no alarm to list or to disarm', async () => {
    const { address } = await startTestServer();
    const ctl = (...args: readonly string[]): Promise<string> => Etcdctl.run(address, ...args);
    expect(await ctl('defrag')).toContain('Finished defragmenting etcd member');
    expect((await ctl('alarm', 'list')).trim()).toBe('');
    expect((await ctl('alarm', 'disarm')).trim()).toBe('');
  });

  test('is told what to use in the place of a snapshot, a hash and another member', async () => {
    const { address } = await startTestServer();
    const ctl = (...args: readonly string[]): Promise<string> => Etcdctl.run(address, ...args);
    const folder = mkdtempSync(join(tmpdir(), 'kelp-etcdctl-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    expect(await ctl('snapshot', 'save', join(folder, 'copy.db'))).toContain('kelp backup makes a copy');
    expect(await ctl('endpoint', 'hashkv')).toContain('kelp verify checks the files');
    const id = (await ctl('member', 'list')).split(',')[0] ?? '';
    expect(await ctl('move-leader', id)).toContain('only member of its cluster, and its leader');
    expect(await ctl('member', 'add', 'other', '--peer-urls=http://127.0.0.1:1')).toContain('only member');
  });
});
