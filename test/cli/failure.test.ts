/** What is told on standard error when a command fails. */
import { Code } from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import { dirname } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ErrorReason } from '../../gen/kelp/v1/errors_pb.ts';
import { failureJson, failureText } from '../../src/cli/process/failure.ts';
import { toCallFailure } from '../../src/client/transports/connect-transport.ts';
import { toKelpError } from '../../src/client/errors/kelp-error.ts';
import { KelpError } from '../../src/client/errors/error.ts';
import { diskError } from '../../src/disk/system-error.ts';
import { StoreError, type StoreErrorCode } from '../../src/errors.ts';
import { CallError, recoveringError, stoppingError } from '../../src/server/calls/call-error.ts';
import { toConnectError } from '../../src/server/connect/connect-error.ts';
import { OptionError } from '../../src/server/config/option-values.ts';
import { startTestServer } from '../support/test-server.ts';
import { Kelp } from './kelp.ts';

describe('a call that fails', () => {
  let kelp: Kelp;
  beforeEach(async () => {
    kelp = new Kelp((await startTestServer()).address);
    await kelp.text('put', 'a', '1');
  });

  test.each([
    [
      1,
      ['put', 'a', '2', '--if-absent'],
      {
        code: 'failed_precondition',
        reason: 'CONDITION_FAILED',
        message: 'the key exists',
        currentModRevision: 1,
      },
    ],
    [1, ['put', 'b', '2', '--if-exists'], { reason: 'CONDITION_FAILED', currentModRevision: 0 }],
    [1, ['touch', 'b'], { code: 'not_found', reason: 'KEY_NOT_FOUND', message: expect.any(String) }],
    [1, ['lease', 'keep-alive', '7'], { code: 'not_found', reason: 'LEASE_NOT_FOUND' }],
    [2, ['keys', '['], { code: 'invalid_argument', reason: 'INVALID_ARGUMENT' }],
    [4, ['touch', 'a'], { code: 'failed_precondition', reason: 'NO_TIME_TO_LIVE' }],
    [
      4,
      ['get', 'a', '--revision', '9'],
      { code: 'out_of_range', reason: 'REVISION_FUTURE', requestedRevision: 9, newestRevision: 1 },
    ],
    [
      4,
      ['watch', '--from-revision', '1', '--store-id', '0'.repeat(32)],
      { code: 'failed_precondition', reason: 'OTHER_STORE', requestedStoreId: '0'.repeat(32) },
    ],
  ])('ends with %i after %j --json, with a line of JSON', async (code, args, error) => {
    const outcome = await kelp.run([...args, '--json']);
    expect(outcome).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(/^\{.*\}\n$/) });
    expect(JSON.parse(outcome.stderr)).toMatchObject({ error });
  });

  test('because there is no server says so as JSON', async () => {
    const environment = { KELP_ADDRESS: '127.0.0.1:1' };
    const { code, stderr } = await kelp.run(['--json', 'get', 'a'], { environment });
    expect(code).toBe(3);
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'unavailable', message: expect.stringMatching(/^can't reach the server/) },
    });
  });

  test('with a lost lease or a revision that is not kept any more is told like any other', async () => {
    await kelp.text('lease', 'grant', '1s', '--id', '7');
    const { promise: isKept, resolve } = Promise.withResolvers<void>();
    const keeping = kelp.run(['lease', 'keep-alive', '7', '--json'], { onOutput: () => resolve() });
    await isKept;
    await kelp.text('lease', 'revoke', '7');
    const lost = await keeping;
    expect(lost.code).toBe(1);
    expect(JSON.parse(lost.stderr)).toMatchObject({ error: { reason: 'LEASE_NOT_FOUND' } });

    await kelp.text('put', 'b', '1');
    await kelp.text('compact', '2');
    const behind = await kelp.run(['watch', '--from-revision', '1', '--json']);
    expect(behind.code).toBe(4);
    expect(JSON.parse(behind.stdout)).toMatchObject({ kind: 'compacted', requestedRevision: 1 });
    expect(JSON.parse(behind.stderr)).toMatchObject({
      error: { code: 'out_of_range', reason: 'REVISION_COMPACTED', requestedRevision: 1, oldestRevision: 1 },
    });
  });

  test('as a text names the revision that a condition met', async () => {
    const { stderr } = await kelp.run(['put', 'a', '2', '--if-absent']);
    expect(stderr).toBe('kelp: the key exists (its mod_revision is 1)\n');
    const absent = await kelp.run(['put', 'b', '2', '--if-exists']);
    expect(absent.stderr).toBe('kelp: the key does not exist\n');
    const other = await kelp.run(['put', 'a', '2', '--if-revision', '7']);
    expect(other.stderr).toBe("kelp: the key's mod_revision is 1, not 7\n");
  });
});

