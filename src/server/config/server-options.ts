/**
 * Every option of the server in one table: `kelp serve --help`, the flags, the environment and `kelp.yaml` are all made
 * of it. An option has one name, `data-dir`; its flag is `--data-dir`, its environment variable `KELP_DATA_DIR`, and
 * in the file it is `data-dir` again.
 */
import { MEMORY_POLICIES } from '../../memory-policies.ts';
import { VOLUME_ID_DEFAULT } from '../../blobs/volume-id.ts';
import {
  type Limits,
  type ServerLimits,
  type SettableLimit,
  defaults,
  cluster,
  fixed,
  limitOptionName,
  serverDefaults,
} from '../../limits.ts';
import { ENGINE_NAMES } from '../../engine-names.ts';
import { formatBytes, formatDurationMs } from './option-values.ts';

export interface ServerOption {
  readonly name: string;
  /**
   * Of several `origins`, each flag adds one, and the file may have a list. The flag of a `switch` turns it on; elsewhere it is
   * `true` or `false`.
   */
  readonly type: 'text' | 'path' | 'choice' | 'origins' | 'switch' | 'integer' | 'bytes' | 'duration';
  readonly description: string;
  /** What the environment may have in place of the name with `KELP_`, as others call it: the last to be asked before the default. */
  readonly plainVariable?: 'PORT' | 'DATA_DIR' | 'VOLUME_ID';
  /** As it would be written; `undefined`: there is none. */
  readonly defaultText: string | undefined;
  /** Of a `choice`. */
  readonly choices?: readonly string[];
  /** The bounds of an `integer`, of `bytes` and, in milliseconds, of a `duration`; both inclusive. */
  readonly min?: number;
  readonly max?: number;
}

/** An option that sets a limit, but for its name and default, which the table of limits gives. */
interface LimitOption {
  readonly type: 'integer' | 'bytes' | 'duration';
  readonly min: number;
  readonly max: number;
  readonly description: string;
}

const KiB = 1024;
const MiB = 1024 * KiB;
const TiB = 1024 ** 4;
const countMax = 1_000_000_000;
const yearMs = 365 * 24 * 60 * 60 * 1000;
/** Of what Node itself times: its timers end at once when they are set for longer than 2^31 - 1 ms. */
const nodeTimeoutMsMax = 24 * 24 * 60 * 60 * 1000;

const storeLimitOptions: { readonly [name in keyof Limits]: LimitOption } = {
  valueBytesMax: { type: 'bytes', min: 1, max: 64 * MiB, description: 'longest value' },
  txnBytesMax: {
    type: 'bytes',
    min: fixed.keyBytesMax,
    max: 128 * MiB,
    description: 'keys and values in one transaction',
  },
  segmentBytes: {
    type: 'bytes',
    min: 64 * KiB,
    max: 2048 * MiB,
    description: 'length at which a log segment is closed',
  },
  unflushedBytesMax: {
    type: 'bytes',
    min: 1 * MiB,
    max: TiB,
    description: 'writes are refused while this much waits to be written to the log',
  },
  fsyncIntervalMs: {
    type: 'duration',
    min: 1,
    max: yearMs,
    description: 'with --fsync interval: time between two flushes',
  },
  snapshotLogBytes: {
    type: 'bytes',
    min: 64 * KiB,
    max: TiB,
    description: 'growth of the log after which a snapshot is written',
  },
  snapshotIntervalMs: {
    type: 'duration',
    min: 1000,
    max: yearMs,
    description: 'time after which a snapshot is written if there was any write',
  },
  closeSnapshotLogBytes: {
    type: 'bytes',
    min: 1,
    max: TiB,
    description: 'growth of the log after which a stop writes a snapshot, if there is time',
  },
  checkpointBytes: {
    type: 'bytes',
    min: fixed.checkpointBytesMin,
    max: TiB,
    description:
      'with an engine on disk: memory of changes after which they are written to its files; less where the memory limit has no room for twice as much',
  },
  snapshotsKept: { type: 'integer', min: 1, max: 1000, description: 'snapshots that are kept' },
  historyRevisionsMax: {
    type: 'integer',
    min: 1,
    max: countMax,
    description: 'newest revisions that can be read',
  },
  historyBytesMax: {
    type: 'bytes',
    min: 1 * MiB,
    max: TiB,
    description: 'growth of the log after which an old revision can no longer be read',
  },
  historyAgeMs: {
    type: 'duration',
    min: 1,
    max: yearMs,
    description: 'age of the oldest revision that can be read',
  },
  logRetentionBytes: {
    type: 'bytes',
    min: 0,
    max: 1024 * TiB,
    description: 'log that is kept for watches to resume from',
  },
  logRetentionMs: {
    type: 'duration',
    min: 0,
    max: 100 * yearMs,
    description: 'age of the log that is kept for watches to resume from',
  },
  leasesMax: { type: 'integer', min: 0, max: countMax, description: 'leases' },
  watchersMax: { type: 'integer', min: 0, max: countMax, description: 'open watches' },
  compressionLevel: {
    type: 'integer',
    min: fixed.compressionLevelMin,
    max: fixed.compressionLevelMax,
    description: 'level of zstd for what an engine compresses; higher ones take longer and save little more',
  },
};

