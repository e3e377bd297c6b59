/**
 * The server's configuration: flags come before the environment, the environment before the file, the file before what other
 * programs call the same in the environment (`PORT`), and that before the defaults. Everything is checked before anything is started, and a name that is not known is an error.
 */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { named } from '../../arguments/check.ts';
import { isVolumeId } from '../../blobs/volume-id.ts';
import { assert, systemReason } from '../../errors.ts';
import {
  type Limits,
  type ServerLimits,
  type SettableLimit,
  defaults,
  fixed,
  limitOptionName,
  serverDefaults,
} from '../../limits.ts';
import { machineMemoryBytes } from '../../machine.ts';
import type { FsyncPolicy } from '../../api.ts';
import { faultOfMemoryPolicy, type MemoryPolicy } from '../../memory-policies.ts';
import { type EngineName, insteadOfValueCompression } from '../../engine-names.ts';
import {
  type ListenAddress,
  OptionError,
  parseBytes,
  parseDurationMs,
  parseInteger,
  parseListenAddress,
  parseShare,
  parseSwitch,
} from './option-values.ts';
import { type ServerOption, configOption, formatNumber } from './server-options.ts';
import { readEnvironment, readPlainEnvironment } from './environment.ts';
import { type Setting, optionNamed, optionNames, unknownName } from './settings.ts';
import { parseOrigins } from './web-origins.ts';
import { type ClusterConfig, clusterOf, withinBatches } from './cluster-config.ts';

export interface ServerConfig {
  readonly listen: ListenAddress;
  /** Where clients of Redis are served, whether with TLS, and of which events of keys they are told; `undefined`: nowhere. */
  readonly redis:
    { readonly listen: ListenAddress; readonly hasTls: boolean; readonly eventClasses: string } | undefined;
  readonly dataDir: string;
  readonly engine: EngineName;
  readonly fsync: FsyncPolicy;
  readonly volumeId: string;
  /** What the state of the store may take. */
  readonly memoryBytesMax: number;
  /** What happens when that is full. */
  readonly memoryPolicy: MemoryPolicy;
  /** Whether values in memory are kept compressed. */
  readonly valueCompression: boolean;
  /** Paths of PEM files; `undefined`: no TLS. */
  readonly tls:
    | {
        readonly certPath: string;
        readonly keyPath: string;
        /** Authorities of client certificates; `undefined`: none are asked for. */
        readonly clientCaPath: string | undefined;
      }
    | undefined;
  readonly access: AccessConfig;
  /** Origins of web pages that may call, in the form of browsers; `*`: all of them. */
  readonly corsOrigins: readonly string[];
  readonly console: ConsoleChoice;
  /** Where spans are sent to, and of which share of the traces that begin here; `undefined`: nowhere. */
  readonly otlp: { readonly endpoint: string; readonly sampleShare: number } | undefined;
  /** `undefined`: the server is alone. */
  readonly cluster: ClusterConfig | undefined;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly limits: Limits;
  readonly serverLimits: ServerLimits;
}

/** Whether the server has the console; `auto`: where no other machine reaches it. */
export type ConsoleChoice = 'auto' | 'on' | 'off';

