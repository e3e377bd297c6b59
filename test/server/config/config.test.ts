import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { defaults, serverDefaults } from '../../../src/limits.ts';
import { type ConfigSources, type ServerConfig, loadConfig } from '../../../src/server/config/config.ts';
import { OptionError } from '../../../src/server/config/option-values.ts';
import {
  type ServerOption,
  configOption,
  environmentName,
  serverOptions,
} from '../../../src/server/config/server-options.ts';
import { isServiceLink } from '../../../src/server/config/service-links.ts';

const MACHINE_BYTES = 8 * 1024 ** 3;

function isOfCluster(name: string): boolean {
  return ['log', 'advertise', 'peer', 'follow'].includes(name.split('-')[0] ?? '');
}

/** Never the file of whoever runs the tests. */
async function load(sources: ConfigSources = {}, yaml = ''): Promise<ServerConfig> {
  const directory = await mkdtemp(join(tmpdir(), 'kelp-config-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'kelp.yaml');
  await writeFile(path, yaml);
  const environment = { KELP_CONFIG: path, ...sources.environment };
  return loadConfig({ machineMemoryBytes: MACHINE_BYTES, ...sources, environment });
}

async function refusal(sources: ConfigSources, yaml = ''): Promise<string> {
  const error = await load(sources, yaml).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(OptionError);
  return (error as OptionError).message;
}

test('nothing given gives the defaults of the limits', async () => {
  expect(await load()).toEqual({
    listen: { host: '127.0.0.1', port: 7379 },
    dataDir: './data',
    volumeId: 'vol-1',
    engine: 'memory',
    fsync: 'always',
    memoryBytesMax: MACHINE_BYTES / 2,
    memoryPolicy: 'noeviction',
    valueCompression: false,
    tls: undefined,
    access: {
      rootPasswordFile: undefined,
      allowAnonymous: false,
      allowPlaintext: false,
      openMetrics: false,
      openReflection: false,
    },
    corsOrigins: [],
    console: 'auto',
    otlp: undefined,
    cluster: undefined,
    logLevel: 'info',
    logFormat: 'auto',
    limits: defaults,
    serverLimits: serverDefaults,
  });
});

test('a flag goes before the environment, that before the file, that before the default', async () => {
  const flags = { 'data-dir': '/flag' };
  const environment = { KELP_DATA_DIR: '/environment', KELP_LISTEN: ':1' };
  const yaml = 'data-dir: /file\nlisten: ":2"\nfsync: never\n';

  expect(await load({ flags, environment }, yaml)).toMatchObject({
    dataDir: '/flag',
    listen: { host: '', port: 1 },
    fsync: 'never',
    logLevel: 'info',
  });
});

test('clients of Redis are served where that is asked for, with TLS where the server has it', async () => {
  const tls = { 'tls-cert': 'x', 'tls-key': 'x' };
  const at = { 'redis-listen': '127.0.0.1:6379' };
  const listen = { host: '127.0.0.1', port: 6379 };
  expect((await load()).redis).toBeUndefined();
  expect((await load({ flags: { 'redis-listen': '' } })).redis).toBeUndefined();
  expect((await load({ flags: at })).redis).toEqual({ listen, hasTls: false, eventClasses: '' });
  expect((await load({ flags: { ...at, ...tls } })).redis).toEqual({
    listen,
    hasTls: true,
    eventClasses: '',
  });
  expect((await load({ flags: { ...at, ...tls, 'redis-tls': 'off' } })).redis).toEqual({
    listen,
    hasTls: false,
    eventClasses: '',
  });
  expect((await load({ flags: { ...tls, 'redis-listen': 'unix:/s' } })).redis).toEqual({
    listen: { path: '/s' },
    hasTls: false,
    eventClasses: '',
  });
});

test('classes of keyspace events are checked at the start', async () => {
  const at = { 'redis-listen': ':6379', 'redis-notify-keyspace-events': 'KEA!' };
  await expect(load({ flags: at })).rejects.toThrow(
    '--redis-notify-keyspace-events: expected letters of Ag$lshzxeKEtmdn, not "KEA!"',
  );
});

test('a flag that is undefined is not given', async () => {
  expect((await load({ flags: { 'data-dir': undefined } })).dataDir).toBe('./data');
});

test('every option can be set by flag, environment and file', async () => {
  const endpoint = 'http://collector';
  const ownTexts: Readonly<Record<string, string>> = {
    'otlp-endpoint': endpoint,
    'redis-listen': ':6379',
    'redis-notify-keyspace-events': 'K',
  };
  const textOf = ({ name, type, defaultText }: ServerOption): string =>
    defaultText ?? ownTexts[name] ?? (type === 'origins' ? 'http://x' : 'x');
  // What makes a node of a cluster excludes some of the others: `cluster-config.test.ts`.
  const options = serverOptions.filter(({ name, defaultText }) => defaultText ?? !isOfCluster(name));
  const flagged = Object.fromEntries(options.map((option) => [option.name, textOf(option)]));
  const inEnvironment = Object.fromEntries(
    options.map((option) => [environmentName(option.name), textOf(option)]),
  );
  const yaml = options.map((option) => `${option.name}: "${textOf(option)}"`).join('\n');

  const tls = { certPath: 'x', keyPath: 'x', clientCaPath: 'x' };
  const otlp = { endpoint, sampleShare: 1 };
  const defaultConfig = await load();
  const access = { ...defaultConfig.access, rootPasswordFile: 'x' };
  const redis = { listen: { host: '', port: 6379 }, hasTls: true, eventClasses: 'K' };
  const expected = { ...defaultConfig, redis, tls, access, otlp, corsOrigins: ['http://x'] };
  expect(await load({ flags: flagged })).toEqual(expected);
  expect(await load({ environment: inEnvironment })).toEqual(expected);
  expect(await load({}, yaml)).toEqual(expected);
});

test.each([
  ['512MiB', 512 * 1024 ** 2],
  ['25%', MACHINE_BYTES / 4],
  ['12.5 %', MACHINE_BYTES / 8],
])('the memory limit is a size or a share of the machine: %s', async (text, bytes) => {
  expect((await load({ flags: { 'memory-limit': text } })).memoryBytesMax).toBe(bytes);
  expect((await load({}, `memory-limit: ${text}`)).memoryBytesMax).toBe(bytes);
});

test.each([
  ['0%', 'above 0%'],
  ['101%', 'up to 100%'],
  ['half', 'expected a size'],
  ['1MiB', 'expected 64MiB to'],
])('a memory limit of %s is refused', async (text, reason) => {
  const message = await refusal({ environment: { KELP_MEMORY_LIMIT: text } });
  expect(message).toContain('KELP_MEMORY_LIMIT');
  expect(message).toContain(reason);
});

test('an endpoint of OTLP is a URL of HTTP, with a share of the traces', async () => {
  const flags = { 'otlp-endpoint': 'https://collector:4318/base', 'trace-sample': '12.5%' };
  expect((await load({ flags })).otlp).toEqual({
    endpoint: 'https://collector:4318/base',
    sampleShare: 0.125,
  });
  expect((await load({ flags: { 'otlp-endpoint': '' } })).otlp).toBeUndefined();
});

test.each([
  [{ 'otlp-endpoint': 'collector:4318' }, 'expected a URL such as http://127.0.0.1:4318'],
  [{ 'otlp-endpoint': 'grpc://collector:4317' }, 'expected a URL such as http://127.0.0.1:4318'],
  [{ 'otlp-endpoint': 'http://collector/?key=secret' }, 'expected a URL without a query'],
  [{ 'otlp-endpoint': 'http://user:secret@collector' }, 'give it by OTEL_EXPORTER_OTLP_HEADERS'],
  [{ 'trace-sample': '0.1' }, '--trace-sample: expected a share such as 10%'],
  [{ 'trace-sample': '0%' }, 'above 0% up to 100%'],
])('options of traces that say nothing are refused: %j', async (flags, reason) => {
  const message = await refusal({ flags });
  expect(message).toContain(reason);
  expect(message).not.toContain('secret');
});

describe('switches', () => {
  const openMetrics = async (sources: ConfigSources, yaml = ''): Promise<boolean> =>
    (await load(sources, yaml)).access.openMetrics;

  test('are on by a flag, true or 1, and off by false, 0 or nothing', async () => {
    const inEnvironment = (text: string): Promise<boolean> =>
      openMetrics({ environment: { KELP_OPEN_METRICS: text } });
    expect(await Promise.all(['true', '1', 'false', '0', ''].map(inEnvironment))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(await openMetrics({ flags: { 'open-metrics': 'true' } })).toBe(true);
    expect(await openMetrics({}, 'open-metrics: true')).toBe(true);
    expect(await openMetrics({ environment: { KELP_OPEN_METRICS: 'false' } }, 'open-metrics: true')).toBe(
      false,
    );
  });

  test('are nothing else', async () => {
    expect(await refusal({ environment: { KELP_ALLOW_ANONYMOUS: 'yes' } })).toBe(
      'KELP_ALLOW_ANONYMOUS: expected true or false, not "yes"',
    );
    expect(await refusal({}, 'allow-plaintext: [true]')).toMatch(
      /kelp.yaml: allow-plaintext: expected true or false$/,
    );
    expect(await refusal({}, 'data-dir: true')).toMatch(/data-dir: expected a text or a number$/);
  });

  test('that contradict another option are refused', async () => {
    const flags = { 'allow-anonymous': 'true', 'root-password-file': '/etc/kelp/root-password' };
    expect(await refusal({ flags })).toMatch(
      /^--allow-anonymous and --root-password-file exclude each other/,
    );
  });
});

test('a share of a very small machine is the least possible memory limit', async () => {
  expect((await load({ machineMemoryBytes: 100 * 1024 ** 2 })).memoryBytesMax).toBe(64 * 1024 ** 2);
});

describe('origins of web pages', () => {
  const originsOf = async (text: string): Promise<readonly string[]> =>
    (await load({ flags: { 'cors-origin': text } })).corsOrigins;

  test('are taken in the form of browsers', async () => {
    expect(await originsOf('https://App.example.com:443, http://localhost:3000,http://[0::1]:80,')).toEqual([
      'https://app.example.com',
      'http://localhost:3000',
      'http://[::1]',
    ]);
    expect(await originsOf('chrome-extension://AbCd,https://a,https://A')).toEqual([
      'chrome-extension://abcd',
      'https://a',
    ]);
    expect(await originsOf('*')).toEqual(['*']);
    expect(await originsOf('')).toEqual([]);
  });

  test('may be a list in the file', async () => {
    const expected = ['https://a.example', 'https://b.example'];
    expect((await load({}, 'cors-origin: [https://a.example, https://b.example]')).corsOrigins).toEqual(
      expected,
    );
    expect((await load({}, 'cors-origin: https://a.example,https://b.example')).corsOrigins).toEqual(
      expected,
    );
    expect(await refusal({}, 'cors-origin: [1]')).toMatch(
      /kelp.yaml: cors-origin: expected a text or a list/,
    );
    expect(await refusal({}, 'data-dir: [a]')).toMatch(/data-dir: expected a text or a number/);
  });

  test.each([
    'app.example.com',
    'localhost:3000',
    'https://app.example.com/',
    'https://app.example.com/path',
    'https://*.example.com',
    'https://user@app.example.com',
    'https://app.example.com:port',
    'https://',
    'null',
    'https://a.example https://b.example',
  ])('are no %j', async (text) => {
    const message = await refusal({ environment: { KELP_CORS_ORIGIN: text } });
    expect(message).toMatch(/^KELP_CORS_ORIGIN: .*(https:\/\/app\.example\.com|an origin of its own)/);
  });
});

test('every limit has an option and every option a description', () => {
  for (const { name, description } of serverOptions) expect(description, name).not.toBe('');
  expect(new Set(serverOptions.map((option) => option.name)).size).toBe(serverOptions.length);
});

test('limits are read in their units', async () => {
  const flags = {
    'value-bytes-max': '1MiB',
    'history-age': '30m',
    'watchers-max': '7',
    'request-timeout': '5s',
  };

  const { limits, serverLimits } = await load({ flags });

  expect(limits).toEqual({ ...defaults, valueBytesMax: 1_048_576, historyAgeMs: 1_800_000, watchersMax: 7 });
  expect(serverLimits).toEqual({ ...serverDefaults, requestTimeoutMs: 5000 });
});

test('numbers may stand bare in the file', async () => {
  expect((await load({}, 'leases-max: 5\nsegment-bytes: 1048576')).limits).toMatchObject({
    leasesMax: 5,
    segmentBytes: 1_048_576,
  });
});

describe('a name that is not known is refused', () => {
  test('as a flag', async () => {
    expect(await refusal({ flags: { 'data-dri': 'x' } })).toBe(
      '--data-dri: unknown flag; did you mean --data-dir?',
    );
  });

  test('in the environment', async () => {
    expect(await refusal({ environment: { KELP_FSYNK: 'x' } })).toBe(
      'KELP_FSYNK: unknown environment variable; did you mean KELP_FSYNC?',
    );
  });

  test('in the file', async () => {
    expect(await refusal({}, 'datadir: x')).toMatch(
      /kelp\.yaml: datadir: unknown option; did you mean data-dir\?$/,
    );
  });

  test('without a guess when nothing is near', async () => {
    expect(await refusal({ flags: { colour: 'blue' } })).toBe(
      '--colour: unknown flag; kelp serve --help and kelp.example.yaml list them',
    );
    expect(await refusal({ environment: { KELP_COLOUR: 'blue' } })).toBe(
      'KELP_COLOUR: unknown environment variable; kelp serve --help and kelp.example.yaml list them',
    );
    expect(await refusal({}, 'colour: blue')).toMatch(
      /kelp\.yaml: colour: unknown option; kelp serve --help and kelp\.example\.yaml list them$/,
    );
  });

  test('but for what others use', async () => {
    const environment = { KELP_ADDRESS: '127.0.0.1:1', PATH: '/bin' };

    await load({ environment, otherEnvironmentNames: ['KELP_ADDRESS'] });
    expect(await refusal({ environment })).toMatch(/^KELP_ADDRESS: unknown/);
  });

  test('the file can not name another file', async () => {
    expect(await refusal({}, 'config: other.yaml')).toMatch(/config: unknown option/);
  });
});

describe('a value that can not be is refused with its source', () => {
  test.each([
    [{ fsync: 'sometimes' }, /^--fsync: expected one of always, interval, never, not "sometimes"$/],
    [{ listen: 'nowhere' }, /^--listen: expected HOST:PORT/],
    [{ 'data-dir': '' }, /^--data-dir: expected a text/],
    [{ 'value-bytes-max': '0' }, /^--value-bytes-max: expected 1 to 64MiB, not 0$/],
    [{ 'checkpoint-bytes': '64KiB' }, /^--checkpoint-bytes: expected 1MiB to 1024GiB, not 64KiB$/],
    [{ 'value-bytes-max': 'big' }, /^--value-bytes-max: expected a size/],
    [{ 'shutdown-timeout': '10' }, /^--shutdown-timeout: expected a time with its unit/],
    [{ 'handshake-timeout': '25d' }, /^--handshake-timeout: expected 10ms to 576h, not 25d$/],
    [{ 'idle-timeout': '25d' }, /^--idle-timeout: expected 10ms to 576h, not 25d$/],
    [{ 'request-timeout': '366d' }, /^--request-timeout: expected 10ms to 8760h, not 366d$/],
    [{ 'calls-max': '1.5' }, /^--calls-max: expected a whole number/],
    [{ 'log-level': 'loud' }, /^--log-level: expected one of trace/],
    [{ 'tls-cert': 'cert.pem' }, /--tls-cert and --tls-key go together/],
    [{ 'tls-key': 'key.pem' }, /--tls-cert and --tls-key go together/],
    [{ 'tls-client-ca': 'ca.pem' }, /^--tls-client-ca: client certificates need TLS; give --tls-cert/],
    [{ 'value-bytes-max': '64MiB' }, /^--txn-bytes-max: 32MiB is too little for --value-bytes-max/],
    [{ 'request-bytes-max': '1MiB' }, /^--request-bytes-max: 1MiB is too little for --value-bytes-max/],
    [{ 'reply-bytes-max': '1MiB' }, /^--reply-bytes-max: 1MiB is too little for --value-bytes-max/],
    [{ 'call-bytes-max': '1MiB' }, /^--call-bytes-max: 1MiB is too little for/],
    [
      { engine: 'lsm', 'value-compression': 'true' },
      /^--value-compression: it is for the engine memory; lsm compresses .* at --compression-level; leave it out$/,
    ],
    [{ engine: 'btree', 'value-compression': 'true' }, /^--value-compression: .*; btree compresses nothing/],
    [{ 'unflushed-bytes-max': '1MiB' }, /^--unflushed-bytes-max: 1MiB is too little for --txn-bytes-max/],
  ])('%j', async (flags, message) => {
    expect(await refusal({ flags })).toMatch(message);
  });

  test('from the environment and the file', async () => {
    expect(await refusal({ environment: { KELP_FSYNC: 'no' } })).toMatch(/^KELP_FSYNC: expected one of/);
    expect(await refusal({}, 'fsync: no-thanks')).toMatch(/kelp\.yaml: fsync: expected one of/);
    expect(await refusal({}, 'fsync: [always]')).toMatch(/kelp\.yaml: fsync: expected a text or a number/);
  });
});

describe('the file', () => {
  test('must be there when it was asked for', async () => {
    expect(await refusal({ flags: { config: '/nowhere/kelp.yaml' } })).toMatch(
      /^--config: can't read \/nowhere\/kelp\.yaml: /,
    );
  });

  test('may be empty, or hold nothing but comments', async () => {
    expect((await load({}, '# nothing\n')).dataDir).toBe('./data');
  });

  test.each(['- a\n- b', 'just text', 'fsync: always\nfsync: never', 'a: [', 'a: &x 1\nb: *x'])(
    '%j is refused',
    async (yaml) => {
      expect(await refusal({}, yaml)).toMatch(/kelp\.yaml/);
    },
  );
});

describe('what other programs call PORT, DATA_DIR and VOLUME_ID', () => {
  const environment = { PORT: '9001', DATA_DIR: '/data', VOLUME_ID: 'vol-7' };

  test('is taken where nothing else is given', async () => {
    expect(await load({ environment })).toEqual({
      ...(await load()),
      listen: { host: '127.0.0.1', port: 9001 },
      dataDir: '/data',
      volumeId: 'vol-7',
    });
  });

  test('comes behind flags, the environment of the server and the file', async () => {
    const expected = { listen: { host: '', port: 1 }, dataDir: '/here', volumeId: 'vol-2' };
    const given = { listen: ':1', 'data-dir': '/here', 'volume-id': 'vol-2' };
    const own = { KELP_LISTEN: ':1', KELP_DATA_DIR: '/here', KELP_VOLUME_ID: 'vol-2' };
    const broken = { PORT: 'none', DATA_DIR: '/data', VOLUME_ID: '!' };
    expect(await load({ environment: broken, flags: given })).toMatchObject(expected);
    expect(await load({ environment: { ...broken, ...own } })).toMatchObject(expected);
    const yaml = 'listen: ":1"\ndata-dir: /here\nvolume-id: vol-2\n';
    expect(await load({ environment: broken }, yaml)).toMatchObject(expected);
  });

  test.each(['tcp://10.0.0.11:7379', 'udp://10.0.0.11:53', ''])(
    'may be %j, which is no port',
    async (text) => {
      const unset = { PORT: text, DATA_DIR: '', VOLUME_ID: '' };
      expect(await load({ environment: unset })).toEqual(await load());
    },
  );

  test.each(['http', '70000', '-1', '1.5', '127.0.0.1:9001', ':9001'])(
    'a PORT of %j is refused',
    async (text) => {
      expect(await refusal({ environment: { PORT: text } })).toMatch(/^PORT: expected a port.*KELP_LISTEN/);
    },
  );

  test.each(['a b', 'ä', 'a/b', 'x'.repeat(65)])('a volume named %j is refused', async (text) => {
    expect(await refusal({ environment: { VOLUME_ID: text } })).toMatch(/^VOLUME_ID: .*such as vol-1/);
    expect(await refusal({ flags: { 'volume-id': text } })).toMatch(/^--volume-id: .*such as vol-1/);
  });
});

describe('what Kubernetes and Docker set for services', () => {
  test.each(['KELP', 'KELP_METRICS', 'KELP_LISTEN', 'KELP_DATA_DIR', 'KELP_2'])(
    'named %s is passed over',
    async (service) => {
      const environment = {
        [`${service}_SERVICE_HOST`]: '10.0.0.11',
        [`${service}_SERVICE_PORT`]: '7379',
        [`${service}_SERVICE_PORT_HTTP_METRICS`]: '9090',
        [`${service}_PORT`]: 'tcp://10.0.0.11:7379',
        [`${service}_PORT_7379_TCP`]: 'tcp://10.0.0.11:7379',
        [`${service}_PORT_7379_TCP_PROTO`]: 'tcp',
        [`${service}_PORT_7379_TCP_PORT`]: '7379',
        [`${service}_PORT_7379_TCP_ADDR`]: '10.0.0.11',
        [`${service}_PORT_53_UDP`]: 'udp://[fd00::11]:53',
        [`${service}_PORT_53_UDP_ADDR`]: 'fd00::11',
        [`${service}_NAME`]: '/web/kelp',
        [`${service}_ENV_NODE_VERSION`]: '24.21.0',
      };
      expect(await load({ environment })).toEqual(await load());
    },
  );

  test.each([
    ['KELP_METRICS_PORT', '7379'],
    ['KELP_LISTEN_PORT', '7379'],
    ['KELP_METRICS_PORT_HTTP_TCP', 'tcp://10.0.0.11:7379'],
    ['KELP_METRICS_SERVICE_HOST', 'true'],
    ['KELP_METRICS_SERVICE', 'tcp://10.0.0.11:7379'],
    ['KELP_NAME', 'kelp'],
    ['KELP_DATA_DIRS', '/data'],
  ])('is of another form than %s=%s, which is refused', async (variable, text) => {
    expect(await refusal({ environment: { [variable]: text } })).toMatch(
      `${variable}: unknown environment variable`,
    );
  });

  test('never has the name of an option', () => {
    const variables = [configOption, ...serverOptions].map(({ name }) => environmentName(name));
    const values = ['10.0.0.11', '7379', 'tcp://10.0.0.11:7379', '/web/kelp'];
    expect(variables.filter((variable) => values.some((value) => isServiceLink(variable, value)))).toEqual(
      [],
    );
  });
});

test.each([
  ['data_dir', 'data-dir'],
  ['dataDir', 'data-dir'],
  ['DATA_DIR', 'data-dir'],
  ['KELP_DATA_DIR', 'data-dir'],
  ['--data-dir', 'data-dir'],
  ['fsync_intervall', 'fsync-interval'],
])('in the file, the habits of other places lead to the right name: %s', async (written, option) => {
  expect(await refusal({}, `${written}: x`)).toMatch(
    new RegExp(`: unknown option; did you mean ${option}\\?$`),
  );
});
