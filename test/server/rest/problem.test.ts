/** Errors as HTTP has them: each code has its status, and carries what programs act on. */
import { expect, test } from 'vitest';
import { RetryLaterError, StoreError } from '../../../src/errors.ts';
import { nameOfCode } from '../../../src/grpc-code.ts';
import { recoveringError, stoppingError, tooSlowError } from '../../../src/server/calls/call-error.ts';
import { problemJson, problemOf } from '../../../src/server/rest/problem.ts';
import { RestError } from '../../../src/server/rest/rest-error.ts';

const revisions = { requestedRevision: 1, oldestRevision: 5, newestRevision: 9 };

test.each<[Error, number, string, object]>([
  [new StoreError('invalidArgument', 'm'), 400, 'InvalidArgument', {}],
  [
    new StoreError('conditionFailed', 'm', { currentModRevision: 3 }),
    412,
    'FailedPrecondition',
    { currentModRevision: 3 },
  ],
  [new StoreError('revisionCompacted', 'm', revisions), 410, 'OutOfRange', revisions],
  [new StoreError('revisionFuture', 'm', revisions), 400, 'OutOfRange', revisions],
  [new StoreError('keyNotFound', 'm'), 404, 'NotFound', {}],
  [new StoreError('leaseNotFound', 'm'), 404, 'NotFound', {}],
  [new StoreError('notAnInteger', 'm'), 409, 'FailedPrecondition', {}],
  [new StoreError('integerOverflow', 'm'), 409, 'FailedPrecondition', {}],
  [new StoreError('wrongType', 'm'), 409, 'FailedPrecondition', {}],
  [new StoreError('notAFloat', 'm'), 409, 'FailedPrecondition', {}],
  [new StoreError('notANumber', 'm'), 409, 'FailedPrecondition', {}],
  [new StoreError('indexOutOfRange', 'm'), 400, 'OutOfRange', {}],
  [new StoreError('limitReached', 'm'), 429, 'ResourceExhausted', {}],
  [
    new StoreError('partlyDeleted', 'm', { firstRevision: 1, revision: 2, deletedCount: 3 }),
    500,
    'Aborted',
    { firstRevision: 1, revision: 2, deletedCount: 3 },
  ],
  [
    new StoreError('notWriter', 'm', { writerAddress: 'node-2:7379' }),
    503,
    'Unavailable',
    { writerAddress: 'node-2:7379' },
  ],
  [new StoreError('closed', 'm'), 503, 'Unavailable', {}],
  [new StoreError('storageFailed', 'm'), 503, 'Unavailable', {}],
  [new StoreError('readOnly', 'm'), 503, 'Unavailable', {}],
  [recoveringError(), 503, 'Unavailable', {}],
  [stoppingError(7), 503, 'Unavailable', { resumeRevision: 7 }],
  [tooSlowError(5), 408, 'DeadlineExceeded', {}],
  [new RestError('pathNotFound', 'm'), 404, 'Unimplemented', {}],
  [new RestError('methodNotAllowed', 'm', ['allow', 'GET']), 405, 'Unimplemented', {}],
  [new RestError('bodyTooLong', 'm'), 413, 'ResourceExhausted', {}],
  [new RestError('unsupportedMediaType', 'm'), 415, 'InvalidArgument', {}],
  [new RestError('rangeNotSatisfiable', 'm'), 416, 'OutOfRange', {}],
])('%s is %i', (error, status, grpcName, members) => {
  const problem = problemOf(error);
  const { code } = error as StoreError;
  expect([problem.status, nameOfCode(problem.grpcCode)]).toEqual([status, grpcName]);
  expect(JSON.parse(problemJson(problem))).toEqual({
    type: `urn:kelpdb:error:${code}`,
    title: expect.stringMatching(/\w/),
    status,
    detail: error.message,
    code,
    ...members,
  });
  expect(problem.headers.includes('retry-after')).toBe(status === 503 && code !== 'storageFailed');
});

test.each([
  [1, '1'],
  [1000, '1'],
  [1001, '2'],
  [59_500, '60'],
])('a limit that passes in %i ms tells so in whole seconds', (retryAfterMs, seconds) => {
  const { status, headers } = problemOf(new RetryLaterError('m', retryAfterMs));
  expect([status, headers]).toEqual([429, ['retry-after', seconds]]);
});

test('text that no header could hold is well formed and not too long', () => {
  const { detail } = problemOf(new StoreError('invalidArgument', `\ud800${'x'.repeat(5000)}`));
  expect([detail.isWellFormed(), detail.length]).toEqual([true, 1027]);
});
