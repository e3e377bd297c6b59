/** What makes a server a node of a cluster, and what is refused with it. */
import { describe, expect, test } from 'vitest';
import { cluster, defaults } from '../../../src/limits.ts';
import { type ServerConfig, loadConfig } from '../../../src/server/config/config.ts';
import { environmentName } from '../../../src/server/config/server-options.ts';
import { OptionError } from '../../../src/server/config/option-values.ts';

const LOG = 'etcd://10.0.0.1:2379,10.0.0.2:2379/kelp/main';

type Flags = Readonly<Record<string, string>>;

const load = (flags: Flags): Promise<ServerConfig> =>
  loadConfig({ flags, machineMemoryBytes: 8 * 1024 ** 3 });

async function refusal(flags: Flags): Promise<string> {
  const error = await load(flags).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(OptionError);
  return (error as OptionError).message;
}

test('with a shared log alone the defaults make a node, which listens where others can reach it', async () => {
  const { cluster: config, fsync, limits } = await load({ log: LOG, listen: '10.0.1.1:7379' });
  expect(config).toEqual({
    log: LOG,
    follow: undefined,
    logTls: { caPath: undefined, certPath: undefined, keyPath: undefined },
    logLogin: undefined,
    advertise: undefined,
    advertiseRedis: undefined,
    failoverAfterMs: 2000,
    readyLagMs: 10_000,
    peerCaPath: undefined,
    peerTokenFile: undefined,
  });
  expect(fsync).toBe('interval');
  const { txnBytesMax, valueBytesMax } = cluster;
  expect(limits).toEqual({ ...defaults, txnBytesMax, valueBytesMax });
});

test('every option of a node can be set, by flags and by the environment', async () => {
  const flags = {
    log: LOG,
    listen: ':7379',
    'redis-listen': ':6379',
    'tls-cert': 'c',
    'tls-key': 'k',
    'log-ca': 'la',
    'log-cert': 'lc',
    'log-key': 'lk',
    'log-user': 'kelp',
    'log-password-file': 'lp',
    advertise: '[fd00::1]:7379',
    'advertise-redis': 'one.example:6379',
    'failover-after': '5s',
    'ready-lag': '1m',
    'peer-ca': 'pa',
    'peer-token-file': 'pt',
  };
  const environment = Object.fromEntries(
    Object.entries(flags).map(([name, text]) => [environmentName(name), text]),
  );
  const expected = {
    log: LOG,
    follow: undefined,
    logTls: { caPath: 'la', certPath: 'lc', keyPath: 'lk' },
    logLogin: { user: 'kelp', passwordFile: 'lp' },
    advertise: '[fd00::1]:7379',
    advertiseRedis: 'one.example:6379',
    failoverAfterMs: 5000,
    readyLagMs: 60_000,
    peerCaPath: 'pa',
    peerTokenFile: 'pt',
  };
  expect((await load(flags)).cluster).toEqual(expected);
  expect((await loadConfig({ environment })).cluster).toEqual(expected);
});

test('a server that follows another one has the limits of one that is alone', async () => {
  const flags = { follow: 'unix:/run/kelp', 'follow-ca': 'c', 'follow-token-file': 't' };
  const { cluster: config, fsync, limits } = await load(flags);
  expect(config).toMatchObject({
    log: '',
    follow: { address: 'unix:/run/kelp', caPath: 'c', tokenFile: 't' },
  });
  expect(fsync).toBe('interval');
  expect(limits).toEqual(defaults);
});

test('limits that the operator has set lower stay as they are', async () => {
  const { limits } = await load({ log: LOG, 'value-bytes-max': '64KiB', 'txn-bytes-max': '128KiB' });
  expect(limits).toMatchObject({ valueBytesMax: 64 * 1024, txnBytesMax: 128 * 1024 });
});

describe('is refused', () => {
  test.each<readonly [string, Flags, string]>([
    ['both to follow', { log: LOG, follow: 'a:1', listen: 'b:1' }, '--follow and --log exclude each other'],
    ['a policy of flushes of a follower', { follow: 'a:1', fsync: 'always' }, '--fsync and --follow exclude'],
    ['an engine on disk of a follower', { follow: 'a:1', engine: 'lsm' }, 'keeps its keys in memory'],
    ['a token for nothing', { 'follow-token-file': 't' }, 'give --follow, too'],
    [
      'to advertise a follower',
      { follow: 'a:1', advertise: 'b:1' },
      '--advertise is for a node of a cluster',
    ],
    ['a policy of flushes', { log: LOG, fsync: 'always' }, '--fsync and --log exclude each other'],
    [
      'an engine on disk',
      { log: LOG, engine: 'lsm' },
      '--engine: a node of a cluster keeps its keys in memory',
    ],
    ['a wildcard that others are to reach', { log: LOG, listen: ':7379' }, '--advertise: other nodes'],
    ['0.0.0.0', { log: LOG, listen: '0.0.0.0:7379' }, "can't reach this one at 0.0.0.0:7379"],
    ['a socket of a file', { log: LOG, listen: 'unix:/run/kelp' }, '--advertise: other nodes'],
    ['to advertise a wildcard', { log: LOG, advertise: ':7379' }, '--advertise: expected HOST:PORT'],
    ['to advertise no port', { log: LOG, advertise: 'a:0' }, '--advertise: expected HOST:PORT'],
    ['to advertise Redis without it', { log: LOG, 'advertise-redis': 'a:1' }, 'give --redis-listen, too'],
    ['a hasty failover', { log: LOG, 'failover-after': '999ms' }, '--failover-after: expected 1s to 1m'],
    ['a slow failover', { log: LOG, 'failover-after': '61s' }, '--failover-after: expected 1s to 1m'],
    ['a certificate without its key', { log: LOG, 'log-cert': 'c' }, '--log-cert and --log-key go together'],
    ['a user without a password', { log: LOG, 'log-user': 'u' }, '--log-password-file go together'],
    ['a peer CA without TLS', { log: LOG, 'peer-ca': 'c' }, 'give --tls-cert and --tls-key'],
    ['a value that no batch takes', { log: LOG, 'value-bytes-max': '1MiB' }, 'expected 704KiB or less'],
    ['a transaction that none takes', { log: LOG, 'txn-bytes-max': '2MiB' }, 'expected 768KiB or less'],
    [
      'a part of it without a log',
      { advertise: 'a:1' },
      '--advertise is for a node of a cluster; give --log',
    ],
  ])('%s', async (_, flags, message) => {
    expect(await refusal(flags)).toContain(message);
  });
});