describe('with --json, wherever it stands', () => {
  const kelp = new Kelp('127.0.0.1:1');
  const mistake = (message: string): object => ({
    error: {
      code: 'invalid_argument',
      reason: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
    },
  });

  test.each([
    [['put', 'a', '--json'], 'give one value'],
    [['get', '--json'], "missing required argument 'key'"],
    [['--json', 'get'], "missing required argument 'key'"],
    [['get', 'a', '--nonsense', '--json'], "unknown option '--nonsense'"],
    [['get', 'a', '--jsn', '--json'], "unknown option '--jsn' (Did you mean --json?)"],
    [['--json', 'nope'], "unknown command 'nope'; kelp help lists the commands"],
    [['lease', 'nope', '--json'], "unknown command 'lease nope'"],
    [['help', 'nope', '--json'], "unknown command 'nope'"],
    [['--json'], 'the line ends before a command; kelp help lists them'],
    [['lease', '--json'], 'the line ends before a command; kelp help lease lists them'],
    [['--json', 'lease'], 'the line ends before a command; kelp help lease lists them'],
    [['keys', '--limit', '0', '--json'], 'Expected a whole number from 1'],
    [['put', 'a', '1', '--ttl', '1m1h', '--json'], 'larger unit first'],
    [['put', 'a', '1', '--if-absent', '--if-exists', '--json'], 'cannot be used with'],
    [['get', 'a', '--json', '--address', 'ftp://x'], 'scheme is unknown'],
    [['get', 'a\ufffd', '--json'], 'not UTF-8'],
    [['restore', 'x', '--json'], "required option '--data-dir <folder>' not specified"],
    [
      ['verify', '/no/such/folder', '--json'],
      "can't read /no/such/folder: ENOENT: no such file or directory",
    ],
    [['--json', 'verify', '/no/such/folder'], "can't read /no/such/folder"],
    [['log', '/no/such/folder', '--json'], 'there is no /no/such/folder'],
    [['log', '.', '--json'], 'holds no segment of a log'],
    [['serve', '--json'], 'kelp serve has no option --json'],
    [['serve', '--fsync', 'sometimes', '--json'], 'kelp serve has no option --json'],
    [['completion', 'tcsh', '--json'], 'Allowed choices are bash, zsh, fish'],
  ])('a mistake such as %j is a line of JSON', async (args, message) => {
    const { code, stdout, stderr } = await kelp.run(args);
    expect({ code, stdout, lines: stderr.split('\n').length }).toEqual({ code: 2, stdout: '', lines: 2 });
    expect(JSON.parse(stderr)).toEqual(mistake(message));
  });

  test('what goes wrong with files is a line of JSON', async () => {
    const { dataDir } = await startTestServer();
    for (const args of [['verify'], ['log', '--json'], ['--json', 'log']]) {
      const { code, stderr } = await kelp.run([...args, dataDir, '--json']);
      expect(code).toBe(4);
      expect(JSON.parse(stderr)).toEqual({
        error: { code: 'failed_precondition', message: expect.stringContaining('a server is using') },
      });
    }
  });

  test('an argument behind -- that is called --json asks for nothing', async () => {
    expect(await kelp.run(['get', 'a', '--', '--json'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^kelp: too many arguments/),
    });
  });

  test('help and version stay texts, on standard output', async () => {
    expect(await kelp.run(['--json', '--help'])).toMatchObject({ code: 0, stderr: '' });
    expect(await kelp.run(['get', '--help', '--json'])).toMatchObject({ code: 0, stderr: '' });
  });

  test('every kind of failure has a code', () => {
    const full = Object.assign(new Error('why'), { code: 'ENOSPC' });
    for (const error of [full, diskError('write', 'a', full), new Error('no', { cause: full })]) {
      expect(failureJson(error)).toEqual({ error: { code: 'resource_exhausted', message: error.message } });
    }
    expect(failureJson(new StoreError('damaged', 'why', undefined))).toEqual({
      error: { code: 'data_loss', reason: 'DAMAGED', message: 'why' },
    });
    expect(failureJson(new OptionError('why'))).toEqual(mistake('why'));
    expect(failureJson(new Error('why'))).toEqual({ error: { code: 'internal', message: 'why' } });
  });
});