/** What the operator has decided about access; what it leads to, `server/access/safe-start.ts` says. */
export interface AccessConfig {
  /** Of the password of the user root, which is made at a start without one; `undefined`: none is made. */
  readonly rootPasswordFile: string | undefined;
  /** Whether all who reach the port may do everything, also from other machines, as long as there is no root. */
  readonly allowAnonymous: boolean;
  /** Whether passwords and tokens may come from other machines without TLS. */
  readonly allowPlaintext: boolean;
  /** Whether metrics, and reflection, need no credentials where everything else does. */
  readonly openMetrics: boolean;
  readonly openReflection: boolean;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
export type LogFormat = 'auto' | 'json' | 'pretty';

export interface ConfigSources {
  /** By option name, without the dashes: `{ 'data-dir': './data' }`. */
  readonly flags?: Readonly<Record<string, string | undefined>>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** `KELP_*` variables that mean something to others than the server; they are passed over. */
  readonly otherEnvironmentNames?: readonly string[];
  /** Of which `--memory-limit` may be a share; left out: what the machine or container has. */
  readonly machineMemoryBytes?: number;
}

const fileDefault = 'kelp.yaml';

/** Rejects with an `OptionError` that names the source of what can't be used. */
export async function loadConfig(sources: ConfigSources = {}): Promise<ServerConfig> {
  const flags = readFlags(sources.flags ?? {});
  const environment = readEnvironment(sources.environment ?? {}, sources.otherEnvironmentNames ?? []);
  const file = await readFileSettings(flags.get(configOption.name) ?? environment.get(configOption.name));

  const memoryBytes = sources.machineMemoryBytes ?? machineMemoryBytes();

  const plain = readPlainEnvironment(sources.environment ?? {});
  const settingByName = new Map([...plain, ...file, ...environment, ...flags]);
  const config: Omit<ServerConfig, 'cluster'> = {
    listen: valueOf('listen', (text, source) =>
      source === 'PORT' ? portOnDefaultHost(text) : parseListenAddress(text),
    ),
    redis: redisOf(
      valueOf('redis-listen', (text) => (text === '' ? undefined : parseListenAddress(text))),
      valueOf('redis-tls', (text) => text === 'auto'),
      valueOf('redis-notify-keyspace-events', eventClassesOf),
    ),
    dataDir: valueOf('data-dir', nonEmpty),
    volumeId: valueOf('volume-id', parseVolumeId),
    engine: valueOf('engine', (text) => text as EngineName),
    fsync: valueOf('fsync', (text) => text as FsyncPolicy),
    memoryBytesMax: valueOf(limitOptionName('memoryBytesMax'), (text) => parseMemoryLimit(text, memoryBytes)),
    memoryPolicy: valueOf('memory-policy', (text) => text as MemoryPolicy),
    valueCompression: valueOf('value-compression', parseSwitch),
    tls: tlsPaths(settingByName),
    access: {
      rootPasswordFile: valueOf('root-password-file', (text) => (text === '' ? undefined : text)),
      allowAnonymous: valueOf('allow-anonymous', parseSwitch),
      allowPlaintext: valueOf('allow-plaintext', parseSwitch),
      openMetrics: valueOf('open-metrics', parseSwitch),
      openReflection: valueOf('open-reflection', parseSwitch),
    },
    corsOrigins: valueOf('cors-origin', parseOrigins),
    console: valueOf('console', (text) => text as ConsoleChoice),
    otlp: otlpOf(valueOf('otlp-endpoint', parseHttpUrl), valueOf('trace-sample', parseSampleShare)),
    logLevel: valueOf('log-level', (text) => text as LogLevel),
    logFormat: valueOf('log-format', (text) => text as LogFormat),
    limits: limitsOf(defaults),
    serverLimits: limitsOf(serverDefaults),
  };
  const cluster = clusterConfig(config);
  const whole: ServerConfig =
    cluster === undefined
      ? { ...config, cluster }
      : {
          ...config,
          cluster,
          // Of what a node keeps of the shared log on its own disk, which can be read there again.
          fsync: 'interval',
          limits:
            cluster.follow === undefined
              ? withinBatches(config.limits, (limit) => settingByName.has(limitOptionName(limit)))
              : config.limits,
        };
  checkTogether(whole);
  return whole;

  function clusterConfig({
    listen,
    redis,
    tls,
    engine,
  }: Omit<ServerConfig, 'cluster'>): ClusterConfig | undefined {
    const textOf = (name: string): string => valueOf(name, (text) => text);
    const timeMs = (name: string): number => valueOf(name, (text) => parseNumber(optionNamed(name), text));
    return clusterOf(
      {
        log: textOf('log'),
        follow: textOf('follow'),
        followCa: textOf('follow-ca'),
        followTokenFile: textOf('follow-token-file'),
        logCa: textOf('log-ca'),
        logCert: textOf('log-cert'),
        logKey: textOf('log-key'),
        logUser: textOf('log-user'),
        logPasswordFile: textOf('log-password-file'),
        advertise: textOf('advertise'),
        advertiseRedis: textOf('advertise-redis'),
        peerCa: textOf('peer-ca'),
        peerTokenFile: textOf('peer-token-file'),
      },
      { failoverAfterMs: timeMs('failover-after'), readyLagMs: timeMs('ready-lag') },
      {
        listen,
        hasRedis: redis !== undefined,
        hasTls: tls !== undefined,
        engine,
        isFsyncGiven: settingByName.has('fsync'),
      },
    );
  }

  function redisOf(
    listen: ListenAddress | undefined,
    mayHaveTls: boolean,
    eventClasses: string,
  ): ServerConfig['redis'] {
    if (listen === undefined) return undefined;
    // A socket of this machine is without TLS.
    const hasTls = mayHaveTls && 'host' in listen && tlsPaths(settingByName) !== undefined;
    return { listen, hasTls, eventClasses };
  }

  function valueOf<Value>(name: string, parseText: (text: string, source: string) => Value): Value {
    const option = optionNamed(name);
    const setting = settingByName.get(name) ?? { text: option.defaultText ?? '', source: `--${name}` };
    try {
      if (option.choices !== undefined && !option.choices.includes(setting.text)) {
        throw new OptionError(`expected one of ${option.choices.join(', ')}, not "${setting.text}"`);
      }
      return parseText(setting.text, setting.source);
    } catch (error) {
      throw new OptionError(`${setting.source}: ${(error as Error).message}`, { cause: error });
    }
  }

  function limitsOf<Name extends SettableLimit>(limits: { readonly [name in Name]: number }): {
    [name in Name]: number;
  } {
    const values = (Object.keys(limits) as Name[]).map((limit) => {
      const name = limitOptionName(limit);
      return [limit, valueOf(name, (text) => parseNumber(optionNamed(name), text))];
    });
    return Object.fromEntries(values) as { [name in Name]: number };
  }
}

function readFlags(flags: Readonly<Record<string, string | undefined>>): Map<string, Setting> {
  const settings = new Map<string, Setting>();
  const known = [...optionNames, configOption.name];
  for (const [name, text] of Object.entries(flags)) {
    if (text === undefined) continue;
    if (!known.includes(name))
      throw unknownName(
        `--${name}`,
        'flag',
        known.map((each) => `--${each}`),
      );
    settings.set(name, { text, source: `--${name}` });
  }
  return settings;
}

/** Reads the file that was asked for, or the one of the usual name if it is there. */
async function readFileSettings(asked: Setting | undefined): Promise<Map<string, Setting>> {
  const path = asked?.text ?? fileDefault;
  let content: string;
  try {
    content = await readFile(path, 'utf8');
  } catch (error) {
    if (asked === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw new OptionError(`${asked?.source ?? path}: can't read ${path}: ${systemReason(error)}`, {
      cause: error,
    });
  }
  return parseFile(path, content);
}

function parseFile(path: string, content: string): Map<string, Setting> {
  let document: unknown;
  try {
    document = parse(content, { maxAliasCount: 0 });
  } catch (error) {
    throw new OptionError(`${path}: ${(error as Error).message}`, { cause: error });
  }
  const settings = new Map<string, Setting>();
  if (document === null || document === undefined) return settings;
  if (typeof document !== 'object' || Array.isArray(document)) {
    throw new OptionError(`${path}: expected one "name: value" on each line`);
  }
  for (const [name, value] of Object.entries(document)) {
    const source = `${path}: ${name}`;
    if (!optionNames.includes(name)) throw unknownName(source, 'option', optionNames, plainName(name));
    settings.set(name, { text: textOf(value, optionNamed(name), source), source });
  }
  return settings;
}

function textOf(value: unknown, { type }: ServerOption, source: string): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  if (type === 'switch' && typeof value === 'boolean') return String(value);
  if (type === 'switch') throw new OptionError(`${source}: expected true or false`);
  if (type !== 'origins') throw new OptionError(`${source}: expected a text or a number`);
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) {
    throw new OptionError(`${source}: expected a text or a list of texts`);
  }
  return value.join(',');
}

