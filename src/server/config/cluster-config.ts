/**
 * What makes a server a node of a cluster: the options from `--log` on, checked together. Whether the files that they name can be read,
 * and the address of the shared log, is for those to say who read them.
 */
import { type Limits, type SettableLimit, cluster, limitOptionName } from '../../limits.ts';
import type { EngineName } from '../../engine-names.ts';
import { type ListenAddress, OptionError, formatAddress, parseListenAddress } from './option-values.ts';
import { formatNumber } from './server-options.ts';

/** A running server that is followed. */
export interface FollowConfig {
  /** As the operator writes it. */
  readonly address: string;
  /** Paths: authorities to trust of it, in PEM form; a token to show to it. */
  readonly caPath: string | undefined;
  readonly tokenFile: string | undefined;
}

export interface ClusterConfig {
  /** Where the shared log lies, as the operator writes it; '': none, a server is followed. */
  readonly log: string;
  /** `undefined`: the server is a node of a cluster with a shared log. */
  readonly follow: FollowConfig | undefined;
  /** Paths of PEM files. */
  readonly logTls: {
    readonly caPath: string | undefined;
    readonly certPath: string | undefined;
    readonly keyPath: string | undefined;
  };
  readonly logLogin: { readonly user: string; readonly passwordFile: string } | undefined;
  /** `HOST:PORT`; `undefined`: where the server listens. */
  readonly advertise: string | undefined;
  /** `undefined`: the host of the other one, with the port at which clients of Redis are served. */
  readonly advertiseRedis: string | undefined;
  readonly failoverAfterMs: number;
  readonly readyLagMs: number;
  /** Of the other nodes: whom to trust, and what to show to them. */
  readonly peerCaPath: string | undefined;
  readonly peerTokenFile: string | undefined;
}

/** The texts of the options; an empty one is not given. */
export interface ClusterTexts {
  readonly log: string;
  readonly follow: string;
  readonly followCa: string;
  readonly followTokenFile: string;
  readonly logCa: string;
  readonly logCert: string;
  readonly logKey: string;
  readonly logUser: string;
  readonly logPasswordFile: string;
  readonly advertise: string;
  readonly advertiseRedis: string;
  readonly peerCa: string;
  readonly peerTokenFile: string;
}

export interface NodeSurroundings {
  readonly listen: ListenAddress;
  readonly hasRedis: boolean;
  readonly hasTls: boolean;
  readonly engine: EngineName;
  /** Whether the operator has said so, wherever. */
  readonly isFsyncGiven: boolean;
}

/**
 * @returns `undefined`: the server is alone.
 * @throws OptionError
 */
export function clusterOf(
  texts: ClusterTexts,
  times: Pick<ClusterConfig, 'failoverAfterMs' | 'readyLagMs'>,
  surroundings: NodeSurroundings,
): ClusterConfig | undefined {
  const { log, logUser, logPasswordFile, advertise, advertiseRedis } = texts;
  if (texts.follow !== '') return followerOf(texts, times, surroundings);
  for (const [text, name] of namesOfFollow) {
    if (texts[text] !== '')
      throw new OptionError(`--${name} is for a server that follows another; give --follow, too`);
  }
  if (log === '') {
    refuseAlone(texts);
    return undefined;
  }
  refuseSurroundings(texts, surroundings);
  if ((texts.logCert === '') !== (texts.logKey === '')) {
    throw new OptionError('--log-cert and --log-key go together: a certificate is shown with its key');
  }
  if ((logUser === '') !== (logPasswordFile === '')) {
    throw new OptionError('--log-user and --log-password-file go together: give both, or neither');
  }
  return {
    log,
    follow: undefined,
    logTls: {
      caPath: texts.logCa || undefined,
      certPath: texts.logCert || undefined,
      keyPath: texts.logKey || undefined,
    },
    logLogin: logUser === '' ? undefined : { user: logUser, passwordFile: logPasswordFile },
    advertise: advertise === '' ? undefined : concrete('advertise', advertise),
    advertiseRedis: advertiseRedis === '' ? undefined : concrete('advertise-redis', advertiseRedis),
    ...times,
    peerCaPath: texts.peerCa || undefined,
    peerTokenFile: texts.peerTokenFile || undefined,
  };
}

