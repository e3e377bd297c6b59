/** Users, roles and rights as Debian's etcdctl has them, from an open store to a closed one and back. */
import { describe, expect, test } from 'vitest';
import { startTestServer } from '../../support/test-server.ts';
import { Etcdctl, hasEtcdctl } from './etcdctl.ts';

type Ctl = (...args: readonly string[]) => Promise<string>;

describe.skipIf(!hasEtcdctl)('etcdctl', { timeout: 60_000 }, () => {
  async function started(): Promise<{ readonly ctl: Ctl; readonly root: Ctl }> {
    const { address } = await startTestServer();
    // It tells of its own attempts, too, in lines of JSON.
    const ctl: Ctl = async (...args) =>
      (await Etcdctl.run(address, ...args)).replaceAll(/^\{.*\n/gm, '').trimEnd();
    return { ctl, root: (...args) => ctl('--user=root:pw', ...args) };
  }

  test('closes access in the order of the manual of etcd, and opens it again', async () => {
    const { ctl, root } = await started();
    expect(await ctl('user', 'add', 'root:pw')).toBe('User root created');
    expect(await ctl('put', 'a', '1')).toBe('OK');
    expect(await root('put', 'a', '2')).toBe('OK');
    expect(await ctl('user', 'grant-role', 'root', 'root')).toBe('Role root is granted to user root');
    expect(await ctl('auth', 'enable')).toBe('Authentication Enabled');
    expect(await ctl('get', 'a')).toBe('Error: etcdserver: user name is empty');
    expect(await ctl('--user=root:wrong', 'get', 'a')).toContain('authentication failed, invalid user ID');
    expect(await root('get', 'a')).toBe('a\n2');
    expect(await root('put', 'a', '3')).toBe('OK');
    expect(await root('user', 'list')).toBe('root');
    expect(await root('auth', 'disable')).toBe('Authentication Disabled');
    expect(await ctl('get', 'a')).toBe('a\n3');
  });

  test('makes role root and gives it to root, where it is missing', async () => {
    const { ctl, root } = await started();
    expect(await ctl('auth', 'enable')).toContain('root user does not exist');
    await ctl('user', 'add', 'root:pw');
    expect(await ctl('auth', 'enable')).toBe('Authentication Enabled');
    expect(await root('role', 'list')).toBe('root');
    expect(await root('user', 'get', 'root')).toBe('User: root\nRoles: root');
  });

  test('lets a user do what its role permits', async () => {
    const { ctl, root } = await started();
    await ctl('user', 'add', 'root:pw');
    await ctl('auth', 'enable');
    const alice: Ctl = (...args) => ctl('--user=alice:word', ...args);
    expect(await root('user', 'add', 'alice:word')).toBe('User alice created');
    expect(await root('user', 'add', 'web', '--no-password')).toContain('User web created');
    expect(await root('role', 'add', 'r')).toBe('Role r created');
    expect(await root('role', 'grant-permission', '--prefix=true', 'r', 'read', 'config/')).toBe(
      'Role r updated',
    );
    expect(await root('role', 'grant-permission', 'r', 'readwrite', 'visits')).toBe('Role r updated');
    expect(await root('role', 'grant-permission', '--from-key=true', 'r', 'write', 'z')).toBe(
      'Role r updated',
    );
    expect(await root('user', 'grant-role', 'alice', 'r')).toBe('Role r is granted to user alice');
    const shown = await alice('role', 'get', 'r');
    expect(shown).toContain('[config/, config0) (prefix config/)');
    expect(shown).toContain('[z, <open ended>');
    expect(await alice('user', 'get', 'alice')).toBe('User: alice\nRoles: r');
    expect(await alice('put', 'visits', '1')).toBe('OK');
    expect(await alice('put', 'zebra', '1')).toBe('OK');
    expect(await alice('get', '--prefix', 'config/')).toBe('');
    expect(await alice('put', 'config/a', '1')).toContain('etcdserver: permission denied');
    expect(await alice('get', '--prefix', '')).toContain('etcdserver: permission denied');
    expect(await root('role', 'revoke-permission', 'r', 'visits')).toContain('is revoked from role r');
    expect(await alice('put', 'visits', '2')).toContain('etcdserver: permission denied');
    expect(await root('user', 'revoke-role', 'alice', 'r')).toBe('Role r is revoked from user alice');
    expect(await root('role', 'delete', 'r')).toBe('Role r deleted');
    expect(await root('user', 'delete', 'alice')).toBe('User alice deleted');
    expect(await alice('get', 'a')).toContain('authentication failed');
  });
});