/** A name as it would be written in the file, of one that is written as in the environment or in a program. */
function plainName(name: string): string {
  return name
    .replace(/^KELP_/, '')
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();
}

function parseNumber(option: ServerOption, text: string): number {
  const parsers = { bytes: parseBytes, duration: parseDurationMs, integer: parseInteger };
  assert(option.type in parsers, `${option.name} is not a number`);
  const value = parsers[option.type as keyof typeof parsers](text);
  const { min = 0, max = fixed.integerMax } = option;
  if (value < min || value > max) {
    const [low, high] = [formatNumber(option.type, min), formatNumber(option.type, max)];
    throw new OptionError(`expected ${low} to ${high}, not ${text}`);
  }
  return value;
}

/** A size, or a share of the machine's memory, which on a small machine is the least possible size. */
function parseMemoryLimit(text: string, machineBytes: number): number {
  const option = optionNamed('memory-limit');
  const share = parseShare(text);
  return share === undefined
    ? parseNumber(option, text)
    : Math.max(option.min ?? 0, Math.floor(share * machineBytes));
}

/** Other programs have the port alone in the environment. */
function portOnDefaultHost(text: string): ListenAddress {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new OptionError(`expected a port, such as 7379, not "${text}"; KELP_LISTEN takes a host with it`);
  }
  const { defaultText = '' } = optionNamed('listen');
  return { ...parseListenAddress(defaultText), port: Number(text) };
}

function parseVolumeId(text: string): string {
  const wrong = named(`"${text}"`, isVolumeId(text));
  if (wrong !== undefined) throw new OptionError(wrong);
  return text;
}