const serverLimitOptions: { readonly [name in keyof ServerLimits]: LimitOption } = {
  connectionsMax: { type: 'integer', min: 1, max: countMax, description: 'open connections' },
  connectionsPerAddressMax: {
    type: 'integer',
    min: 0,
    max: countMax,
    description:
      'open connections of one address, or one /64 of IPv6; those from the machine itself are not counted; 0: any number',
  },
  operationsPerSecondMax: {
    type: 'integer',
    min: 0,
    max: countMax,
    description:
      'operations of one user in a second, or of one connection without a user; as many may be done at once; 0: any number',
  },
  bytesPerSecondMax: {
    type: 'bytes',
    min: 0,
    max: TiB,
    description: 'bytes of requests and replies of one user in a second, in the same way; 0: any number',
  },
  streamsPerConnectionMax: {
    type: 'integer',
    min: 1,
    max: 2 ** 31 - 1,
    description: 'open streams of one HTTP/2 connection',
  },
  callsMax: { type: 'integer', min: 1, max: countMax, description: 'calls under way, open streams included' },
  requestBytesMax: {
    type: 'bytes',
    min: 64 * KiB,
    max: 1024 * MiB,
    description: 'longest request message, after decompression',
  },
  replyBytesMax: {
    type: 'bytes',
    min: 64 * KiB,
    max: 1024 * MiB,
    description: 'keys and values in one reply',
  },
  callBytesMax: {
    type: 'bytes',
    min: 1 * MiB,
    max: TiB,
    description:
      'requests and replies that all calls together hold in memory; the requests of one connection have half of it at most, a single one may have all',
  },
  headerBytesMax: { type: 'bytes', min: 4 * KiB, max: 1 * MiB, description: 'headers of one request' },
  handshakeTimeoutMs: {
    type: 'duration',
    min: 10,
    max: nodeTimeoutMsMax,
    description: "time for a connection's first bytes, a TLS handshake or a request's headers",
  },
  requestTimeoutMs: {
    type: 'duration',
    min: 10,
    max: yearMs,
    description:
      'time from the headers of a request to its last byte; in a stream of requests, from the first byte of each message',
  },
  idleTimeoutMs: {
    type: 'duration',
    min: 10,
    max: nodeTimeoutMsMax,
    description: 'time an HTTP/1.1 connection is kept open without a request',
  },
  maxConnectionAgeMs: {
    type: 'duration',
    min: 0,
    max: yearMs,
    description:
      'age at which an HTTP/2 connection takes no more calls and is closed behind the last; 0: never',
  },
  shutdownTimeoutMs: {
    type: 'duration',
    min: 0,
    max: yearMs,
    description: 'time for calls under way, and then a snapshot, to finish when the server stops',
  },
};

