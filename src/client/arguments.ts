/**
 * The tables of what the calls of the client take, for programs that have no types to check them. What is wrong is
 * refused before anything is sent; what is right in its kind the server may still refuse, such as a key that is too long.
 */
import { callTables, roundedTimes } from '../arguments/calls.ts';
import { type Check, callback, flag, listOf, mustBe, numberThat, text } from '../arguments/check.ts';
import { amount, count } from '../arguments/count.ts';
import { type OptionsCheck, isRecord, optionsOf, shape } from '../arguments/shape.ts';
import { value } from '../arguments/value.ts';
import { secret } from '../arguments/secret.ts';
import { client as limits } from '../limits.ts';
import { accessName } from './access-arguments.ts';
import {
  callTable,
  consistency,
  deadlineMs,
  demandTable,
  listTable,
  plainOptions,
  readTable,
} from './calls/call-arguments.ts';
import { credentialsOrSource } from './calls/credentials.ts';
import type { ClientOptions } from './client-options.ts';
import type { TlsOptions, TlsSource } from './connection/socket.ts';
import type { MirrorOptions } from './mirror/types.ts';
import type { ClientTransport } from './transports/client-transport.ts';
import type { CreateTokenOptions, CreateUserOptions, SetPasswordOptions } from './messages/access-types.ts';
import type {
  CountOptions,
  DeleteOptions,
  DeleteRangeOptions,
  GetLeaseOptions,
  GetOptions,
  GrantOptions,
  HandoverOptions,
  IncrementOptions,
  KeysOptions,
  ListOptions,
  PutOptions,
  ReadCallOptions,
  ScanOptions,
  TouchOptions,
  TxnRequest,
  WatchRequest,
} from './messages/types.ts';

const tables = callTables(roundedTimes);

export const optionsByCall = {
  get: optionsOf<GetOptions>('get', { ...readTable, ...tables.get }),
  put: optionsOf<PutOptions>('put', { ...callTable, ...tables.put }),
  delete: optionsOf<DeleteOptions>('delete', { ...callTable, ...tables.delete }),
  deleteRange: optionsOf<DeleteRangeOptions>('deleteRange', { ...callTable, ...tables.deleteRange }),
  exists: optionsOf<ReadCallOptions>('exists', readTable),
  count: optionsOf<CountOptions>('count', { ...readTable, ...tables.count }),
  scan: optionsOf<ScanOptions>('scan', { ...listTable, ...demandTable, ...tables.scan }),
  keys: optionsOf<KeysOptions>('keys', { ...listTable, ...demandTable }),
  increment: optionsOf<IncrementOptions>('increment', { ...callTable, ...tables.increment }),
  touch: optionsOf<TouchOptions>('touch', { ...callTable, ...tables.touch }),
  txn: plainOptions('txn'),
  watch: optionsOf<WatchRequest>('watch', {
    ...tables.watch,
    revisionBytesMax: amount,
    restartWhenLost: flag,
    onInterrupted: callback(),
    onResumed: callback(),
  }),
  mirror: optionsOf<MirrorOptions>('mirror', {
    keysMax: amount,
    bytesMax: amount,
    progressIntervalMs: tables.watch.progressIntervalMs,
    signal: callTable.signal,
  }),
  'leases.grant': optionsOf<GrantOptions>('grant', { ...callTable, leaseId: count }),
  'leases.resume': plainOptions('resume'),
  'leases.renew': plainOptions('renew'),
  'leases.revoke': plainOptions('revoke'),
  'leases.get': optionsOf<GetLeaseOptions>('get', { ...callTable, ...tables.getLease }),
  'leases.list': optionsOf<ListOptions>('list', listTable),
  'admin.status': plainOptions('status'),
  'admin.activity': plainOptions('activity'),
  'admin.snapshot': plainOptions('snapshot'),
  'admin.backup': plainOptions('backup'),
  'admin.compact': plainOptions('compact'),
  'admin.compactStorage': plainOptions('compactStorage'),
  'cluster.members': plainOptions('members'),
  'cluster.report': plainOptions('report'),
  'cluster.handover': optionsOf<HandoverOptions>('handover', { ...callTable, to: text }),
  'cluster.head': plainOptions('head'),
  'cluster.follow': plainOptions('follow'),
  'access.whoAmI': plainOptions('whoAmI'),
  'access.createUser': optionsOf<CreateUserOptions>('createUser', {
    ...callTable,
    password: secret,
    roles: listOf(accessName, 'names of roles'),
  }),
  'access.deleteUser': plainOptions('deleteUser'),
  'access.setPassword': optionsOf<SetPasswordOptions>('setPassword', { ...callTable, user: accessName }),
  'access.giveRole': plainOptions('giveRole'),
  'access.takeRole': plainOptions('takeRole'),
  'access.listUsers': plainOptions('listUsers'),
  'access.createRole': plainOptions('createRole'),
  'access.deleteRole': plainOptions('deleteRole'),
  'access.addGrant': plainOptions('addGrant'),
  'access.removeGrant': plainOptions('removeGrant'),
  'access.listRoles': plainOptions('listRoles'),
  'access.createToken': optionsOf<CreateTokenOptions>('createToken', {
    ...callTable,
    user: accessName,
    ttlMs: roundedTimes.ttlMs,
  }),
  'access.deleteToken': plainOptions('deleteToken'),
  'access.listTokens': plainOptions('listTokens'),
};