describe('as JSON', () => {
  const failedCall = { isWrite: false, address: 'http://kelp.example:7379' };
  const revisions = { requestedRevision: 3, oldestRevision: 7, newestRevision: 9 };
  const storeErrors = [
    new StoreError('conditionFailed', 'why', { currentModRevision: 5 }),
    new StoreError('revisionCompacted', 'why', revisions),
    new StoreError('revisionFuture', 'why', revisions),
    new StoreError('otherStore', 'why', { requestedStoreId: 'a', storeId: 'b' }),
    new StoreError('historyDiffers', 'why', {
      requestedRevision: 5,
      requestedIncarnation: 'a',
      incarnation: 'b',
      sharedRevision: 3,
      sharedIncarnation: 'c',
      newestRevision: 9,
    }),
    new StoreError('partlyDeleted', 'why', { firstRevision: 2, revision: 5, deletedCount: 9 }),
    new StoreError('notWriter', 'why', { writerAddress: 'node-2:7379' }),
    new StoreError('slowWatcher', 'why', { resumeRevision: 4 }),
    ...(
      [
        'invalidArgument',
        'keyNotFound',
        'leaseNotFound',
        'leaseExists',
        'unauthenticated',
        'permissionDenied',
        'nameNotFound',
        'nameTaken',
        'notAnInteger',
        'integerOverflow',
        'wrongType',
        'notAFloat',
        'notANumber',
        'indexOutOfRange',
        'noTimeToLive',
        'limitReached',
        'closed',
        'storageFailed',
        'readOnly',
        'snapshotFailed',
        'readFailed',
        'damaged',
      ] satisfies StoreErrorCode[]
    ).map((code) => new StoreError(code, 'why', undefined)),
  ];
  const answers = [
    ...storeErrors,
    recoveringError(),
    stoppingError(),
    new CallError('notClustered', 'why'),
    new CallError('notHandedOver', 'why'),
  ].map((error) => {
    const answer = toConnectError(error);
    return { answer, told: failureJson(toKelpError(toCallFailure(answer), failedCall)) };
  });

  test('every failure has the gRPC code that the server gave it', () => {
    for (const { answer, told } of answers) {
      expect(told).toMatchObject({
        error: { code: codeToString(answer.code), message: expect.stringContaining(answer.rawMessage) },
      });
    }
  });

  test('every reason of the schema is told by its name', () => {
    const reasons = answers.map(({ told }) => (told as { error: { reason: string } }).error.reason);
    expect(new Set(reasons)).toEqual(
      new Set(Object.keys(ErrorReason).filter((name) => name !== 'UNSPECIFIED')),
    );
  });

  test('a change that may have been made is marked', () => {
    const error = new KelpError('unavailable', 'why', undefined, { mayHaveTakenEffect: true });
    expect(failureJson(error)).toEqual({
      error: { code: codeToString(Code.Unavailable), message: 'why', mayHaveTakenEffect: true },
    });
    expect(failureText(error)).toBe('why (the change may have been made all the same)');
  });
});

test.each([
  ['txn', '/no/such'],
  ['put', 'a', '--file', '/no/such'],
  ['verify', '/no/such'],
  ['serve', '--config', '/no/such'],
  ['get', 'a', '--tls', '--tls-ca', '/no/such'],
])('a file that can not be read is named once: %s %s', async (...args) => {
  const { code, stderr } = await new Kelp('127.0.0.1:1').run(args);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringMatching(/^kelp: .*can't read \/no\/such: ENOENT: no such file or directory\n$/),
  });
});

test.each(['/no/such/file', '/dev/null/file'])(
  'a backup to %s, in no folder, is a mistake of usage',
  async (path) => {
    const server = await startTestServer();
    expect(await new Kelp(server.address).run(['backup', path])).toMatchObject({
      code: 2,
      stderr: `kelp: there is no folder ${dirname(path)}; make it first\n`,
    });
  },
);