export const serverOptions: readonly ServerOption[] = [
  {
    name: 'listen',
    type: 'text',
    description:
      'address and port; port 0 lets the system choose, an empty host means all interfaces; or unix:PATH',
    defaultText: '127.0.0.1:7379',
    plainVariable: 'PORT',
  },
  {
    name: 'redis-listen',
    type: 'text',
    description:
      'address and port, or unix:PATH, at which clients of Redis are served, as with --listen; 6379 is their port; empty: nowhere',
    defaultText: undefined,
  },
  {
    name: 'redis-tls',
    type: 'choice',
    choices: ['auto', 'off'],
    description: 'auto: clients of Redis need TLS if the server has a certificate; off: they come without',
    defaultText: 'auto',
  },
  {
    name: 'redis-notify-keyspace-events',
    type: 'text',
    description:
      'classes of events that clients of Redis are told of keys, as notify-keyspace-events of Redis: KEA for all; empty: none',
    defaultText: undefined,
  },
  {
    name: 'data-dir',
    type: 'path',
    description: 'folder of the log and the snapshots',
    defaultText: './data',
    plainVariable: 'DATA_DIR',
  },
  {
    name: 'engine',
    type: 'choice',
    choices: ENGINE_NAMES,
    description:
      'what keeps the keys: memory, or files, so that there may be more of them than memory has room for; a data directory stays with the one that made it',
    defaultText: 'memory',
  },
  {
    name: 'fsync',
    type: 'choice',
    choices: ['always', 'interval', 'never'],
    description:
      'when a write is flushed to disk: before it is answered, at an interval, or when the system likes',
    defaultText: 'always',
  },
  {
    name: 'log',
    type: 'text',
    description:
      'shared log of a cluster of which this server is a node, as etcd://HOST:PORT,HOST:PORT,HOST:PORT/PREFIX, or etcds:// for TLS; kelp cluster init makes it; empty: the server is alone',
    defaultText: undefined,
  },
  {
    name: 'log-ca',
    type: 'path',
    description: 'authorities to trust of the etcd of --log, a PEM file',
    defaultText: undefined,
  },
  {
    name: 'log-cert',
    type: 'path',
    description: 'certificate to show to that etcd, a PEM file',
    defaultText: undefined,
  },
  {
    name: 'log-key',
    type: 'path',
    description: 'key of that certificate, a PEM file',
    defaultText: undefined,
  },
  { name: 'log-user', type: 'text', description: 'user to log in to that etcd as', defaultText: undefined },
  {
    name: 'log-password-file',
    type: 'path',
    description: 'file with the password of that user',
    defaultText: undefined,
  },
  {
    name: 'advertise',
    type: 'text',
    description:
      'with --log: HOST:PORT at which clients and the other nodes reach this one; without it, that of --listen, if that is no wildcard',
    defaultText: undefined,
  },
  {
    name: 'advertise-redis',
    type: 'text',
    description:
      'in the same way for clients of Redis; without it, the host of --advertise with the port of --redis-listen',
    defaultText: undefined,
  },
  {
    name: 'follow',
    type: 'text',
    description:
      'running server whose records this one follows, HOST:PORT, https://HOST:PORT or unix:PATH; it takes no writes then, and is no node of a cluster',
    defaultText: undefined,
  },
  {
    name: 'follow-ca',
    type: 'path',
    description:
      'with --follow: authorities to trust of that server, a PEM file; the connection is by TLS then',
    defaultText: undefined,
  },
  {
    name: 'follow-token-file',
    type: 'path',
    description:
      'with --follow, where a user root has closed access: file with a token of a user that is admin, to show to that server',
    defaultText: undefined,
  },
  {
    name: 'failover-after',
    type: 'duration',
    min: cluster.failoverAfterMsMin,
    max: cluster.failoverAfterMsMax,
    description:
      'with --log: another node takes over when nothing was heard of the writer for so long while the shared log answers',
    defaultText: formatDurationMs(cluster.failoverAfterMs),
  },
  {
    name: 'ready-lag',
    type: 'duration',
    min: 1000,
    max: yearMs,
    description: 'with --log or --follow: a server that is further behind than this is not ready (/readyz)',
    defaultText: formatDurationMs(cluster.readyLagMs),
  },
  {
    name: 'peer-ca',
    type: 'path',
    description:
      'with --log and TLS: authorities to trust of the other nodes, a PEM file; without it, those that Node trusts',
    defaultText: undefined,
  },
  {
    name: 'peer-token-file',
    type: 'path',
    description:
      'with --log, where a user root has closed access: file with a token of a user that is admin, which this node shows to the others',
    defaultText: undefined,
  },
  {
    name: limitOptionName('memoryBytesMax'),
    type: 'bytes',
    min: 64 * MiB,
    max: 1024 * TiB,
    description:
      'memory of keys, values, history and indexes, beyond which writes are refused, or wait for a checkpoint where the engine has files; or a share of what the machine or container has',
    defaultText: `${100 * fixed.memoryShareDefault}%`,
  },
  {
    name: 'memory-policy',
    type: 'choice',
    choices: MEMORY_POLICIES,
    description:
      'when memory is full: noeviction refuses writes; with the engine memory, volatile-ttl and volatile-random first delete keys that have a time to live, those nearest to its end or any',
    defaultText: 'noeviction',
  },
  {
    name: 'value-compression',
    type: 'switch',
    description:
      'with the engine memory alone: keep values compressed, from 1 KiB on, where that saves 12 % or more; each read of one takes some 12 µs longer',
    defaultText: 'false',
  },
  {
    name: 'volume-id',
    type: 'text',
    description: 'name by which /blobs, /health and /metrics in JSON tell this server from others beside it',
    defaultText: VOLUME_ID_DEFAULT,
    plainVariable: 'VOLUME_ID',
  },
  { name: 'tls-cert', type: 'path', description: 'certificate chain, a PEM file', defaultText: undefined },
  { name: 'tls-key', type: 'path', description: 'private key, a PEM file', defaultText: undefined },
  {
    name: 'tls-client-ca',
    type: 'path',
    description:
      'authorities, a PEM file: clients may show a certificate that one of them has signed, and are then the user whom it names',
    defaultText: undefined,
  },
  {
    name: 'root-password-file',
    type: 'path',
    description:
      'file with the password of the user root, which is made at the start if there is none; from then on nothing is allowed that no role allows',
    defaultText: undefined,
  },
  {
    name: 'allow-anonymous',
    type: 'switch',
    description:
      'without a user root, listen on addresses that other machines reach too: all who reach the port may do everything',
    defaultText: 'false',
  },
  {
    name: 'allow-plaintext',
    type: 'switch',
    description:
      'without TLS, take passwords and tokens on addresses that other machines reach too: behind a proxy that ends TLS, or where no one can read along',
    defaultText: 'false',
  },
  {
    name: 'open-metrics',
    type: 'switch',
    description: 'answer /metrics without credentials, too, where a user root has closed access',
    defaultText: 'false',
  },
  {
    name: 'open-reflection',
    type: 'switch',
    description: 'answer gRPC reflection without credentials, too, where a user root has closed access',
    defaultText: 'false',
  },
  {
    name: 'cors-origin',
    type: 'origins',
    description:
      'origin of web pages that may call the server from a browser, such as https://app.example.com; may be given several times, or with commas between; *: all web pages, which then may do whatever the user of the browser may',
    defaultText: undefined,
  },
  {
    name: 'console',
    type: 'choice',
    choices: ['auto', 'on', 'off'],
    description:
      'serve the console, a page for browsers, at /console; auto: on loopback addresses and unix sockets alone',
    defaultText: 'auto',
  },
  {
    name: 'log-level',
    type: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    description: 'least severity that is logged; debug logs every call',
    defaultText: 'info',
  },
  {
    name: 'log-format',
    type: 'choice',
    choices: ['auto', 'json', 'pretty'],
    description: 'JSON lines, or readable text; auto: text on a terminal',
    defaultText: 'auto',
  },
  {
    name: 'otlp-endpoint',
    type: 'text',
    description:
      'where spans of calls are sent, as http://127.0.0.1:4318 (OTLP over HTTP); empty: nowhere, unless the process has a tracer',
    defaultText: undefined,
  },
  {
    name: 'trace-sample',
    type: 'text',
    description:
      'with --otlp-endpoint: share of the traces begun here that is recorded; others are as their clients say',
    defaultText: '100%',
  },
  ...limitOptions(storeLimitOptions, defaults),
  ...limitOptions(serverLimitOptions, serverDefaults),
];

/** The option that names the file of options; it can't stand in that file. */
export const configOption: ServerOption = {
  name: 'config',
  type: 'path',
  description: 'YAML file of options; default: ./kelp.yaml if there is one',
  defaultText: undefined,
};

function limitOptions<Name extends SettableLimit>(
  options: { readonly [name in Name]: LimitOption },
  limits: { readonly [name in Name]: number },
): ServerOption[] {
  return (Object.keys(options) as Name[]).map((limit) => ({
    name: limitOptionName(limit),
    defaultText: formatNumber(options[limit].type, limits[limit]),
    ...options[limit],
  }));
}

export function environmentName(option: string): string {
  return `KELP_${option.replaceAll('-', '_').toUpperCase()}`;
}

/** Writes a number as the options of its type are written. */
export function formatNumber(type: ServerOption['type'], value: number): string {
  if (type === 'bytes') return formatBytes(value);
  if (type === 'duration') return formatDurationMs(value);
  return String(value);
}
