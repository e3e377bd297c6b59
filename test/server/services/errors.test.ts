import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { StoreError } from '../../../src/errors.ts';
import { serverFixed } from '../../../src/limits.ts';
import { toConnectError } from '../../../src/server/connect/connect-error.ts';

const revisions = { requestedRevision: 3, oldestRevision: 5, newestRevision: 9 };
const differences = {
  requestedRevision: 3,
  requestedIncarnation: 'a',
  incarnation: 'b',
  sharedRevision: 2,
  sharedIncarnation: 'c',
  newestRevision: 9,
};

describe('each code of the store has one code and reason of gRPC', () => {
  test.each([
    [new StoreError('invalidArgument', 'm'), Code.InvalidArgument, ErrorReason.INVALID_ARGUMENT],
    [new StoreError('keyNotFound', 'm'), Code.NotFound, ErrorReason.KEY_NOT_FOUND],
    [new StoreError('leaseNotFound', 'm'), Code.NotFound, ErrorReason.LEASE_NOT_FOUND],
    [new StoreError('leaseExists', 'm'), Code.AlreadyExists, ErrorReason.LEASE_EXISTS],
    [new StoreError('notAnInteger', 'm'), Code.FailedPrecondition, ErrorReason.NOT_AN_INTEGER],
    [new StoreError('integerOverflow', 'm'), Code.FailedPrecondition, ErrorReason.INTEGER_OVERFLOW],
    [new StoreError('wrongType', 'm'), Code.FailedPrecondition, ErrorReason.WRONG_TYPE],
    [new StoreError('notAFloat', 'm'), Code.FailedPrecondition, ErrorReason.NOT_A_FLOAT],
    [new StoreError('notANumber', 'm'), Code.FailedPrecondition, ErrorReason.NOT_A_NUMBER],
    [new StoreError('indexOutOfRange', 'm'), Code.OutOfRange, ErrorReason.INDEX_OUT_OF_RANGE],
    [new StoreError('noTimeToLive', 'm'), Code.FailedPrecondition, ErrorReason.NO_TIME_TO_LIVE],
    [new StoreError('limitReached', 'm'), Code.ResourceExhausted, ErrorReason.LIMIT_REACHED],
    [new StoreError('closed', 'm'), Code.Unavailable, ErrorReason.SHUTTING_DOWN],
    [new StoreError('storageFailed', 'm'), Code.Unavailable, ErrorReason.STORAGE_FAILED],
    [new StoreError('readOnly', 'm'), Code.Unavailable, ErrorReason.READ_ONLY],
    [new StoreError('snapshotFailed', 'm'), Code.Internal, ErrorReason.SNAPSHOT_FAILED],
    [new StoreError('readFailed', 'm'), Code.Unavailable, ErrorReason.READ_FAILED],
    [new StoreError('damaged', 'm'), Code.DataLoss, ErrorReason.DAMAGED],
  ])('%s', (error, code, reason) => {
    const mapped = toConnectError(error);

    expect(Code[mapped.code]).toBe(Code[code]);
    expect(mapped.rawMessage).toBe('m');
    expect(mapped.findDetails(ErrorDetailSchema)).toMatchObject([{ reason, info: { case: undefined } }]);
  });

  test.each([
    [
      new StoreError('conditionFailed', 'm', { currentModRevision: 4 }),
      Code.FailedPrecondition,
      {
        reason: ErrorReason.CONDITION_FAILED,
        info: { case: 'conditionFailed', value: { currentModRevision: 4n } },
      },
    ],
    [
      new StoreError('revisionCompacted', 'm', revisions),
      Code.OutOfRange,
      {
        reason: ErrorReason.REVISION_COMPACTED,
        info: {
          case: 'revisionOutOfRange',
          value: { requestedRevision: 3n, oldestRevision: 5n, newestRevision: 9n },
        },
      },
    ],
    [
      new StoreError('revisionFuture', 'm', revisions),
      Code.OutOfRange,
      { reason: ErrorReason.REVISION_FUTURE, info: { case: 'revisionOutOfRange' } },
    ],
    [
      new StoreError('historyDiffers', 'm', differences),
      Code.FailedPrecondition,
      {
        reason: ErrorReason.HISTORY_DIFFERS,
        info: {
          case: 'historyDiffers',
          value: { ...differences, requestedRevision: 3n, sharedRevision: 2n, newestRevision: 9n },
        },
      },
    ],
    [
      new StoreError('partlyDeleted', 'm', { firstRevision: 2, revision: 5, deletedCount: 9000 }),
      Code.Aborted,
      {
        reason: ErrorReason.PARTLY_DELETED,
        info: {
          case: 'partlyDeleted',
          value: { firstRevision: 2n, revision: 5n, deletedCount: 9000n },
        },
      },
    ],
    [
      new StoreError('slowWatcher', 'm', { resumeRevision: 6 }),
      Code.ResourceExhausted,
      { reason: ErrorReason.SLOW_WATCHER, info: { case: 'watchEnded', value: { resumeRevision: 6n } } },
    ],
    [
      new StoreError('otherStore', 'm', { requestedStoreId: 'a', storeId: 'b' }),
      Code.FailedPrecondition,
      {
        reason: ErrorReason.OTHER_STORE,
        info: { case: 'otherStore', value: { requestedStoreId: 'a', storeId: 'b' } },
      },
    ],
  ])('%s, with what belongs to it', (error, code, detail) => {
    const mapped = toConnectError(error);

    expect(Code[mapped.code]).toBe(Code[code]);
    expect(mapped.findDetails(ErrorDetailSchema)).toMatchObject([detail]);
  });
});

test('an error that nobody foresaw tells nothing of its inside', () => {
  const mapped = toConnectError(new TypeError('key "secret" of undefined'));

  expect(mapped.code).toBe(Code.Internal);
  expect(mapped.rawMessage).not.toContain('secret');
  expect(mapped.cause).toBeInstanceOf(TypeError);
});

test('an error of the protocols stays as it is', () => {
  const error = new ConnectError('too late', Code.DeadlineExceeded);

  expect(toConnectError(error)).toBe(error);
});

test('a text that no header could carry is made fit', () => {
  const torn = toConnectError(new StoreError('invalidArgument', 'key "\ud800"'));
  const long = toConnectError(new StoreError('invalidArgument', `key "${'😀'.repeat(4096)}"`));

  expect(() => encodeURIComponent(torn.rawMessage)).not.toThrow();
  expect(() => encodeURIComponent(long.rawMessage)).not.toThrow();
  expect(long.rawMessage.length).toBeLessThan(serverFixed.errorMessageCharactersMax + 10);
});

test('an error that Connect made keeps all but what its text quotes and a header can not hold', () => {
  const error = new ConnectError('cannot decode "\ud800"', Code.InvalidArgument, { trace: '1' });
  error.details = [{ type: 'some.Detail', value: Uint8Array.of(1) }];

  const mapped = toConnectError(error);

  expect(() => encodeURIComponent(mapped.rawMessage)).not.toThrow();
  expect(mapped.rawMessage).toBe('cannot decode "\ufffd"');
  expect([mapped.code, mapped.metadata.get('trace'), mapped.details]).toEqual([
    Code.InvalidArgument,
    '1',
    error.details,
  ]);
});