export const txnRequest = shape<TxnRequest>(tables.txn);

/** As Node takes them: one text or some bytes, or several. What they hold shows when a connection is made. */
function pem<Pem>(): Check<Pem> {
  const isPem = (given: unknown): boolean => value(given) === undefined || isRecord(given);
  return (given) =>
    (Array.isArray(given) ? given.every(isPem) : value(given) === undefined)
      ? undefined
      : mustBe(given, 'PEM as text or bytes, or an array of such');
}

export const tlsOptions = shape<TlsOptions>({
  ca: pem(),
  cert: pem(),
  key: pem(),
  passphrase: secret,
  servername: text,
  rejectUnauthorized: flag,
});

const tls: Check<boolean | TlsOptions | TlsSource> = (given) =>
  typeof given === 'boolean' || typeof given === 'function' ? undefined : tlsOptions(given);

const transport: Check<ClientTransport> = (given) => {
  if (!isRecord(given)) return mustBe(given, 'a transport of Connect');
  const lacking = ['unary', 'stream'].find((name) => typeof given[name] !== 'function');
  return lacking === undefined ? undefined : ` has no method "${lacking}"; it must be a transport of Connect`;
};

const addresses: Check<readonly string[]> = (given) => {
  const complaint = listOf(text, 'addresses')(given);
  if (complaint !== undefined || !Array.isArray(given)) return complaint;
  const { addressesMax } = limits;
  if (given.length >= 1 && given.length <= addressesMax) return undefined;
  return ` has ${given.length} addresses; it must have 1 to ${addressesMax}`;
};

const knownClientOptions = optionsOf<ClientOptions>(
  'createClient',
  {
    address: text,
    addresses,
    tls,
    credentials: credentialsOrSource,
    allowPlaintextCredentials: flag,
    deadlineMs,
    retries: amount,
    consistency,
    minRevision: count,
    connectionsMax: numberThat((count) => count >= 1, 'a number from 1 on'),
    pipeline: flag,
    transport,
  },
  "{ address: '127.0.0.1:7379' }",
);

/** @returns what is wrong, as `optionsOf` says it. */
export const clientOptions: OptionsCheck = Object.assign(
  (options: unknown) => knownClientOptions(options) ?? wrongWay(options as ClientOptions),
  { names: knownClientOptions.names },
);

/** There is one way to the server. */
function wrongWay({ address, addresses: several, transport: ownWay }: ClientOptions): string | undefined {
  if (address === undefined && several === undefined)
    return 'createClient needs address, or addresses where several servers have the store';
  if (several === undefined) return undefined;
  if (address !== undefined) return 'createClient takes address or addresses, not both';
  return ownWay === undefined ? undefined : 'createClient takes transport with address, not with addresses';
}
