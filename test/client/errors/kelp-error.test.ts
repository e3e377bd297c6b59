import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { toCallFailure } from '../../../src/client/transports/connect-transport.ts';
import type { FailedCall } from '../../../src/client/errors/kelp-error.ts';
import { toKelpError as callFailureToKelpError } from '../../../src/client/errors/kelp-error.ts';
import type { KelpErrorCode } from '../../../src/client/errors/error.ts';
import { KelpError, isKelpError } from '../../../src/client/errors/error.ts';
import { kelpFailure } from '../support/fake-server.ts';

/** The way of an error from a transport of Connect to the caller. */
function toKelpError(reason: unknown, call: FailedCall): KelpError {
  return callFailureToKelpError(toCallFailure(reason), call);
}

const write = { isWrite: true, address: 'http://kelp.example:7379' };
const read = { ...write, isWrite: false };

describe('what the server explains', () => {
  const revisions = { requestedRevision: 3n, oldestRevision: 7n, newestRevision: 9n };
  const range = { case: 'revisionOutOfRange', value: revisions } as const;
  const condition = { case: 'conditionFailed', value: { currentModRevision: 12n } } as const;
  const stores = { requestedStoreId: 'a', storeId: 'b' };
  const other = { case: 'otherStore', value: stores } as const;
  const incarnations = { requestedIncarnation: 'a', incarnation: 'b', sharedIncarnation: 'c' };
  const history = {
    case: 'historyDiffers',
    value: { ...incarnations, requestedRevision: 5n, sharedRevision: 3n, newestRevision: 9n },
  } as const;
  const parts = {
    case: 'partlyDeleted',
    value: { firstRevision: 4n, revision: 8n, deletedCount: 9000n },
  } as const;
  const writer = { case: 'notWriter', value: { writerAddress: 'node-2:7379' } } as const;
  const infoByReason = new Map<
    string,
    typeof condition | typeof other | typeof history | typeof parts | typeof writer
  >([
    ['CONDITION_FAILED', condition],
    ['OTHER_STORE', other],
    ['HISTORY_DIFFERS', history],
    ['PARTLY_DELETED', parts],
    ['NOT_WRITER', writer],
  ]);
  const codeByReason: Record<Exclude<keyof typeof ErrorReason, 'UNSPECIFIED'>, KelpErrorCode> = {
    INVALID_ARGUMENT: 'invalidArgument',
    CONDITION_FAILED: 'conditionFailed',
    REVISION_COMPACTED: 'revisionCompacted',
    REVISION_FUTURE: 'revisionFuture',
    KEY_NOT_FOUND: 'keyNotFound',
    LEASE_NOT_FOUND: 'leaseNotFound',
    LEASE_EXISTS: 'leaseExists',
    NOT_AN_INTEGER: 'notAnInteger',
    INTEGER_OVERFLOW: 'integerOverflow',
    WRONG_TYPE: 'wrongType',
    NOT_A_FLOAT: 'notAFloat',
    NOT_A_NUMBER: 'notANumber',
    INDEX_OUT_OF_RANGE: 'indexOutOfRange',
    NOT_CLUSTERED: 'notClustered',
    NOT_HANDED_OVER: 'notHandedOver',
    NO_TIME_TO_LIVE: 'noTimeToLive',
    LIMIT_REACHED: 'limitReached',
    SLOW_WATCHER: 'slowWatcher',
    SHUTTING_DOWN: 'shuttingDown',
    RECOVERING: 'recovering',
    STORAGE_FAILED: 'storageFailed',
    READ_ONLY: 'readOnly',
    OTHER_STORE: 'otherStore',
    HISTORY_DIFFERS: 'historyDiffers',
    PARTLY_DELETED: 'partlyDeleted',
    NOT_WRITER: 'notWriter',
    UNAUTHENTICATED: 'unauthenticated',
    PERMISSION_DENIED: 'permissionDenied',
    NAME_NOT_FOUND: 'nameNotFound',
    NAME_TAKEN: 'nameTaken',
    DAMAGED: 'damaged',
    SNAPSHOT_FAILED: 'snapshotFailed',
    READ_FAILED: 'readFailed',
  };

  test.each(Object.entries(codeByReason))('reason %s has the code %s', (reason, code) => {
    const info = reason.startsWith('REVISION') ? range : infoByReason.get(reason);
    // The gRPC code does not matter once there is a reason.
    const error = toKelpError(
      kelpFailure(Code.Unknown, ErrorReason[reason as keyof typeof ErrorReason], info, 'do this'),
      write,
    );
    expect(error).toMatchObject({ code, message: 'do this' });
    const isOpen = ['storageFailed', 'damaged', 'partlyDeleted'].includes(code);
    expect(error.mayHaveTakenEffect).toBe(isOpen);
  });

  test('details are typed and plain', () => {
    const failed = toKelpError(
      kelpFailure(Code.FailedPrecondition, ErrorReason.CONDITION_FAILED, condition),
      write,
    );
    expect(isKelpError(failed, 'conditionFailed') && failed.details.currentModRevision).toBe(12);
    const compacted = toKelpError(kelpFailure(Code.OutOfRange, ErrorReason.REVISION_COMPACTED, range), read);
    expect(compacted.details).toEqual({ requestedRevision: 3, oldestRevision: 7, newestRevision: 9 });
    const elsewhere = toKelpError(kelpFailure(Code.FailedPrecondition, ErrorReason.OTHER_STORE, other), read);
    expect(elsewhere.details).toEqual(stores);
    const differs = toKelpError(
      kelpFailure(Code.FailedPrecondition, ErrorReason.HISTORY_DIFFERS, history),
      read,
    );
    const early = toKelpError(kelpFailure(Code.Aborted, ErrorReason.PARTLY_DELETED, parts), write);
    const following = toKelpError(kelpFailure(Code.Unavailable, ErrorReason.NOT_WRITER, writer), write);
    expect(following.details).toEqual({ writerAddress: 'node-2:7379' });
    expect(early.details).toEqual({ firstRevision: 4, revision: 8, deletedCount: 9000 });
    expect(differs.details).toEqual({
      ...incarnations,
      requestedRevision: 5,
      sharedRevision: 3,
      newestRevision: 9,
    });
  });

  test('a reason that is not known yet is told by its gRPC code', () => {
    const error = toKelpError(kelpFailure(Code.InvalidArgument, 999 as ErrorReason), write);
    expect(error.code).toBe('invalidArgument');
  });

  test('a reason without its details is a defect', () => {
    const error = toKelpError(kelpFailure(Code.FailedPrecondition, ErrorReason.CONDITION_FAILED), write);
    expect(error.code).toBe('internal');
  });
});

