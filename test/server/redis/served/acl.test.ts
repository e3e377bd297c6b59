/** ACL at a server: users that clients of Redis make, what these may do and what not, and what other doors see of it. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { Permission } from '../../../../gen/kelp/v1/access_pb.ts';
import { eventually } from '../../../support/eventually.ts';
import { startTestServer, type TestServer } from '../../../support/test-server.ts';
import { basic, clientsOf } from '../../access/access-client.ts';
import { ErrorReply, showReply } from '../support/decoded-reply.ts';
import { RealRedis, hasRealRedis } from '../support/real-redis.ts';
import { RedisClient } from '../support/redis-client.ts';

const start = (flags: Readonly<Record<string, string>> = {}): Promise<TestServer> =>
  startTestServer({ flags: { 'redis-listen': '127.0.0.1:0', ...flags } });

async function closed(): Promise<{ server: TestServer; root: RedisClient }> {
  const server = await start();
  await clientsOf(server.url).access.createUser({ name: 'root', password: 'top' });
  return { server, root: await loggedIn(server, 'root', 'top') };
}

async function loggedIn(server: TestServer, name: string, password: string): Promise<RedisClient> {
  const client = await RedisClient.open(server.redisAddress);
  expect(await client.run('AUTH', name, password)).toMatchObject({ text: 'OK' });
  return client;
}

const run = async (client: RedisClient, line: string): Promise<string> =>
  showReply(await client.run(...line.split(' ')));

const DENIED_KEY = '-NOPERM this user has no permissions to access one of the keys used as arguments';
const deniedCommand = (name: string): string =>
  `-NOPERM this user has no permissions to run the '${name}' command`;

describe('ACL SETUSER', () => {
  test('makes a user that may do what its rules say, and no more', async () => {
    const { server, root } = await closed();
    expect(await run(root, 'ACL SETUSER ann on >own ~team:* %R~shared:* %W~inbox +@all -@admin')).toBe('+OK');
    const ann = await loggedIn(server, 'ann', 'own');
    expect(await run(ann, 'ACL WHOAMI')).toBe('"ann"');
    expect(await run(ann, 'SET team:a 1')).toBe('+OK');
    expect(await run(ann, 'GET team:a')).toBe('"1"');
    expect(await run(ann, 'GET shared:a')).toBe('(nil)');
    expect(await run(ann, 'SET shared:a 1')).toBe(DENIED_KEY);
    expect(await run(ann, 'SET inbox 1')).toBe('+OK');
    expect(await run(ann, 'GET inbox')).toBe(DENIED_KEY);
    expect(await run(ann, 'SET inbox2 1')).toBe(DENIED_KEY);
    expect(await run(ann, 'GET team')).toBe(DENIED_KEY);
    expect(await run(ann, 'KEYS *')).toBe(deniedCommand('keys'));
    expect(await run(ann, 'CONFIG GET port')).toBe(deniedCommand('config|get'));
    expect(await run(ann, 'PUBLISH channel 1')).toBe('0');
    for (const call of [
      'LIST',
      'USERS',
      'GETUSER ann',
      'SETUSER ann +@all',
      'DELUSER root',
      'LOG',
      'SAVE',
      'LOAD',
    ])
      expect(await run(ann, `ACL ${call}`)).toBe(deniedCommand(`acl|${call.split(' ')[0]?.toLowerCase()}`));
    expect(await run(ann, 'ACL DRYRUN ann GET x')).toBe(deniedCommand('acl|dryrun'));
  });

  test('changes what an open connection may do, and a password ends it', async () => {
    const { server, root } = await closed();
    await run(root, 'ACL SETUSER ann on >own ~a* +@all -@admin');
    const ann = await loggedIn(server, 'ann', 'own');
    expect(await run(ann, 'GET b')).toBe(DENIED_KEY);
    expect(await run(root, 'ACL SETUSER ann resetkeys ~b*')).toBe('+OK');
    expect(await run(ann, 'GET b')).toBe('(nil)');
    expect(await run(ann, 'GET a')).toBe(DENIED_KEY);
    expect(await run(root, 'ACL SETUSER ann >own')).toBe('+OK');
    expect(await run(ann, 'GET b')).toBe('(nil)');
    expect(await run(root, 'ACL SETUSER ann resetpass >new')).toBe('+OK');
    expect(await run(ann, 'GET b')).toBe('-NOAUTH Authentication required.');
    expect(await run(ann, 'AUTH ann own')).toMatch(/^-WRONGPASS/);
    expect(await run(ann, 'AUTH ann new')).toBe('+OK');
    expect(await run(root, 'ACL SETUSER ann <new')).toBe('+OK');
    expect(await run(ann, 'AUTH ann new')).toMatch(/^-WRONGPASS/);
  });

  test('is seen by other doors, and keeps what these have made where the words still say it', async () => {
    const { server, root } = await closed();
    const { access } = clientsOf(server.url, basic('root', 'top'));
    await access.createRole({ name: 'reader' });
    const keys = { keys: { case: 'prefix', value: Buffer.from('shared:') } } as const;
    await access.addGrant({ role: 'reader', grant: { permission: Permission.READ, keys } });
    await access.createUser({ name: 'ann', password: 'own', roles: ['reader'] });
    const range = { start: Buffer.from('a b'), end: Buffer.from('m') };
    await access.createUser({ name: 'bob', password: 'own' });
    await access.createRole({ name: 'ranged' });
    await access.addGrant({
      role: 'ranged',
      grant: { permission: Permission.READWRITE, keys: { keys: { case: 'range', value: range } } },
    });
    await access.giveRole({ user: 'bob', role: 'ranged' });
    expect(await root.run('ACL', 'LIST')).toEqual([
      'user ann on #(hidden) %R~shared:* &* +@all -@admin',
      'user bob on #(hidden) %RW("a\\x20b".."m") &* +@all -@admin',
      'user root on #(hidden) ~* &* +@all',
    ]);
    expect(await run(root, 'ACL SETUSER ann ~own:*')).toBe('+OK');
    const rolesOf = async (name: string): Promise<readonly string[] | undefined> =>
      (await access.listUsers({})).users.find((user) => user.name === name)?.roles;
    expect(await rolesOf('ann')).toEqual(['reader', 'acl.ann']);
    const { roles } = await access.listRoles({});
    expect(roles.find(({ name }) => name === 'acl.ann')?.grants).toMatchObject([
      {
        permission: Permission.READWRITE,
        keys: { keys: { case: 'prefix', value: new Uint8Array(Buffer.from('own:')) } },
      },
    ]);
    expect(await run(root, 'ACL SETUSER ann resetkeys ~own:* %W~shared:*')).toBe('+OK');
    expect(await rolesOf('ann')).toEqual(['acl.ann']);
    expect(await root.run('ACL', 'GETUSER', 'ann')).toEqual([
      'flags',
      ['on'],
      'passwords',
      ['(hidden)'],
      'commands',
      '+@all -@admin',
      'keys',
      '~own:* %W~shared:*',
      'channels',
      '&*',
      'selectors',
      [],
    ]);
    expect(await run(root, 'ACL SETUSER ann resetkeys +@all')).toBe('+OK');
    const ann = await loggedIn(server, 'ann', 'own');
    expect(await run(ann, 'ACL USERS')).toBe('["ann", "bob", "root"]');
    expect(await run(root, 'ACL SETUSER ann resetkeys -@admin')).toBe('+OK');
    expect(await rolesOf('ann')).toEqual([]);
    expect((await access.listRoles({})).roles.map(({ name }) => name)).toEqual(['ranged', 'reader']);
  });

  test('stays over a restart', async () => {
    const { server, root } = await closed();
    await run(root, 'ACL SETUSER ann on >own ~team:* +@all -@admin');
    const lines = await root.run('ACL', 'LIST');
    await server.stop();
    const again = await start({ 'data-dir': server.dataDir });
    const ann = await loggedIn(again, 'ann', 'own');
    expect(await run(ann, 'SET team:a 1')).toBe('+OK');
    expect(await run(ann, 'GET other')).toBe(DENIED_KEY);
    expect(await (await loggedIn(again, 'root', 'top')).run('ACL', 'LIST')).toEqual(lines);
  });

  test('tells the log who has changed whom, and no secret', async () => {
    const { server, root } = await closed();
    await run(root, 'ACL SETUSER ann on >secret ~team:* +@all -@admin');
    await run(root, 'ACL DELUSER ann');
    const told = server.log.lines.filter(({ event }) => event === 'access.changed');
    expect(told.slice(-2)).toMatchObject([
      { method: 'redis/acl|setuser', user: 'root', name: 'ann' },
      { method: 'redis/acl|deluser', user: 'root', name: 'ann' },
    ]);
    expect(JSON.stringify(server.log.lines)).not.toContain('secret');
  });
});

test('names and passwords are text: no bytes are taken for others', async () => {
  const { server, root } = await closed();
  const [wrong, other] = [Buffer.from([0x70, 0xff]), Buffer.from([0x70, 0xfe])];
  const rules = ['~a*', '+@all', '-@admin'];
  expect(
    showReply(await root.run('ACL', 'SETUSER', 'ann', 'on', Buffer.from([0x3e, 0xff]), ...rules)),
  ).toMatch(/'>\.\.\.'.*UTF-8/);
  expect(showReply(await root.run('ACL', 'SETUSER', wrong, 'on', '>own', ...rules))).toMatch(/UTF-8/);
  expect(await run(root, 'ACL USERS')).toBe('["root"]');
  // The text that both would be, were they read as UTF-8.
  const text = 'p\ufffd';
  expect(showReply(await root.run('ACL', 'SETUSER', 'ann', 'on', Buffer.from(`>${text}`), ...rules))).toBe(
    '+OK',
  );
  expect(showReply(await root.run('ACL', 'SETUSER', Buffer.from(text), 'on', '>own', ...rules))).toBe('+OK');
  const client = await RedisClient.open(server.redisAddress);
  for (const bytes of [wrong, other]) {
    expect(showReply(await client.run('AUTH', 'ann', bytes))).toMatch(/^-WRONGPASS/);
    expect(showReply(await client.run('AUTH', bytes, 'own'))).toMatch(/^-WRONGPASS/);
    expect(showReply(await client.run('AUTH', bytes))).toMatch(/^-WRONGPASS/);
    expect(showReply(await client.run('HELLO', '3', 'AUTH', 'ann', bytes))).toMatch(/^-WRONGPASS/);
    expect(showReply(await root.run('ACL', 'GETUSER', bytes))).toBe('(nil)');
    expect(showReply(await root.run('ACL', 'DELUSER', bytes))).toBe('0');
    expect(showReply(await root.run('ACL', 'DRYRUN', bytes, 'GET', 'a'))).toMatch(/^-ERR User .* not found/);
  }
  await loggedIn(server, 'ann', text);
});

test('a byte that is a space in Latin-1 is a part of names and keys', async () => {
  const { server, root } = await closed();
  // Its last byte is 0xa0.
  const rules = ['on', '>own', Buffer.from('~à*'), '+@all', '-@admin'];
  expect(showReply(await root.run('ACL', 'SETUSER', Buffer.from('nicolà'), ...rules))).toBe('+OK');
  const client = await RedisClient.open(server.redisAddress);
  expect(showReply(await client.run('AUTH', Buffer.from('nicolà'), 'own'))).toBe('+OK');
  expect(showReply(await client.run('SET', Buffer.from('à1'), '1'))).toBe('+OK');
});

describe('what must stay refused', () => {
  const ON = 'on >own ~a*';
  test.each([
    ['a user that is off', '>own ~a* +@all -@admin', /always on/],
    ['a user without a password that any lets in', 'on nopass ~a* +@all -@admin', /nopass/],
    ['nopass behind a password', `${ON} +@all -@admin nopass`, /nopass/],
    ['no commands', ON, /single commands/],
    ['some commands', `${ON} +get +set`, /single commands/],
    ['commands by category', `${ON} +@read`, /single commands/],
    ['all but one', `${ON} +@all -@admin -keys`, /refuses 'keys'/],
    ['all but dangerous ones', `${ON} +@all -@dangerous`, /single commands/],
    ['one for operators', `${ON} +@all -@admin +config|get`, /allows 'config\|get'/],
    ['all but one for operators', `${ON} +@all -shutdown`, /single commands/],
    ['no channels', `${ON} +@all -@admin resetchannels`, /channels/],
    ['some channels', `${ON} +@all -@admin resetchannels &news:*`, /channels/],
    ['a wildcard in the middle', 'on >own ~a*b +@all -@admin', /prefix/],
    ['a question mark', 'on >own ~a? +@all -@admin', /prefix/],
    ['a class', 'on >own ~[ab]* +@all -@admin', /prefix/],
    ['a wildcard at the beginning', 'on >own ~*a +@all -@admin', /prefix/],
    ['the empty key', 'on >own ~ +@all -@admin', /Syntax error/],
    ['uses that are none', 'on >own %X~a +@all -@admin', /Syntax error/],
    ['a use twice', 'on >own %RR~a +@all -@admin', /Syntax error/],
    ['a pattern behind all', 'on >own ~* ~a +@all -@admin', /Adding a pattern after/],
    ['a selector', `${ON} +@all -@admin (+get ~b*)`, /selectors/],
    ['a hash', `on #${'ab'.repeat(32)} ~a* +@all -@admin`, /scrypt/],
    ['what is no hash', 'on #(hidden) ~a* +@all -@admin', /64 characters/],
    ['two passwords', `${ON} >another +@all -@admin`, /one password/],
    ['an empty password', 'on > ~a* +@all -@admin', /at least 1 byte/],
    ['a password that is not there', `${ON} +@all -@admin <none`, /does not exist/],
    ['an unknown command', `${ON} +@all -nosuch`, /Unknown command or category/],
    ['an unknown category', `${ON} +@nosuch`, /Unknown command or category/],
    ['an unknown rule', `${ON} +@all -@admin admin`, /Syntax error/],
    ['a rule of a prototype', `${ON} +@all -@admin __proto__`, /Syntax error/],
    ['payloads that are not looked at', `${ON} +@all -@admin skip-sanitize-payload`, /RESTORE/],
  ])('%s', async (_, rules, why) => {
    const { server, root } = await closed();
    expect(await run(root, `ACL SETUSER ann ${rules}`)).toMatch(why);
    expect(await run(root, 'ACL USERS')).toBe('["root"]');
    const ann = await RedisClient.open(server.redisAddress);
    expect(await run(ann, 'AUTH ann own')).toMatch(/^-WRONGPASS/);
    // For a user that is there it changes nothing, either.
    expect(await run(root, 'ACL SETUSER ann on >first ~z* +@all -@admin')).toBe('+OK');
    const before = await run(root, 'ACL GETUSER ann');
    expect(await run(root, `ACL SETUSER ann reset ${rules}`)).toMatch(why);
    expect(await run(root, 'ACL GETUSER ann')).toBe(before);
    expect(await run(ann, 'AUTH ann first')).toBe('+OK');
  });

  test('what would take rights from root, or its password', async () => {
    const { server, root } = await closed();
    for (const rules of [
      'off',
      'resetkeys',
      '-@admin',
      'reset',
      'resetpass',
      '<top',
      'resetkeys ~a*',
      'resetchannels',
    ])
      expect(await run(root, `ACL SETUSER root ${rules}`)).toMatch(/^-ERR ACL SETUSER has changed nothing/);
    expect(await run(root, 'ACL DELUSER root')).toMatch(/^-ERR the user root is not deleted/);
    expect(await run(root, 'ACL SETUSER ann on >own +@all -@admin')).toBe('+OK');
    expect(await run(root, 'ACL DELUSER ann root')).toMatch(/^-ERR the user root is not deleted/);
    expect(await run(root, 'ACL USERS')).toBe('["ann", "root"]');
    expect(await run(root, 'ACL DELUSER default')).toBe("-ERR The 'default' user cannot be removed");
    expect(await run(root, 'ACL SETUSER root resetpass >new')).toBe('+OK');
    await loggedIn(server, 'root', 'new');
  });

  test('a role of the name that others have, or that was there before', async () => {
    const { server, root } = await closed();
    const { access } = clientsOf(server.url, basic('root', 'top'));
    await run(root, 'ACL SETUSER ann on >own ~a* +@all -@admin');
    await access.createUser({ name: 'bob', password: 'own', roles: ['acl.ann'] });
    expect(await run(root, 'ACL SETUSER ann ~b*')).toMatch(/the role acl\.ann/);
    await run(root, 'ACL DELUSER ann');
    const bob = await loggedIn(server, 'bob', 'own');
    expect(await run(bob, 'GET a')).toBe('(nil)');
    expect(await run(bob, 'GET b')).toBe(DENIED_KEY);
    expect(await run(root, 'ACL SETUSER ann on >own +@all -@admin')).toMatch(/the role acl\.ann/);
  });

  test('a user that may not administer any more', async () => {
    const { server, root } = await closed();
    await run(root, 'ACL SETUSER ops on >own +@all');
    const ops = await loggedIn(server, 'ops', 'own');
    expect(await run(ops, 'ACL SETUSER ann on >own +@all -@admin')).toBe('+OK');
    expect(await run(root, 'ACL SETUSER ops -@admin')).toBe('+OK');
    expect(await run(ops, 'ACL SETUSER ops +@all')).toBe(deniedCommand('acl|setuser'));
    expect(await run(ops, 'ACL DELUSER ann')).toBe(deniedCommand('acl|deluser'));
  });

  test('names that are none', async () => {
    const { root } = await closed();
    expect(showReply(await root.run('ACL', 'SETUSER', 'a b', 'on'))).toBe(
      "-ERR Usernames can't contain spaces or null characters",
    );
    expect(await run(root, `ACL SETUSER ${'x'.repeat(200)} on >own +@all -@admin`)).toMatch(
      /no role has such a name/,
    );
    expect(await run(root, 'ACL SETUSER a:b on >own +@all -@admin')).toMatch(/no role has such a name/);
    expect(await run(root, 'ACL SETUSER')).toMatch(/wrong number of arguments/);
  });

  test('all of it while access is open, where rules would hold no client back', async () => {
    const server = await start();
    const client = await RedisClient.open(server.redisAddress);
    expect(await run(client, 'ACL SETUSER ann on >own ~a* +@all -@admin')).toMatch(
      /^-ERR ACL SETUSER has changed nothing: access is open, .*kelp user add root/,
    );
    expect(await run(client, 'ACL LIST')).toBe('["user default on nopass ~* &* +@all"]');
    expect(await run(client, 'ACL DRYRUN default FLUSHALL')).toBe('+OK');
    expect(await run(client, 'ACL SAVE')).toMatch(
      /^-ERR This Redis instance is not configured to use an ACL file/,
    );
  });
});

test('ACL DELUSER ends the connections of its users, with their roles and tokens', async () => {
  const { server, root } = await closed();
  const { access } = clientsOf(server.url, basic('root', 'top'));
  await run(root, 'ACL SETUSER ann on >own ~a* +@all -@admin');
  const { secret } = await access.createToken({ name: 'of-ann', user: 'ann' });
  const [ann, byToken] = [await loggedIn(server, 'ann', 'own'), await loggedIn(server, 'ann', secret)];
  expect(await run(root, 'ACL DELUSER ann nosuch ann')).toBe('1');
  await Promise.all([ann.closed, byToken.closed]);
  const stranger = await RedisClient.open(server.redisAddress);
  expect(await run(stranger, `AUTH ${secret}`)).toMatch(/^-WRONGPASS/);
  expect((await access.listRoles({})).roles).toEqual([]);
  await run(root, 'ACL SETUSER ops on >own +@all');
  const ops = await loggedIn(server, 'ops', 'own');
  expect(await run(ops, 'ACL DELUSER ops')).toBe('1');
  await ops.closed;
});

test('ACL DELUSER takes so many names at the most', async () => {
  const { root } = await closed();
  const names = Array.from({ length: 101 }, (_, index) => `u${index}`);
  expect(showReply(await root.run('ACL', 'DELUSER', ...names))).toBe(
    '-ERR ACL DELUSER deletes at most 100 users in one call here; name fewer',
  );
  expect(showReply(await root.run('ACL', 'DELUSER', ...names.slice(1)))).toBe('0');
});

test('a user that another door deletes leaves no role behind that keeps its name', async () => {
  const { server, root } = await closed();
  const { access } = clientsOf(server.url, basic('root', 'top'));
  for (const _ of [1, 2]) {
    expect(await run(root, 'ACL SETUSER ann on >own ~a* +@all -@admin')).toBe('+OK');
    await access.deleteUser({ name: 'ann' });
    expect((await access.listRoles({})).roles).toEqual([]);
  }
});

test('ACL SETUSER takes so many rules, and so many patterns, at the most', async () => {
  const { root } = await closed();
  const patterns = (count: number): string[] => Array.from({ length: count }, (_, index) => `~k${index}*`);
  const set = async (...rules: string[]): Promise<string> =>
    showReply(await root.run('ACL', 'SETUSER', 'ann', 'on', '>own', '+@all', '-@admin', ...rules));
  expect(await set(...patterns(997))).toMatch(/more than 1000 rules/);
  expect(await set(...patterns(101), 'resetkeys')).toMatch(/at most 100 patterns/);
  expect(await set(...patterns(100))).toBe('+OK');
  expect(await set('~another')).toMatch(/at most 100 patterns/);
  expect(await set('resetkeys', ...patterns(100))).toBe('+OK');
});

test('SLOWLOG shows no secret of ACL DRYRUN', async () => {
  const { root } = await closed();
  await run(root, 'CONFIG SET slowlog-log-slower-than 0');
  for (const call of ['AUTH root secret', 'HELLO 3 AUTH root secret', 'ACL SETUSER ann >secret', 'GET told'])
    await run(root, `ACL DRYRUN root ${call}`);
  const log = await run(root, 'SLOWLOG GET');
  expect(log).toMatch(/"DRYRUN", "root", "AUTH", "\(redacted\)"/);
  expect(log).toMatch(/"GET", "told"/);
  expect(log).not.toContain('secret');
});

test('reset takes away all roles that other doors have given', async () => {
  const { server, root } = await closed();
  const { access } = clientsOf(server.url, basic('root', 'top'));
  await access.createRole({ name: 'empty' });
  await access.createUser({ name: 'ann', password: 'own', roles: ['empty'] });
  const rolesOf = async (): Promise<readonly string[] | undefined> =>
    (await access.listUsers({})).users.find(({ name }) => name === 'ann')?.roles;
  expect(await run(root, 'ACL SETUSER ann ~a*')).toBe('+OK');
  expect(await rolesOf()).toEqual(['empty', 'acl.ann']);
  expect(await run(root, 'ACL SETUSER ann reset on >own ~a* +@all -@admin')).toBe('+OK');
  expect(await rolesOf()).toEqual(['acl.ann']);
});

describe('a connection that only listens', () => {
  test('ends once its login is over, before it gets another message', async () => {
    const { server, root } = await closed();
    await run(root, 'ACL SETUSER ann on >own ~a* +@all -@admin');
    const listeners = await Promise.all([1, 2, 3].map(() => loggedIn(server, 'ann', 'own')));
    const [byName, byPattern, byShard] = listeners;
    await byName?.run('SUBSCRIBE', 'news');
    await byPattern?.run('PSUBSCRIBE', 'new*');
    await byShard?.run('SSUBSCRIBE', 'news');
    await run(root, 'ACL SETUSER ann resetkeys');
    expect(await run(root, 'PUBLISH news 1')).toBe('2');
    expect(await run(root, 'SPUBLISH news 1')).toBe('1');
    for (const listener of listeners) expect(showReply(await listener.next())).toMatch(/"news", "1"/);
    await run(root, 'ACL SETUSER ann resetpass >new');
    expect(await run(root, 'PUBLISH news 2')).toBe('0');
    expect(await run(root, 'SPUBLISH news 2')).toBe('0');
    await Promise.all(listeners.map(({ closed }) => closed));
    for (const { waitingCount } of listeners) expect(waitingCount).toBe(0);
  });

  test.each([
    ['is no admin any more', 'ACL SETUSER ops -@admin'],
    ['has another password', 'ACL SETUSER ops resetpass >new'],
  ])('to MONITOR ends once its user %s', async (_, change) => {
    const { server, root } = await closed();
    await run(root, 'ACL SETUSER ops on >own +@all');
    const monitor = await loggedIn(server, 'ops', 'own');
    await run(monitor, 'MONITOR');
    await run(root, 'GET before');
    expect(showReply(await monitor.next())).toMatch(/before/);
    await run(root, change);
    await run(root, 'GET after');
    await monitor.closed;
    expect(monitor.waitingCount).toBe(0);
  });
});

test('ACL DRYRUN tells what a call of a user would be told, and runs nothing', async () => {
  const { root } = await closed();
  await run(root, 'ACL SETUSER ann on >own ~team:* %R~shared +@all -@admin');
  const dry = (call: string): Promise<string> => run(root, `ACL DRYRUN ann ${call}`);
  expect(await dry('SET team:a 1')).toBe('+OK');
  expect(await run(root, 'EXISTS team:a')).toBe('0');
  expect(await dry('GET shared')).toBe('+OK');
  expect(await dry('SET shared 1')).toBe(`"This user has no permissions to access the 'shared' key"`);
  expect(await dry('MSET team:a 1 other 2')).toBe(`"This user has no permissions to access the 'other' key"`);
  expect(await dry('CONFIG GET port')).toBe(`"This user has no permissions to run the 'config|get' command"`);
  expect(await dry('FLUSHALL')).toBe(`"This user has no permissions to run the 'flushall' command"`);
  expect(await dry('PSUBSCRIBE __keyspace@0__:*')).toBe(
    `"This user has no permissions to access the '__keyspace@0__:*' channel"`,
  );
  expect(await dry('SUBSCRIBE news __keyevent@0__:set')).toBe(
    `"This user has no permissions to access the '__keyevent@0__:set' channel"`,
  );
  expect(await dry('PSUBSCRIBE n* __key*')).toBe(
    `"This user has no permissions to access the '__key*' channel"`,
  );
  expect(await dry('AUTH x')).toBe('+OK');
});

describe('ACL LOG', () => {
  const fields = async (client: RedisClient): Promise<unknown[]> => {
    const reply = await client.run('ACL', 'LOG', 100);
    if (!Array.isArray(reply)) throw new Error('no list');
    return reply.map((line) => {
      const [, count, , reason, , context, , object, , name] = line as unknown[];
      return [count, reason, context, object, name];
    });
  };

  test('has each denial once, with what was denied and where, the newest first', async () => {
    const { server, root } = await closed();
    await run(root, 'ACL SETUSER ann on >own ~a* +@all -@admin');
    const ann = await loggedIn(server, 'ann', 'own');
    for (const call of [
      'GET b',
      'GET b',
      'CONFIG GET port',
      'SUBSCRIBE __keyevent@0__:set',
      'MULTI',
      'GET c',
    ])
      await run(ann, call);
    await run(ann, 'DISCARD');
    await ann.run('EVAL', "return redis.pcall('get', 'd')", 0);
    await run(ann, 'AUTH ann wrong');
    await run(ann, 'HELLO 3 AUTH other wrong');
    expect(await fields(root)).toEqual([
      [1, 'auth', 'toplevel', 'hello', 'other'],
      [1, 'auth', 'toplevel', 'auth', 'ann'],
      [1, 'key', 'lua', 'd', 'ann'],
      [1, 'key', 'multi', 'c', 'ann'],
      [1, 'channel', 'toplevel', '__keyevent@0__:set', 'ann'],
      [1, 'command', 'toplevel', 'config|get', 'ann'],
      [2, 'key', 'toplevel', 'b', 'ann'],
    ]);
    expect(await run(root, 'ACL LOG 1')).toMatch(/"client-info", "id=\d+ addr=127\.0\.0\.1:/);
    expect(await run(root, 'ACL LOG 0')).toBe('[]');
    expect(await run(root, 'ACL LOG x')).toBe('-ERR value is not an integer or out of range');
    expect(await run(root, 'ACL LOG reset')).toBe('+OK');
    expect(await fields(root)).toEqual([]);
  });

  test('is bounded in lines, and in what a line tells', async () => {
    const { server, root } = await closed();
    await run(root, 'ACL SETUSER ann on >own ~a* +@all -@admin');
    const ann = await loggedIn(server, 'ann', 'own');
    expect(await run(root, 'CONFIG SET acllog-max-len 3')).toBe('+OK');
    for (let index = 0; index < 5; index++) await run(ann, `GET k${index}${'x'.repeat(1000)}`);
    const lines = await fields(root);
    expect(lines.map((line) => String((line as unknown[])[3]).slice(0, 2))).toEqual(['k4', 'k3', 'k2']);
    expect(String((lines[0] as unknown[])[3]).length).toBeLessThan(300);
    const long = 'x'.repeat(1_000_000);
    await ann.run('AUTH', long, 'wrong');
    await ann.run('SUBSCRIBE', `__keyspace@0__:${long}`);
    await run(ann, 'SELECT 1');
    await ann.run('GET', long);
    const reply = JSON.stringify(await root.run('ACL', 'LOG'));
    expect(reply.match(/x+\.\.\."/g)?.length).toBe(3);
    expect(reply.length).toBeLessThan(3000);
    expect(await run(root, 'CONFIG SET acllog-max-len 0')).toBe('+OK');
    await run(ann, 'GET x');
    expect(await fields(root)).toEqual([]);
  });
});

test('the name of a client is bounded, and so is what the log tells of it', async () => {
  const server = await start();
  const client = await RedisClient.open(server.redisAddress);
  const long = 'x'.repeat(1025);
  const refused = '-ERR Client names have at most 1024 bytes here; use a shorter one.';
  expect(await run(client, `CLIENT SETNAME ${long}`)).toBe(refused);
  expect(await run(client, `CLIENT SETINFO LIB-NAME ${long}`)).toBe(refused);
  expect(await run(client, `HELLO 3 SETNAME ${long}`)).toBe(refused);
  expect(await run(client, `CLIENT SETNAME ${long.slice(1)}`)).toBe('+OK');
  expect(await run(client, 'CLIENT GETNAME')).toBe(`"${long.slice(1)}"`);
});

test('denials of scripts count as those of calls do', async () => {
  const { server, root } = await closed();
  await run(root, 'ACL SETUSER ann on >own ~a* +@all -@admin');
  const ann = await loggedIn(server, 'ann', 'own');
  expect(await ann.run('EVAL', "return redis.call('get', 'b')", 0)).toBeInstanceOf(ErrorReply);
  await ann.run('EVAL', "return redis.acl_check_cmd('get', 'c')", 0);
  await eventually(async () => (await run(root, 'ACL LOG')).match(/"reason"/g)?.length).toBe(1);
});

describe.skipIf(!hasRealRedis)('beside redis-server', () => {
  async function both(): Promise<{ server: TestServer; own: RedisClient; real: RealRedis }> {
    const { server, root } = await closed();
    const real = await RealRedis.start();
    onTestFinished(() => real.stop());
    return { server, own: root, real };
  }

  test('a rule that is wrong has the same error', async () => {
    const { own, real } = await both();
    for (const rules of [
      'bad',
      '~* ~foo',
      '+nosuch',
      '-nosuch|x',
      '+@nosuch',
      '#zz',
      '!zz',
      '%X~d',
      '%~d',
      '%RR~d',
      '~a\tb',
    ]) {
      const words = ['ACL', 'SETUSER', 'ann', ...rules.split(' ')];
      expect([rules, showReply(await own.run(...words))]).toEqual([
        rules,
        showReply(await real.run(...words)),
      ]);
    }
    for (const words of [
      ['SETUSER', 'a b', 'on'],
      ['SETUSER', 'ann', '&*', '&foo'],
      ['DELUSER', 'default'],
      ['DELUSER', 'nosuch'],
      ['GETUSER', 'nosuch'],
      ['LOG', '-1'],
      ['LOG', 'x'],
      ['CAT', 'nosuch'],
      ['DRYRUN', 'nosuch', 'GET', 'a'],
    ])
      expect([words, showReply(await own.run('ACL', ...words))]).toEqual([
        words,
        showReply(await real.run('ACL', ...words)),
      ]);
  });

  test('a user of the same rules is told the same, and the log has the same', async () => {
    const { server, own, real } = await both();
    const rules = ['on', '>own', '~team:*', '%R~shared', '%W~inbox*', '&*', '+@all', '-@admin'];
    expect(await own.run('ACL', 'SETUSER', 'ann', ...rules)).toMatchObject({ text: 'OK' });
    expect(await real.run('ACL', 'SETUSER', 'ann', ...rules)).toMatchObject({ text: 'OK' });
    const calls = [
      'GET team:a',
      'SET team:a 1',
      'GET shared',
      'SET shared 1',
      'GET inbox:a',
      'SET inbox:a 1',
      'MSET team:b 1 other 2',
      'MGET team:a shared',
      'COPY shared team:c',
      'COPY team:c shared',
      'RENAME team:a other',
      'SINTERSTORE team:d shared other',
      'CONFIG GET port',
      'ROLE',
      'LASTSAVE',
      'ACL LIST',
      'ACL WHOAMI',
      'GETDEL inbox:a',
      'INCR inbox:a',
      'PUBLISH c 1',
    ];
    const dryRuns = [...calls, 'NOSUCH a', 'GET', 'CONFIG', 'CONFIG NOSUCH', 'AUTH x y', 'PING'];
    for (const call of dryRuns) {
      const words = ['ACL', 'DRYRUN', 'ann', ...call.split(' ')];
      expect([call, showReply(await own.run(...words))]).toEqual([call, showReply(await real.run(...words))]);
    }
    const ann = await loggedIn(server, 'ann', 'own');
    await real.run('AUTH', 'ann', 'own');
    for (const call of [...calls, 'MULTI', 'GET other', 'EXEC', 'auth ann wrong']) {
      const words = call.split(' ');
      expect([call, showReply(await ann.run(...words))]).toEqual([call, showReply(await real.run(...words))]);
    }
    const told = (reply: unknown): unknown[] => (reply as unknown[][]).map((line) => line.slice(0, 10));
    const ownLog = await own.run('ACL', 'LOG', 100);
    const admin = await RedisClient.open(`127.0.0.1:${real.port}`);
    expect(told(ownLog)).toEqual(told(await admin.run('ACL', 'LOG', 100)));
    const names = (reply: unknown): unknown[] =>
      (reply as unknown[][]).map((line) => line.filter((_, index) => index % 2 === 0));
    expect(names(ownLog)).toEqual(names(await admin.run('ACL', 'LOG', 100)));
  });

  test('categories have the commands that both have', async () => {
    const { own, real } = await both();
    const list = async (client: Pick<RedisClient, 'run'>, ...words: string[]): Promise<string[]> =>
      (await client.run('ACL', 'CAT', ...words)) as string[];
    const categories = await list(real);
    expect((await list(own)).filter((name) => name !== 'bloom')).toEqual(categories);
    const everything = async (client: Pick<RedisClient, 'run'>): Promise<Set<string>> =>
      new Set([...(await list(client, 'fast')), ...(await list(client, 'slow'))]);
    const ownNames = await everything(own);
    const realNames = await everything(real);
    // Redis has DEBUG as one command.
    const shared = (names: string[]): string[] =>
      names.filter((name) => ownNames.has(name) && realNames.has(name) && name !== 'debug').sort();
    for (const category of categories)
      expect([category, shared(await list(own, category))]).toEqual([
        category,
        shared(await list(real, category)),
      ]);
  });
});