function followerOf(
  texts: ClusterTexts,
  times: Pick<ClusterConfig, 'failoverAfterMs' | 'readyLagMs'>,
  { engine, isFsyncGiven }: NodeSurroundings,
): ClusterConfig {
  if (texts.log !== '') {
    throw new OptionError(
      '--follow and --log exclude each other: a node of a cluster follows its shared log, and other servers may follow it',
    );
  }
  refuseAlone(texts);
  if (isFsyncGiven) {
    throw new OptionError(
      '--fsync and --follow exclude each other: what is followed is durable at the server that is followed',
    );
  }
  if (engine !== 'memory') {
    throw new OptionError(`--engine: a server that follows keeps its keys in memory; leave ${engine} out`);
  }
  return {
    log: '',
    follow: {
      address: texts.follow,
      caPath: texts.followCa || undefined,
      tokenFile: texts.followTokenFile || undefined,
    },
    logTls: { caPath: undefined, certPath: undefined, keyPath: undefined },
    logLogin: undefined,
    advertise: undefined,
    advertiseRedis: undefined,
    ...times,
    peerCaPath: undefined,
    peerTokenFile: undefined,
  };
}

const LIMITED: readonly ('txnBytesMax' | 'valueBytesMax')[] = ['txnBytesMax', 'valueBytesMax'];

/**
 * The limits of a store whose records have to fit in batches of a shared log. A default that is larger is lowered.
 * @throws OptionError for one that the operator has set.
 */
export function withinBatches(limits: Limits, isGiven: (limit: SettableLimit) => boolean): Limits {
  for (const limit of LIMITED) {
    if (!isGiven(limit) || limits[limit] <= cluster[limit]) continue;
    const [bytes, bytesMax] = [limits[limit], cluster[limit]].map((each) => formatNumber('bytes', each));
    throw new OptionError(
      `--${limitOptionName(limit)}: ${bytes} is too much with --log, where a transaction has to fit in one batch of the shared log; expected ${bytesMax} or less`,
    );
  }
  const { txnBytesMax, valueBytesMax } = limits;
  return {
    ...limits,
    txnBytesMax: Math.min(txnBytesMax, cluster.txnBytesMax),
    valueBytesMax: Math.min(valueBytesMax, cluster.valueBytesMax),
  };
}

/** Whether it stands for any address of the machine, so that no other one can be told where to go. */
export function isWildcard(address: ListenAddress): boolean {
  return 'host' in address && ['', '0.0.0.0', '::'].includes(address.host);
}

const namesOfFollow: readonly (readonly [keyof ClusterTexts, string])[] = [
  ['followCa', 'follow-ca'],
  ['followTokenFile', 'follow-token-file'],
];

const nameByText: readonly (readonly [keyof ClusterTexts, string])[] = [
  ['logCa', 'log-ca'],
  ['logCert', 'log-cert'],
  ['logKey', 'log-key'],
  ['logUser', 'log-user'],
  ['logPasswordFile', 'log-password-file'],
  ['advertise', 'advertise'],
  ['advertiseRedis', 'advertise-redis'],
  ['peerCa', 'peer-ca'],
  ['peerTokenFile', 'peer-token-file'],
];

function refuseAlone(texts: ClusterTexts): void {
  for (const [text, name] of nameByText) {
    if (texts[text] !== '') throw new OptionError(`--${name} is for a node of a cluster; give --log, too`);
  }
}

function refuseSurroundings(texts: ClusterTexts, surroundings: NodeSurroundings): void {
  const { listen, hasRedis, hasTls, engine, isFsyncGiven } = surroundings;
  if (isFsyncGiven) {
    throw new OptionError(
      '--fsync and --log exclude each other: in a cluster a write is acknowledged when the shared log has flushed it on a majority of its members',
    );
  }
  if (engine !== 'memory') {
    throw new OptionError(`--engine: a node of a cluster keeps its keys in memory; leave ${engine} out`);
  }
  if (texts.advertise === '' && (isWildcard(listen) || 'path' in listen)) {
    throw new OptionError(
      `--advertise: other nodes can't reach this one at ${formatAddress(listen)}; say at which HOST:PORT they do`,
    );
  }
  if (texts.advertiseRedis !== '' && !hasRedis) {
    throw new OptionError('--advertise-redis: clients of Redis are served nowhere; give --redis-listen, too');
  }
  if (texts.peerCa !== '' && !hasTls) {
    throw new OptionError(
      '--peer-ca: the nodes of a cluster use TLS if they have it; give --tls-cert and --tls-key, too',
    );
  }
}

function concrete(name: string, text: string): string {
  const address = parseListenAddress(text);
  if ('path' in address || isWildcard(address) || address.port === 0) {
    throw new OptionError(`--${name}: expected HOST:PORT that other machines can reach, not "${text}"`);
  }
  return formatAddress(address);
}
