/** Commands about clients, settings and the server, where what they reply is known beforehand; beside redis-server where it can be. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytesOf } from '../../../store/seam/seam-harness.ts';
import { showReply } from '../support/decoded-reply.ts';
import { RealRedis, hasRealRedis } from '../support/real-redis.ts';
import { DoorHarness } from './door-harness.ts';

describe('CLIENT', () => {
  test('LIST has a line for each connection, and takes types and ids', async () => {
    const door = await DoorHarness.open();
    const [one, two] = [door.session(), door.session(3)];
    await door.run(one, 'CLIENT', 'SETNAME', 'first');
    await door.run(two, 'SUBSCRIBE', 'c');
    await door.run(two, 'CLIENT', 'SETINFO', 'LIB-NAME', 'lib');
    const lines = async (...words: string[]): Promise<string[]> => {
      const [reply = ''] = await door.run(one, 'CLIENT', 'LIST', ...words);
      return (JSON.parse(reply) as string).trimEnd().split('\n');
    };
    expect(await lines()).toHaveLength(2);
    expect((await lines('TYPE', 'pubsub'))[0]).toMatch(
      /^id=2 .* flags=P .* sub=1 .* resp=3 lib-name=lib lib-ver=$/,
    );
    expect((await lines('ID', '1', '7'))[0]).toMatch(
      /^id=1 addr=127.0.0.1:50001 .* name=first .* user=default/,
    );
  });

  test('KILL takes filters, and spares its own connection unless it is told not to', async () => {
    const door = await DoorHarness.open();
    const [one, two, three] = [door.session(), door.session(), door.session()];
    await door.run(two, 'SUBSCRIBE', 'c');
    expect(await door.run(one, 'CLIENT', 'KILL', 'TYPE', 'pubsub')).toEqual(['1']);
    expect(two.killed).toBe('now');
    expect(await door.run(one, 'CLIENT', 'KILL', three.address)).toEqual(['+OK']);
    expect(await door.run(one, 'CLIENT', 'KILL', 'TYPE', 'normal')).toEqual(['0']);
    expect(await door.run(one, 'CLIENT', 'KILL', 'ID', '1', 'SKIPME', 'no')).toEqual(['1']);
    expect(one.killed).toBe('afterReply');
  });

  test('PAUSE holds writes, or all, until a time', async () => {
    const door = await DoorHarness.open();
    const client = door.session();
    const nowMs = door.seam.clock.nowMs();
    await door.run(client, 'CLIENT', 'PAUSE', '100', 'WRITE');
    await door.run(client, 'CLIENT', 'PAUSE', '5');
    await door.run(client, 'CLIENT', 'UNPAUSE');
    expect(door.connections.pauses).toEqual([
      `writes until ${nowMs + 100}`,
      `all until ${nowMs + 5}`,
      'all until 0',
    ]);
  });
});

describe('what commands have run', () => {
  test('SLOWLOG keeps those that took long, the newest first, with long words cut', async () => {
    const door = await DoorHarness.open();
    const client = door.session();
    await door.run(client, 'CONFIG', 'SET', 'slowlog-log-slower-than', '1000', 'slowlog-max-len', '2');
    await door.run(client, 'CLIENT', 'GETNAME');
    expect(await door.run(client, 'SLOWLOG', 'LEN')).toEqual(['0']);
    door.durationMs = 2;
    await door.run(client, 'CLIENT', 'SETNAME', 'x'.repeat(200));
    await door.run(client, 'PUBLISH', 'a', 'b');
    await door.run(client, 'COMMAND', 'INFO', ...Array.from({ length: 40 }, () => 'get'));
    door.durationMs = 0;
    const [reply = ''] = await door.run(client, 'SLOWLOG', 'GET');
    expect(reply).toContain('"... (11 more arguments)"');
    expect(reply).toMatch(/^\[\[2, \d+, 2000, \["COMMAND", "INFO", "get"/);
    expect(reply).toContain('["PUBLISH", "a", "b"], "127.0.0.1:50001"');
    expect(reply).not.toContain('SETNAME');
    await door.run(client, 'SLOWLOG', 'RESET');
    expect(await door.run(client, 'SLOWLOG', 'GET')).toEqual(['[]']);
  });

  test('MONITOR shows them with escapes, and none of those for operators', async () => {
    const door = await DoorHarness.open();
    const [monitor, client] = [door.session(), door.session()];
    expect(await door.run(monitor, 'MONITOR')).toEqual(['+OK']);
    await door.run(client, 'PUBLISH', 'a"\\', Uint8Array.of(10, 1, 255));
    await door.run(client, 'CONFIG', 'GET', 'port');
    const [line = '', ...more] = monitor.pushed();
    expect(line).toMatch(/^\+\d+\.\d{6} \[0 127\.0\.0\.1:50002\] "PUBLISH" "a\\"\\\\" "\\n\\x01\\xff"$/);
    expect(more).toEqual([]);
    monitor.reset();
    await door.run(client, 'PUBLISH', 'a', 'b');
    expect(monitor.pushed()).toEqual([]);
  });

  test('INFO counts them, and CONFIG RESETSTAT begins anew', async () => {
    const door = await DoorHarness.open();
    const client = door.session();
    await door.run(client, 'PUBLISH', 'a', 'b');
    await door.run(client, 'PUBLISH', 'a');
    await door.run(client, 'CLIENT', 'LIST', 'nonsense');
    const [reply = ''] = await door.run(client, 'INFO', 'commandstats', 'errorstats');
    const text = JSON.parse(reply) as string;
    expect(text).toContain('cmdstat_publish:calls=1,usec=500,usec_per_call=500.00,');
    expect(text).toMatch(/cmdstat_client\|list:calls=1,.*failed_calls=1/);
    expect(text).toContain('errorstat_ERR:count=2');
    await door.run(client, 'CONFIG', 'RESETSTAT');
    expect((await door.run(client, 'INFO', 'errorstats'))[0]).toBe('"# Errorstats\\r\\n"');
  });
});

describe('the server', () => {
  test('INFO tells the store in the fields of Redis and its own', async () => {
    const door = await DoorHarness.open();
    await door.seam.decide((view) => view.put(bytesOf('k'), bytesOf('v')));
    const [reply = ''] = await door.run(door.session(), 'INFO');
    const text = JSON.parse(reply) as string;
    const fields = new Map(text.split('\r\n').map((line) => line.split(':', 2) as [string, string]));
    expect(Object.fromEntries(fields)).toMatchObject({
      redis_version: '7.0.15',
      redis_mode: 'standalone',
      role: 'master',
      connected_clients: '1',
      aof_enabled: '1',
      cluster_enabled: '0',
      db0: 'keys=1,expires=0,avg_ttl=0',
      kelpdb_version: '1.2.3',
      revision: '1',
    });
    expect(fields.has('cmdstat_info')).toBe(false);
  });

  test('SAVE writes a snapshot, and SHUTDOWN stops it', async () => {
    const door = await DoorHarness.open();
    const client = door.session();
    expect(await door.run(client, 'SAVE')).toEqual(['+OK']);
    expect(await door.run(client, 'BGSAVE')).toEqual(['+Background saving started']);
    expect(door.snapshotCount).toBe(2);
    expect(await door.run(client, 'SHUTDOWN', 'NOSAVE')).toEqual([]);
    expect(door.isShutDown).toBe(true);
  });

  test('CONFIG sets all or nothing, and what only the start decides to nothing else', async () => {
    const door = await DoorHarness.open();
    const client = door.session(3);
    const set = async (...words: string[]): Promise<string> =>
      (await door.run(client, 'CONFIG', 'SET', ...words))[0] ?? '';
    expect(await set('maxmemory-policy', 'Volatile-TTL')).toBe('+OK');
    expect(await door.run(client, 'CONFIG', 'GET', 'maxmemory-policy')).toEqual([
      '{"maxmemory-policy": "volatile-ttl"}',
    ]);
    for (const policy of ['volatile-lru', 'allkeys-random']) {
      expect(await set('maxmemory-policy', policy)).toBe(
        `-ERR CONFIG SET failed (possibly related to argument 'maxmemory-policy') - ${policy} is not here: which keys are used is not kept, and none goes that has no time to live; noeviction, volatile-ttl, volatile-random are`,
      );
    }
    expect(await set('slowlog-max-len', '7', 'maxmemory', '1')).toBe(
      "-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - can't set immutable config",
    );
    expect(await door.run(client, 'CONFIG', 'GET', 'SLOWLOG-max*', 'save')).toEqual([
      '{"save": "", "slowlog-max-len": "128"}',
    ]);
    expect(await set('save', '')).toBe('+OK');
    expect(await set('appendonly', 'yes')).toBe('+OK');
  });
});

describe.skipIf(!hasRealRedis)('beside redis-server', () => {
  let real: RealRedis;
  beforeAll(async () => {
    real = await RealRedis.start();
  });
  afterAll(() => real.stop());

  const calls = [
    'CLIENT SETNAME a\tb',
    'CLIENT GETNAME',
    'CLIENT SETNAME abc',
    'CLIENT GETNAME',
    'CLIENT LIST TYPE nonsense',
    'CLIENT LIST ID',
    'CLIENT LIST ID x',
    'CLIENT LIST nonsense',
    'CLIENT KILL nonsense',
    'CLIENT KILL a b',
    'CLIENT KILL ID x',
    'CLIENT KILL ID 0',
    'CLIENT KILL ID 999',
    'CLIENT KILL SKIPME maybe',
    'CLIENT KILL USER none',
    'CLIENT KILL ADDR',
    'CLIENT PAUSE x',
    'CLIENT PAUSE -1',
    'CLIENT PAUSE 0 nonsense',
    'CLIENT REPLY nonsense',
    'CLIENT NO-EVICT on',
    'CLIENT NO-EVICT nonsense',
    'CLIENT UNBLOCK 999',
    'CLIENT UNBLOCK x',
    'CLIENT UNBLOCK 1 nonsense',
    'CLIENT GETREDIR',
    'CLIENT TRACKINGINFO',
    'CLIENT CACHING yes',
    'CLIENT nonsense',
    'CONFIG SET a',
    'CONFIG SET a b',
    'CONFIG SET port 1 port',
    'CONFIG SET slowlog-max-len x',
    'CONFIG SET databases 3',
    'CONFIG SET notify-keyspace-events q',
    'CONFIG SET notify-keyspace-events xKnEg',
    'CONFIG GET notify-keyspace-events',
    'CONFIG SET notify-keyspace-events lshzxetdg$n',
    'CONFIG GET notify-keyspace-events',
    'CONFIG SET appendonly yes appendonly yes',
    'CONFIG SET tracking-table-max-keys x',
    'CONFIG SET tracking-table-max-keys 5',
    'CONFIG GET tracking-table-max-keys',
    'CONFIG SET maxmemory-policy nonsense',
    'CONFIG SET maxmemory-policy NOEVICTION',
    'CONFIG GET maxmemory-policy',
    'CONFIG REWRITE',
    'CONFIG RESETSTAT',
    'COMMAND INFO publish nonsense client|id',
    'COMMAND GETKEYS memory usage k',
    'COMMAND GETKEYS nonsense x',
    'COMMAND GETKEYS publish a b',
    'COMMAND LIST FILTERBY',
    'COMMAND LIST FILTERBY nonsense x',
    'COMMAND LIST FILTERBY MODULE x',
    'COMMAND DOCS nonsense',
    'ACL WHOAMI',
    'ACL CAT nonsense',
    'ACL GENPASS 0',
    'ACL GENPASS x',
    'ACL USERS',
    'ACL LIST',
    'ACL GETUSER default',
    'ACL GETUSER nosuch',
    'ACL DRYRUN default config get port',
    'ACL DRYRUN nosuch publish a b',
    'ACL DRYRUN default nosuch a',
    'ACL DRYRUN default config nosuch',
    'ACL DRYRUN default publish a',
    'ACL LOG',
    'ACL LOG RESET',
    'ACL DELUSER default',
    'CONFIG GET acllog-max-len',
    'CONFIG GET aclfile',
    'SLOWLOG GET -2',
    'SLOWLOG GET x',
    'SLOWLOG nonsense',
    'SLOWLOG RESET',
    'SLOWLOG LEN',
    'LATENCY LATEST',
    'LATENCY HISTORY nonsense',
    'LATENCY GRAPH nonsense',
    'LATENCY RESET',
    'LATENCY RESET nonsense',
    'LATENCY HISTOGRAM nonsense',
    'LATENCY nonsense',
    'LATENCY HISTORY',
    'MEMORY USAGE nonsense',
    'MEMORY USAGE k nonsense',
    'MEMORY PURGE',
    'PUBSUB NUMSUB',
    'PUBSUB NUMSUB a b',
    'PUBSUB NUMPAT',
    'PUBSUB CHANNELS',
    'PUBSUB SHARDNUMSUB a',
    'PUBSUB nonsense',
    'PUBLISH a b',
    'SPUBLISH a b',
    'WAIT 0 0',
    'WAIT x 0',
    'WAIT 0 -1',
    'BGSAVE nonsense',
    'SHUTDOWN nonsense',
    'SHUTDOWN SAVE NOSAVE',
    'SHUTDOWN ABORT',
    'LOLWUT VERSION x',
  ];

  test.each([2, 3] as const)('replies of RESP%i are equal', async (version) => {
    const door = await DoorHarness.open();
    const client = door.session(version);
    await real.run('RESET');
    await real.run('HELLO', version);
    const own: string[] = [];
    const theirs: string[] = [];
    for (const call of calls) {
      const words = call.split(' ');
      own.push(`${call}: ${await door.decoded(client, ...words)}`);
      theirs.push(`${call}: ${showReply(await real.run(...words))}`);
    }
    expect(own).toEqual(theirs);
  });
});

test('LATENCY says where else to look', async () => {
  const door = await DoorHarness.open();
  const client = door.session();
  expect((await door.run(client, 'LATENCY', 'DOCTOR'))[0]).toContain('SLOWLOG GET');
  expect((await door.run(client, 'LATENCY', 'HELP'))[0]).toContain('GRAPH event');
});

describe('DEBUG', () => {
  test('what is not there is refused, and HELP lists the rest', async () => {
    const door = await DoorHarness.open();
    const client = door.session();
    expect(await door.run(client, 'DEBUG', 'SEGFAULT')).toEqual([
      "-ERR unknown subcommand or wrong number of arguments for 'SEGFAULT'. Try DEBUG HELP.",
    ]);
    expect(await door.run(client, 'DEBUG', 'SET-ACTIVE-EXPIRE', '1')).toEqual(['+OK']);
    expect((await door.run(client, 'DEBUG', 'SET-ACTIVE-EXPIRE', '0'))[0]).toMatch(/^-ERR /);
    expect((await door.run(client, 'DEBUG', 'HELP'))[0]).toContain('OBJECT key');
  });
});
