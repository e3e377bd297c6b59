/** The lines of the log, and the metrics, that tell who did what, and who was not let in. */
import { Code } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { Permission } from '../../../gen/kelp/v1/access_pb.ts';
import { StoreError } from '../../../src/errors.ts';
import { serverFixed } from '../../../src/limits.ts';
import type { Login } from '../../../src/access/login/login.ts';
import { Audit } from '../../../src/server/access/audit.ts';
import { createLogger } from '../../../src/server/logging/logger.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';
import { basic, bearer, clientsOf, refusalOf } from './access-client.ts';

type Line = Record<string, unknown>;

function eventsOf({ log }: TestServer, event: string): Line[] {
  return log.lines.filter((line) => line['event'] === event).map((line) => ({ ...line, time: undefined }));
}

async function metricsOf({ url }: TestServer, authorization: string): Promise<string> {
  return (await fetch(`${url}/metrics`, { headers: { authorization } })).text();
}

test('each change of access is a line with who made it and what it was of', async () => {
  const server = await startTestServer();
  const { access: anybody } = clientsOf(server.url);
  await anybody.createRole({ name: 'reader' });
  await anybody.createUser({ name: 'root', password: 'top' });
  const { access } = clientsOf(server.url, basic('root', 'top'));
  await access.createUser({ name: 'ann', password: 'word', roles: ['reader'] });
  await access.setPassword({ name: 'ann', password: 'next' });
  const keys = { keys: { case: 'prefix', value: Buffer.from('secret-prefix') } } as const;
  await access.addGrant({ role: 'reader', grant: { permission: Permission.READWRITE, keys } });
  await access.removeGrant({ role: 'reader', keys });
  await access.takeRole({ user: 'ann', role: 'reader' });
  await access.giveRole({ user: 'ann', role: 'reader' });
  await access.createToken({ name: 'ci', user: 'ann' });
  await access.deleteToken({ name: 'ci' });
  await access.deleteRole({ name: 'reader' });
  await access.deleteUser({ name: 'ann' });
  await refusalOf(access.deleteUser({ name: 'ann' }));

  const by = { level: 'info', event: 'access.changed', peer: '127.0.0.1', msg: 'access was changed' };
  const byRoot = { ...by, user: 'root' };
  expect(eventsOf(server, 'access.changed')).toEqual([
    { ...by, method: 'CreateRole', name: 'reader' },
    { ...by, method: 'CreateUser', name: 'root', roles: [] },
    { ...byRoot, method: 'CreateUser', name: 'ann', roles: ['reader'] },
    { ...byRoot, method: 'SetPassword', name: 'ann' },
    { ...byRoot, method: 'AddGrant', name: 'reader', permission: 'readwrite' },
    { ...byRoot, method: 'RemoveGrant', name: 'reader' },
    { ...byRoot, method: 'TakeRole', name: 'ann', role: 'reader' },
    { ...byRoot, method: 'GiveRole', name: 'ann', role: 'reader' },
    { ...byRoot, method: 'CreateToken', name: 'ci', for: 'ann' },
    { ...byRoot, method: 'DeleteToken', name: 'ci' },
    { ...byRoot, method: 'DeleteRole', name: 'reader' },
    { ...byRoot, method: 'DeleteUser', name: 'ann' },
  ]);
});

