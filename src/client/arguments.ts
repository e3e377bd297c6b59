/**
 * The tables of what the calls of the client take, for programs that have no types to check them. What is wrong is
 * refused before anything is sent; what is right in its kind the server may still refuse, such as a key that is too long.
 */
import { callTables, roundedTimes } from '../arguments/calls.ts';
import {
  type Check,
  callback,
  flag,
  instanceOf,
  listOf,
  mustBe,
  numberThat,
  required,
  text,
} from '../arguments/check.ts';
import { count } from '../arguments/requests.ts';
import { type Table, isRecord, optionsOf, shape } from '../arguments/shape.ts';
import { value } from '../arguments/value.ts';
import { secret } from '../arguments/secret.ts';
import { accessName } from './access-arguments.ts';
import { credentialsOrSource } from './calls/credentials.ts';
import type { ClientOptions } from './client-options.ts';
import { KelpError } from './errors/error.ts';
import type { TlsOptions, TlsSource } from './connection/socket.ts';
import type { ClientTransport } from './transports/client-transport.ts';
import type { CreateTokenOptions, CreateUserOptions, SetPasswordOptions } from './messages/access-types.ts';
import type {
  CallOptions,
  CountOptions,
  DeleteOptions,
  DeleteRangeOptions,
  GetLeaseOptions,
  GetOptions,
  GrantOptions,
  IncrementOptions,
  ListOptions,
  PutOptions,
  ScanOptions,
  TouchOptions,
  TxnRequest,
  WatchRequest,
} from './messages/types.ts';

const tables = callTables(roundedTimes);

const deadlineMs = numberThat((ms) => ms > 0, 'a number of milliseconds above 0');
const amount = numberThat((number) => number >= 0, 'a number from 0 on');

const callTable: Table<CallOptions> = { signal: instanceOf(AbortSignal), deadlineMs };
const listTable: Table<ListOptions> = { ...callTable, limit: amount, pageSize: amount };

const plain = (call: string): ReturnType<typeof optionsOf> => optionsOf<CallOptions>(call, callTable);

export const optionsByCall = {
  get: optionsOf<GetOptions>('get', { ...callTable, ...tables.get }),
  put: optionsOf<PutOptions>('put', { ...callTable, ...tables.put }),
  delete: optionsOf<DeleteOptions>('delete', { ...callTable, ...tables.delete }),
  deleteRange: optionsOf<DeleteRangeOptions>('deleteRange', { ...callTable, ...tables.deleteRange }),
  exists: plain('exists'),
  count: optionsOf<CountOptions>('count', { ...callTable, ...tables.count }),
  scan: optionsOf<ScanOptions>('scan', { ...listTable, ...tables.scan }),
  keys: optionsOf<ListOptions>('keys', listTable),
  increment: optionsOf<IncrementOptions>('increment', { ...callTable, ...tables.increment }),
  touch: optionsOf<TouchOptions>('touch', { ...callTable, ...tables.touch }),
  txn: plain('txn'),
  watch: optionsOf<WatchRequest>('watch', {
    ...tables.watch,
    revisionBytesMax: amount,
    restartWhenLost: flag,
    onInterrupted: callback(),
    onResumed: callback(),
  }),
  'leases.grant': optionsOf<GrantOptions>('grant', { ...callTable, leaseId: count }),
  'leases.resume': plain('resume'),
  'leases.renew': plain('renew'),
  'leases.revoke': plain('revoke'),
  'leases.get': optionsOf<GetLeaseOptions>('get', { ...callTable, ...tables.getLease }),
  'leases.list': optionsOf<ListOptions>('list', listTable),
  'admin.status': plain('status'),
  'admin.activity': plain('activity'),
  'admin.snapshot': plain('snapshot'),
  'admin.backup': plain('backup'),
  'admin.compact': plain('compact'),
  'access.whoAmI': plain('whoAmI'),
  'access.createUser': optionsOf<CreateUserOptions>('createUser', {
    ...callTable,
    password: secret,
    roles: listOf(accessName, 'names of roles'),
  }),
  'access.deleteUser': plain('deleteUser'),
  'access.setPassword': optionsOf<SetPasswordOptions>('setPassword', { ...callTable, user: accessName }),
  'access.giveRole': plain('giveRole'),
  'access.takeRole': plain('takeRole'),
  'access.listUsers': plain('listUsers'),
  'access.createRole': plain('createRole'),
  'access.deleteRole': plain('deleteRole'),
  'access.addGrant': plain('addGrant'),
  'access.removeGrant': plain('removeGrant'),
  'access.listRoles': plain('listRoles'),
  'access.createToken': optionsOf<CreateTokenOptions>('createToken', {
    ...callTable,
    user: accessName,
    ttlMs: roundedTimes.ttlMs,
  }),
  'access.deleteToken': plain('deleteToken'),
  'access.listTokens': plain('listTokens'),
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

export const clientOptions = optionsOf<ClientOptions>(
  'createClient',
  {
    address: required(text),
    tls,
    credentials: credentialsOrSource,
    allowPlaintextCredentials: flag,
    deadlineMs,
    retries: amount,
    connectionsMax: numberThat((count) => count >= 1, 'a number from 1 on'),
    pipeline: flag,
    transport,
  },
  "{ address: '127.0.0.1:7379' }",
);

/** @param wrong what a check has found. */
export function invalidArgument(wrong: string): KelpError<'invalidArgument'> {
  return new KelpError('invalidArgument', wrong, undefined);
}

/** @throws KelpError `invalidArgument` when a check has found something. */
export function refuse(wrong: string | undefined): void {
  if (wrong !== undefined) throw invalidArgument(wrong);
}
