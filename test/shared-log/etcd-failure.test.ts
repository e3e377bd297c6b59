import { expect, test } from 'vitest';
import { etcdErrorOf } from '../../src/client/etcd/etcd-error.ts';
import { CallFailure } from '../../src/client/errors/call-failure.ts';
import { storageErrorOf } from '../../src/etcd-log/failure.ts';
import { type GrpcCode, grpcCode } from '../../src/grpc-code.ts';

const { signal } = new AbortController();

const texts: readonly (readonly [GrpcCode, string, string, boolean])[] = [
  [grpcCode.Unavailable, 'etcdserver: request timed out', 'unavailable', true],
  [grpcCode.Unavailable, 'etcdserver: leader changed', 'unavailable', true],
  [grpcCode.Unavailable, 'etcdserver: server stopped', 'unavailable', true],
  [grpcCode.Unknown, 'raft proposal dropped', 'unavailable', true],
  [grpcCode.Unknown, 'context deadline exceeded', 'unavailable', true],
  [grpcCode.ResourceExhausted, 'etcdserver: too many requests', 'unavailable', true],
  [grpcCode.DeadlineExceeded, 'no answer in time', 'unavailable', true],
  [grpcCode.ResourceExhausted, 'etcdserver: mvcc: database space exceeded', 'full', true],
  [grpcCode.InvalidArgument, 'etcdserver: request is too large', 'failed', false],
  [grpcCode.PermissionDenied, 'etcdserver: permission denied', 'refused', false],
  [grpcCode.Unauthenticated, 'etcdserver: invalid auth token', 'refused', false],
  [grpcCode.InvalidArgument, 'etcdserver: revision of auth store is old', 'refused', false],
  [grpcCode.OutOfRange, 'etcdserver: mvcc: required revision has been compacted', 'forgotten', true],
  [grpcCode.Unimplemented, 'unknown service etcdserverpb.KV', 'failed', true],
];

test.each(texts)('code %i, "%s", is %s to a shared log', (code, text, kind, mayHaveLanded) => {
  const failure = etcdErrorOf(new CallFailure(code, text), 'http://a:2379', '--log');
  expect(storageErrorOf(failure, 'write', signal)).toMatchObject({ kind, mayHaveLanded });
  expect(storageErrorOf(failure, 'read', signal)).toMatchObject({ kind, mayHaveLanded: false });
});

test('what a signal has ended stays as it is', () => {
  const failure = etcdErrorOf(new CallFailure(grpcCode.Unavailable, 'gone'), 'http://a:2379', '--log');
  expect(storageErrorOf(failure, 'write', AbortSignal.abort())).toBe(failure);
});