test('calls for operators, denied calls and refused logins are lines, and counted', async () => {
  const server = await startTestServer();
  await clientsOf(server.url).access.createUser({ name: 'root', password: 'top' });
  const asRoot = basic('root', 'top');
  const root = clientsOf(server.url, asRoot);
  await root.access.createUser({ name: 'ann' });
  const { secret } = await root.access.createToken({ name: 'ann', user: 'ann' });
  const { secret: short } = await root.access.createToken({ name: 's', ttl: { nanos: 1_000_000 } });
  await root.admin.snapshot({});
  for await (const _ of root.admin.backup({}));
  // A snapshot of an engine on disk has passed those before.
  await root.admin.compact({ revision: (await root.admin.status({})).revision });

  const ann = clientsOf(server.url, bearer(secret));
  for (const call of [ann.admin.snapshot({}), ann.admin.snapshot({}), ann.kv.get({ key: 'a' })].map(
    refusalOf,
  )) {
    expect((await call).code).toBe(Code.PermissionDenied);
  }
  const denied = await fetch(`${server.url}/v1/keys/a`, { headers: { authorization: bearer(secret) } });
  expect(denied.status).toBe(403);
  // Its only millisecond is over once the server has answered what follows.
  await root.access.whoAmI({});
  for (const authorization of [
    basic('ann', 'guess'),
    basic('root', 'guess'),
    basic('nobody\u{202e}', 'guess'),
    basic('x'.repeat(300), 'guess'),
    bearer('guess'),
    bearer(short),
    'Digest guess',
    undefined,
  ]) {
    const { access } = clientsOf(server.url, authorization);
    expect((await refusalOf(access.whoAmI({}))).code).toBe(Code.Unauthenticated);
  }

  const by = { level: 'info', user: 'root', peer: '127.0.0.1' };
  const admin = { ...by, event: 'admin.called', msg: 'a call for operators' };
  expect(eventsOf(server, 'admin.called')).toEqual([
    { ...admin, method: 'AdminService/Snapshot' },
    { ...admin, method: 'AdminService/Backup' },
    { ...admin, method: 'AdminService/Compact' },
  ]);
  const refused = { ...by, user: 'ann', event: 'call.denied', msg: 'a call was denied' };
  expect(eventsOf(server, 'call.denied')).toEqual([
    { ...refused, method: 'AdminService/Snapshot', untoldCount: 0 },
    { ...refused, method: 'KvService/Get', untoldCount: 1 },
    { ...refused, method: 'GET /v1/keys/{key}', untoldCount: 0 },
  ]);
  expect(
    eventsOf(server, 'login.refused').map(({ kind, reason, user, peer }) => [kind, reason, user, peer]),
  ).toEqual([
    ['password', 'noPassword', 'ann', '127.0.0.1'],
    ['password', 'wrongPassword', 'root', '127.0.0.1'],
    ['password', 'noSuchUser', 'nobody\\u202e', '127.0.0.1'],
    ['password', 'noSuchUser', `${'x'.repeat(128)}...`, '127.0.0.1'],
    ['token', 'unknownToken', undefined, '127.0.0.1'],
    ['none', 'over', 'root', '127.0.0.1'],
    ['none', 'malformed', undefined, '127.0.0.1'],
    ['none', 'noCredentials', undefined, '127.0.0.1'],
  ]);

  const metrics = await metricsOf(server, asRoot);
  expect(metrics).toContain('kelp_logins_total{kind="password",outcome="refused"} 4');
  expect(metrics).toContain('kelp_logins_total{kind="token",outcome="refused"} 1');
  expect(metrics).toContain('kelp_logins_total{kind="none",outcome="refused"} 3');
  expect(metrics).toMatch(/kelp_logins_total\{kind="password",outcome="accepted"\} [1-9]/);
  expect(metrics).toContain('kelp_access_denied_total 4');
  // One for each password that was made, wrong, or right for the first time.
  expect(metrics).toContain('kelp_password_checks_total 6');
  expect(metrics).toContain('kelp_password_checks_running 0');
  expect(metrics).toContain('kelp_password_checks_waiting 0');
});

describe('a flood', () => {
  const peer = { remoteAddress: '10.0.0.1' };
  const login = (userName: string): Login => ({
    userName,
    expireTimeMs: 0,
    get rights(): never {
      throw new StoreError('unauthenticated', 'no rights are asked for');
    },
  });

  function audited(): { readonly audit: Audit; readonly lines: Line[]; readonly pass: (ms: number) => void } {
    const lines: Line[] = [];
    let nowMs = 0;
    const logger = createLogger(
      { level: 'info', format: 'json' },
      { write: (line) => void lines.push(JSON.parse(line) as Line) },
    );
    return { audit: new Audit(logger, () => nowMs), lines, pass: (ms) => void (nowMs += ms) };
  }

  test('of denied calls is one line in a while for each user and call, which says how many were left out', () => {
    const { audit, lines, pass } = audited();
    for (let round = 0; round < 1000; round++) {
      audit.callDenied({ login: login('ann'), client: peer }, 'KvService/Get');
      audit.callDenied({ login: login('bob'), client: peer }, 'KvService/Get');
    }
    expect(lines).toHaveLength(2);
    pass(serverFixed.auditWindowMs);
    audit.callDenied({ login: login('ann'), client: peer }, 'KvService/Get');
    expect(lines[2]).toMatchObject({ user: 'ann', untoldCount: 1998 });
    expect(audit.deniedCount).toBe(2001);
  });

  test('of refused logins with a name of its own each is bounded, too, and hides no change of access', () => {
    const { audit, lines } = audited();
    for (let index = 0; index < 10_000; index++) {
      audit.loginRefused({ kind: 'password', userName: `u${index}`, reason: 'noSuchUser' }, peer);
    }
    expect(lines).toHaveLength(serverFixed.auditRareLinesMax);
    audit.accessChanged({ login: login('root'), client: peer }, 'CreateRole', { name: 'r' });
    audit.adminCalled({ login: login('root'), client: peer }, 'AdminService/Snapshot');
    audit.adminCalled({ login: login('root'), client: peer }, 'AdminService/Snapshot');
    expect(lines.slice(serverFixed.auditRareLinesMax)).toMatchObject([
      { event: 'access.changed' },
      { event: 'admin.called' },
      { event: 'admin.called' },
    ]);
  });

  test('of calls for operators by anybody, while access is open, is bounded', () => {
    const { audit, lines } = audited();
    for (let round = 0; round < 1000; round++) {
      audit.adminCalled({ login: login(''), client: peer }, 'AdminService/Snapshot');
    }
    expect(lines).toHaveLength(1);
  });
});

test('a terminal shows the fields, and names that would deceive as escapes', () => {
  let shown = '';
  const logger = createLogger({ level: 'info', format: 'pretty' }, { write: (line) => (shown += line) });
  const audit = new Audit(logger);
  const attempt = { kind: 'password', userName: 'a\u{1b}[2J', reason: 'noSuchUser' } as const;
  audit.loginRefused(attempt, { remoteAddress: '::1' });
  expect(shown).toContain('a login was refused event=login.refused kind=password reason=noSuchUser');
  expect(shown).not.toContain('\u{1b}[2J');
});
