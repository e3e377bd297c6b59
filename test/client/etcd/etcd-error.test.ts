/** What an etcd says, in the terms of one who reads from it: what passes by itself, what another login helps, and what neither does. */
import { expect, test } from 'vitest';
import { CallFailure } from '../../../src/client/errors/call-failure.ts';
import { type EtcdErrorKind, etcdErrorOf } from '../../../src/client/etcd/etcd-error.ts';
import { type GrpcCode, grpcCode } from '../../../src/grpc-code.ts';

test.each<[GrpcCode, string, EtcdErrorKind]>([
  // A moment without a leader.
  [grpcCode.Unknown, 'raft proposal dropped', 'unavailable'],
  [grpcCode.Unknown, 'context deadline exceeded', 'unavailable'],
  [grpcCode.Unknown, 'context canceled', 'unavailable'],
  [grpcCode.Unknown, 'raft: stopped', 'unavailable'],
  [grpcCode.Unavailable, 'etcdserver: no leader', 'unavailable'],
  [grpcCode.Unavailable, 'etcdserver: leader changed', 'unavailable'],
  [grpcCode.Unavailable, 'etcdserver: request timed out', 'unavailable'],
  [grpcCode.ResourceExhausted, 'etcdserver: too many requests', 'unavailable'],
  // A login that is not known any more.
  [grpcCode.Unauthenticated, 'etcdserver: invalid auth token', 'refused'],
  [grpcCode.InvalidArgument, 'etcdserver: revision of auth store is old', 'refused'],
  [grpcCode.InvalidArgument, 'etcdserver: user name is empty', 'refused'],
  [grpcCode.PermissionDenied, 'etcdserver: permission denied', 'refused'],
  [grpcCode.InvalidArgument, 'etcdserver: authentication failed, invalid user ID or password', 'refused'],
  [grpcCode.FailedPrecondition, 'etcdserver: authentication is not enabled', 'refused'],
  [grpcCode.OutOfRange, 'etcdserver: mvcc: required revision has been compacted', 'compacted'],
  [grpcCode.Unknown, 'draft of an answer', 'other'],
  [grpcCode.Unimplemented, 'unknown service etcdserverpb.KV', 'other'],
  [grpcCode.Unknown, 'etcdserver: corrupt cluster', 'other'],
])('code %i, %j', (code, message, kind) => {
  const error = etcdErrorOf(new CallFailure(code, message), 'http://etcd:2379', '--etcd');
  expect(error.kind).toBe(kind);
  expect(error.message.includes('no etcd v3')).toBe(kind === 'other' && !message.startsWith('etcdserver'));
});

test.each<[string, '--etcd' | '--log', string]>([
  ['user name is empty', '--log', 'it asks for a login: give --log-user with --log-password-file'],
  [
    'user name is empty',
    '--etcd',
    'it asks for a login: give --etcd-user with --etcd-password-file, or --etcd-token-file',
  ],
  [
    'authentication failed, invalid user ID or password',
    '--log',
    'look at --log-user, and at the password in --log-password-file',
  ],
  ['authentication is not enabled', '--log', 'leave out --log-user and --log-password-file'],
  ['permission denied', '--log', 'its user (--log-user) lacks the right to that'],
])('what says %j of %s names the options', (message, flags, advice) => {
  const failure = new CallFailure(grpcCode.InvalidArgument, `etcdserver: ${message}`);
  expect(etcdErrorOf(failure, 'a:1', flags).message).toBe(`etcd at a:1: etcdserver: ${message}; ${advice}`);
});