/** @returns `undefined` for none. */
function parseHttpUrl(text: string): string | undefined {
  if (text === '') return undefined;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new OptionError(`expected a URL such as http://127.0.0.1:4318, not "${text}"`);
  }
  if (url.search !== '' || url.hash !== '') {
    throw new OptionError(
      'expected a URL without a query; what lets the server in is given by OTEL_EXPORTER_OTLP_HEADERS',
    );
  }
  // It is named in the log.
  if (url.username !== '' || url.password !== '') {
    throw new OptionError('expected a URL without a password; give it by OTEL_EXPORTER_OTLP_HEADERS');
  }
  return text;
}

function parseSampleShare(text: string): number {
  const share = parseShare(text);
  if (share === undefined) throw new OptionError(`expected a share such as 10%, not "${text}"`);
  return share;
}

function otlpOf(endpoint: string | undefined, sampleShare: number): ServerConfig['otlp'] {
  return endpoint === undefined ? undefined : { endpoint, sampleShare };
}

function nonEmpty(text: string): string {
  if (text === '') throw new OptionError('expected a text that is not empty');
  return text;
}

function tlsPaths(settingByName: ReadonlyMap<string, Setting>): ServerConfig['tls'] {
  const certPath = settingByName.get('tls-cert')?.text ?? '';
  const keyPath = settingByName.get('tls-key')?.text ?? '';
  const clientCaPath = settingByName.get('tls-client-ca')?.text || undefined;
  if (certPath === '' && keyPath === '') {
    if (clientCaPath === undefined) return undefined;
    throw new OptionError(
      '--tls-client-ca: client certificates need TLS; give --tls-cert and --tls-key, too',
    );
  }
  if (certPath === '' || keyPath === '') {
    throw new OptionError('--tls-cert and --tls-key go together: give both, or neither to serve without TLS');
  }
  return { certPath, keyPath, clientCaPath };
}

/** Limits that contradict each other would only show when the first large value comes. */
function checkTogether(config: ServerConfig): void {
  const { listen, tls, access, engine, memoryPolicy, valueCompression, limits, serverLimits } = config;
  const policyFault = faultOfMemoryPolicy(memoryPolicy, engine);
  if (policyFault !== undefined) throw new OptionError(`--memory-policy ${memoryPolicy}: ${policyFault}`);
  if (valueCompression && engine !== 'memory') {
    const level = `--${limitOptionName('compressionLevel')}`;
    throw new OptionError(`--value-compression: ${insteadOfValueCompression(engine, level)}; leave it out`);
  }
  if (access.allowAnonymous && access.rootPasswordFile !== undefined) {
    throw new OptionError(
      '--allow-anonymous and --root-password-file exclude each other: once there is a user root, nothing is allowed without credentials',
    );
  }
  if ('path' in listen && tls !== undefined) {
    throw new OptionError(
      '--listen: a socket of this machine is without TLS; leave --tls-cert and --tls-key out',
    );
  }
  atLeast('txnBytesMax', limits.txnBytesMax, 'valueBytesMax', limits.valueBytesMax + fixed.keyBytesMax);
  atLeast('unflushedBytesMax', limits.unflushedBytesMax, 'txnBytesMax', limits.txnBytesMax);
  const valueRoom = limits.valueBytesMax + 2 * fixed.keyBytesMax;
  atLeast('requestBytesMax', serverLimits.requestBytesMax, 'valueBytesMax', valueRoom);
  atLeast('replyBytesMax', serverLimits.replyBytesMax, 'valueBytesMax', valueRoom);
  atLeast('callBytesMax', serverLimits.callBytesMax, 'requestBytesMax', serverLimits.requestBytesMax);
  atLeast('callBytesMax', serverLimits.callBytesMax, 'replyBytesMax', serverLimits.replyBytesMax);
}

function atLeast(limit: SettableLimit, bytes: number, other: SettableLimit, bytesMin: number): void {
  if (bytes >= bytesMin) return;
  const names = { name: limitOptionName(limit), other: limitOptionName(other) };
  throw new OptionError(
    `--${names.name}: ${formatNumber('bytes', bytes)} is too little for --${names.other}; expected ${formatNumber('bytes', bytesMin)} or more`,
  );
}

/** Letters, as `server/redis/keyspace/event-classes.ts` takes them. */
function eventClassesOf(text: string): string {
  if (!/^[Ag$lshzxeKEtmdn]*$/.test(text))
    throw new OptionError(`expected letters of Ag$lshzxeKEtmdn, not "${text}"`);
  return text;
}
