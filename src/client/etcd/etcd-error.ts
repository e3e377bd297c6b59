/** How a call of an etcd has failed, in the terms of who reads from it. */
import { type GrpcCode, grpcCode } from '../../grpc-code.ts';
import { CallFailure } from '../errors/call-failure.ts';
import { type MisconfigurationKind, misconfigurationOf } from '../errors/connect-failure.ts';
import { mayPass, toKelpError } from '../errors/kelp-error.ts';

export type EtcdErrorKind =
  /** It can't be reached, the connection broke, or it has no leader: the same call may succeed later. */
  | 'unavailable'
  /** The revision is compacted. */
  | 'compacted'
  /** The login is missing or refused, or its user may not read this. */
  | 'refused'
  /** The reply would be too long: ask for less. */
  | 'tooLong'
  /** What answers there is no etcd, or no longer the one that it was. */
  | 'other';

export class EtcdError extends Error {
  override readonly name = 'EtcdError';
  readonly kind: EtcdErrorKind;

  constructor(kind: EtcdErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

const kindByCode: Readonly<Partial<Record<GrpcCode, EtcdErrorKind>>> = {
  [grpcCode.Unauthenticated]: 'refused',
  [grpcCode.PermissionDenied]: 'refused',
  [grpcCode.Canceled]: 'unavailable',
  [grpcCode.Aborted]: 'unavailable',
  [grpcCode.DeadlineExceeded]: 'unavailable',
  [grpcCode.Unavailable]: 'unavailable',
};

/** What the options of the command begin with that say where an etcd is and how to log in there. */
export type EtcdFlagsPrefix = '--etcd' | '--log';

/** @param address of the etcd that was called. */
export function etcdErrorOf(failure: unknown, address: string, flags: EtcdFlagsPrefix): EtcdError {
  if (failure instanceof EtcdError) return failure;
  if (!(failure instanceof CallFailure)) {
    const message = failure instanceof Error ? failure.message : String(failure);
    return new EtcdError('other', `${address}: ${message}`, { cause: failure });
  }
  const { code, message } = failure;
  const options = { cause: failure };
  if (message.includes('revision has been compacted')) return new EtcdError('compacted', message, options);
  if (isTooLong(failure)) return new EtcdError('tooLong', message, options);
  // Users were changed since the token was given; another login helps.
  if (message.includes('revision of auth store is old')) return new EtcdError('refused', message, options);
  // A member without a leader, or that is being stopped, says what its Raft says (`raft proposal dropped`), or that its time is over.
  if (/too many requests|^raft\b|^context (deadline exceeded|canceled)$/.test(message)) {
    return new EtcdError('unavailable', `etcd at ${address}: ${message}`, options);
  }
  // What says `etcdserver: ...` is an etcd; what is not known there is not known by an etcd that old.
  if (code === grpcCode.Unimplemented || (code === grpcCode.Unknown && !message.startsWith('etcdserver'))) {
    return new EtcdError('other', `what answers at ${address} is no etcd v3: ${message}`, options);
  }
  // What is wrong with a login has the code of a bad argument.
  const advice = loginAdvice(message, flags);
  if (advice !== undefined) {
    return new EtcdError('refused', `etcd at ${address}: ${message}; ${advice}`, options);
  }
  const known = toKelpError(failure, { isWrite: false, address });
  const wrong = misconfigurationOf(known);
  if (wrong !== undefined) {
    const told = adviceByKind[wrong.kind]?.replaceAll('--etcd', flags);
    return new EtcdError('other', asOfEtcd(wrong.message) + (told === undefined ? '' : `; ${told}`), options);
  }
  const kind = mayPass(known) ? 'unavailable' : (kindByCode[code] ?? 'other');
  const text = known.message === message ? `etcd at ${address}: ${message}` : asOfEtcd(known.message);
  return new EtcdError(kind, text, options);
}

/** @returns `undefined`: it is not about a login. */
function loginAdvice(message: string, flags: EtcdFlagsPrefix): string | undefined {
  const [user, password] = [`${flags}-user`, `${flags}-password-file`];
  if (message.includes('user name is empty')) {
    const orToken = flags === '--etcd' ? `, or ${flags}-token-file` : '';
    return `it asks for a login: give ${user} with ${password}${orToken}`;
  }
  if (message.includes('authentication failed')) return `look at ${user}, and at the password in ${password}`;
  if (message.includes('authentication is not enabled')) return `leave out ${user} and ${password}`;
  return message.includes('permission denied') ? `its user (${user}) lacks the right to that` : undefined;
}

/** The client speaks of servers of its own. */
function asOfEtcd(message: string): string {
  return message
    .replace('the server at', 'etcd at')
    .replace('; is it the port of KelpDB, and is TLS as there?', '; is it an etcd?');
}

/** Of one message, be it this client that takes no longer one; not of the memory of a server. */
function isTooLong({ code, message }: CallFailure): boolean {
  return code === grpcCode.ResourceExhausted && /the reply has|reply-bytes-max|larger than max/.test(message);
}

const adviceByKind: Readonly<Partial<Record<MisconfigurationKind, string>>> = {
  peerHasTls: 'write https:// before its address',
  peerHasNoTls: 'write http:// before its address',
  unknownAuthority: 'give the certificate to trust with --etcd-ca',
  certificateWanted: 'give one with --etcd-cert and --etcd-key',
};
