/** Watches, leases, locks and elections by Debian's etcdctl, as people use them. */
import { describe, expect, test } from 'vitest';
import { startTestServer } from '../../support/test-server.ts';
import { Etcdctl, hasEtcdctl } from './etcdctl.ts';

async function opened(): Promise<{
  readonly ctl: (...args: readonly string[]) => Promise<string>;
  readonly start: (...args: readonly string[]) => Etcdctl;
}> {
  const { address } = await startTestServer();
  return {
    ctl: (...args) => Etcdctl.run(address, ...args),
    start: (...args) => new Etcdctl(address, args),
  };
}

describe.skipIf(!hasEtcdctl)('etcdctl', { timeout: 60_000 }, () => {
  test('watches a prefix from the first revision on, with what was before', async () => {
    const { ctl, start } = await opened();
    await ctl('put', 'k/a', '1');
    const watch = start('watch', '--prefix', '--prev-kv', '--rev=1', 'k/');
    expect(await watch.lines(3)).toEqual(['PUT', 'k/a', '1']);
    await ctl('put', 'k/a', '2');
    expect(await watch.lines(5)).toEqual(['PUT', 'k/a', '1', 'k/a', '2']);
    await ctl('put', 'other', 'v');
    await ctl('del', 'k/a');
    expect(await watch.lines(5)).toEqual(['DELETE', 'k/a', '2', 'k/a', '']);
    await watch.interrupt();
  });

  test('is told that a watch begins in what was compacted', async () => {
    const { ctl, start } = await opened();
    for (const value of ['1', '2', '3']) await ctl('put', 'a', value);
    expect(await ctl('compact', '4')).toContain('compacted revision 4');
    const watch = start('watch', '--rev=2', 'a');
    expect(await watch.lines(1)).toEqual([
      'watch was canceled (etcdserver: mvcc: required revision has been compacted)',
    ]);
  });

  test('grants, keeps alive, looks at and revokes leases', async () => {
    const { ctl, start } = await opened();
    const [, id = ''] =
      /^lease (\w+) granted with TTL\(600s\)/.exec(await ctl('lease', 'grant', '600')) ?? [];
    expect(id).not.toBe('');
    expect(await ctl('put', '--lease', id, 'held', 'v')).toBe('OK\n');
    const left = await ctl('lease', 'timetolive', '--keys', id);
    expect(left).toMatch(/granted with TTL\(600s\), remaining\((599|600)s\), attached keys\(\[held\]\)/);
    expect(await ctl('lease', 'list')).toBe(`found 1 leases\n${id}\n`);
    const alive = start('lease', 'keep-alive', id);
    expect(await alive.lines(1)).toEqual([`lease ${id} keepalived with TTL(600)`]);
    await alive.interrupt();
    const watch = start('watch', '--rev=1', 'held');
    expect(await watch.lines(3)).toEqual(['PUT', 'held', 'v']);
    expect(await ctl('lease', 'revoke', id)).toBe(`lease ${id} revoked\n`);
    expect(await watch.lines(3)).toEqual(['DELETE', 'held', '']);
    expect(await ctl('get', 'held')).toBe('');
    expect(await ctl('lease', 'timetolive', id)).toBe(`lease ${id} already expired\n`);
    expect(await ctl('lease', 'keep-alive', '--once', id)).toContain('requested lease not found');
    expect(await ctl('lease', 'revoke', id)).toContain('requested lease not found');
  });

  test('a lock is held by one at a time', async () => {
    const { ctl, start } = await opened();
    const first = start('lock', 'l');
    const [key = ''] = await first.lines(1);
    expect(key).toMatch(/^l\/[0-9a-f]+$/);
    const second = start('lock', 'l', 'echo', 'mine');
    // It waits for the key of the first, so it has put its own.
    while ((await ctl('get', '--prefix', '--keys-only', 'l/')).trim().split('\n\n').length < 2);
    await first.interrupt();
    expect(await second.lines(1)).toEqual(['mine']);
  });

  test('an election has one leader, and another one when that is gone', async () => {
    const { start } = await opened();
    const observer = start('elect', '-l', 'e');
    const first = start('elect', 'e', 'one');
    const [key] = await first.lines(2);
    expect(await observer.lines(2)).toEqual([key, 'one']);
    const second = start('elect', 'e', 'two');
    await first.interrupt();
    const [secondKey, proposal] = await second.lines(2);
    expect(proposal).toBe('two');
    expect(await observer.lines(2)).toEqual([secondKey, 'two']);
  });
});