describe('what nobody explains', () => {
  const nodeError = (code: string, syscall?: string): ConnectError => {
    const cause = Object.assign(new Error(`${code} happened`), { code, ...(syscall && { syscall }) });
    return new ConnectError(cause.message, Code.Internal, undefined, undefined, cause);
  };

  test.each([
    [
      'a refused connection',
      nodeError('ECONNREFUSED', 'connect'),
      'unavailable',
      false,
      /can't reach.*kelp.example.*running/,
    ],
    ['an unknown host', nodeError('ENOTFOUND', 'getaddrinfo'), 'unavailable', false, /no host/],
    [
      'a certificate that is not trusted',
      nodeError('DEPTH_ZERO_SELF_SIGNED_CERT'),
      'unavailable',
      false,
      /can't reach/,
    ],
    ['a reset connection', nodeError('ECONNRESET', 'read'), 'unavailable', true, /broke/],
    ['another protocol', nodeError('ERR_HTTP2_ERROR'), 'unavailable', true, /does not speak HTTP\/2/],
    ['a closed connection', new ConnectError('closed', Code.Canceled), 'unavailable', true, /closed/],
    [
      'a proxy without its server',
      new ConnectError('HTTP 503', Code.Unavailable),
      'unavailable',
      true,
      /503/,
    ],
    [
      'a missed deadline',
      new ConnectError('late', Code.DeadlineExceeded),
      'deadlineExceeded',
      true,
      /in time/,
    ],
    [
      'a message that is too long',
      new ConnectError('long', Code.ResourceExhausted),
      'limitReached',
      true,
      /long/,
    ],
    [
      'an unknown call',
      new ConnectError('HTTP 404', Code.Unimplemented),
      'unimplemented',
      false,
      /KelpDB server\?/,
    ],
    [
      'a proxy that knows no such caller',
      new ConnectError('no', Code.Unauthenticated),
      'unauthenticated',
      false,
      /no/,
    ],
    ['a proxy that refuses', new ConnectError('no', Code.PermissionDenied), 'permissionDenied', false, /no/],
    ['a defect', new ConnectError('oops', Code.Internal), 'internal', true, /oops/],
    ['anything else', new Error('what'), 'internal', true, /what/],
  ])('%s', (_, reason, code, mayHaveTakenEffect, message) => {
    const error = toKelpError(reason, write);
    expect(error).toMatchObject({ code, mayHaveTakenEffect });
    expect(error.message).toMatch(message);
    expect(toKelpError(reason, read).mayHaveTakenEffect).toBe(false);
  });

  test('causes that go round in a circle are no trap', () => {
    const loop = new Error('loop');
    loop.cause = loop;
    expect(toKelpError(new ConnectError('x', Code.Internal, undefined, undefined, loop), read).code).toBe(
      'internal',
    );
  });
});

test('isKelpError tells its own errors from others', () => {
  expect(isKelpError(new KelpError('closed', '', undefined))).toBe(true);
  expect(isKelpError(new KelpError('closed', '', undefined), 'internal')).toBe(false);
  expect(isKelpError(new Error('closed'))).toBe(false);
});
