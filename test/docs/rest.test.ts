/** What docs/rest.md shows and says is what the server does. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { StoreError, type StoreErrorCode } from '../../src/errors.ts';
import { CallError, type CallErrorCode } from '../../src/server/calls/call-error.ts';
import { problemOf } from '../../src/server/rest/problem.ts';
import { RestError, type RestErrorCode } from '../../src/server/rest/rest-error.ts';
import { consoleExamplesOf, sectionOf } from '../support/page-examples.ts';
import { startTestServer } from '../support/test-server.ts';

const page = readFileSync('docs/rest.md', 'utf8');

async function typed(command: string): Promise<string> {
  const child = spawn('sh', ['-c', `exec 2>&1\n${command}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  return Buffer.concat(await child.stdout.toArray()).toString();
}

test('its examples print what stands below them', { timeout: 60_000 }, async () => {
  const { address } = await startTestServer();
  const examples = consoleExamplesOf(page);
  expect(examples.length).toBeGreaterThan(12);
  // One after the other: later examples see what earlier ones wrote.
  for (const { command, output } of examples) {
    const printed = await typed(command.replaceAll('127.0.0.1:7379', address));
    expect(`$ ${command}\n${alike(printed)}`).toBe(`$ ${command}\n${alike(output)}`);
  }
});

/** Without what is different for each store and at each time. */
function alike(text: string): string {
  return text
    .trimEnd()
    .replaceAll(/\b[0-9a-f]{32}\b/g, 'INCARNATION')
    .replaceAll(/"\d{4}-\d\d-\d\dT[^"]*Z"/g, '"TIME"');
}

const storeCodes: Readonly<Record<StoreErrorCode, true>> = {
  invalidArgument: true,
  conditionFailed: true,
  revisionCompacted: true,
  revisionFuture: true,
  keyNotFound: true,
  leaseNotFound: true,
  leaseExists: true,
  unauthenticated: true,
  permissionDenied: true,
  nameNotFound: true,
  nameTaken: true,
  notAnInteger: true,
  integerOverflow: true,
  wrongType: true,
  notAFloat: true,
  notANumber: true,
  indexOutOfRange: true,
  noTimeToLive: true,
  limitReached: true,
  slowWatcher: true,
  otherStore: true,
  historyDiffers: true,
  partlyDeleted: true,
  notWriter: true,
  closed: true,
  storageFailed: true,
  readOnly: true,
  snapshotFailed: true,
  readFailed: true,
  damaged: true,
  locked: true,
};
const callCodes: Readonly<
  Record<Exclude<CallErrorCode, 'canceled' | 'notClustered' | 'notHandedOver'>, true>
> = {
  recovering: true,
  stopping: true,
  deadlineExceeded: true,
  unimplemented: true,
};
const restCodes: Readonly<Record<RestErrorCode, true>> = {
  pathNotFound: true,
  methodNotAllowed: true,
  bodyTooLong: true,
  unsupportedMediaType: true,
  rangeNotSatisfiable: true,
};

test('its table of errors has every code with its status', () => {
  const told = [...sectionOf(page, 'Errors').matchAll(/^\| (\d{3}) +\| (.*?) +\|/gm)].flatMap(
    ([, status, codes = '']) => [...codes.matchAll(/`(\w+)`/g)].map(([, code]) => `${code} ${status}`),
  );
  const errors = [
    ...Object.keys(storeCodes).map((code) => new StoreError(code as 'keyNotFound', 'm')),
    ...Object.keys(callCodes).map((code) => new CallError(code as CallErrorCode, 'm')),
    ...Object.keys(restCodes).map((code) => new RestError(code as RestErrorCode, 'm')),
    new Error('a fault'),
  ];
  const actual = errors.map(problemOf).map(({ code, status }) => `${code} ${status}`);
  expect(told.toSorted()).toEqual(actual.toSorted());
});
