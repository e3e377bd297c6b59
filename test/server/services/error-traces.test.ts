/** What a client can make fail a thousand times by one message costs no stack traces; what is a defect has its own. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { StoreError } from '../../../src/errors.ts';
import { deadlineError } from '../../../src/server/calls/call-error.ts';
import { kvMethods } from '../../../src/server/services/kv/kv.ts';
import { type BidiStreamMethod, readRequest } from '../../../src/server/services/method.ts';
import type { PipelineBatch } from '../../../src/server/services/pipeline/batch.ts';
import { WireError } from '../../../src/wire/wire-error.ts';
import { engineOfTests } from '../../support/test-engine.ts';
import { startTestServer, temporaryDirectory } from '../../support/test-server.ts';

const here = import.meta.filename;

test('a program that has no server finds in the stack of an error which of its calls failed', async () => {
  // A server leaves them out for all of its process: what is imported anew has had none.
  vi.resetModules();
  const { openStore } = await import('../../../src/kv/open-store.ts');
  const engine = engineOfTests();
  const dataDir = await temporaryDirectory();
  const store = await openStore({ dataDir, fsync: 'never', ...(engine && { engine }) });
  const limit = Error.stackTraceLimit;
  onTestFinished(() => {
    Error.stackTraceLimit = limit;
  });
  Error.stackTraceLimit = 30;
  for (const failed of [() => store.put('', 'empty key'), () => store.touch('absent')]) {
    const error = await failed().catch((thrown: unknown) => thrown as Error);
    expect((error as Error).stack).toContain(here);
  }
  await store.close();
});

describe('in a process that serves', () => {
  test('errors that are answers have no stack trace, and others have', async () => {
    await startTestServer();
    const limit = Error.stackTraceLimit;
    const answers = [
      new StoreError('conditionFailed', 'the key exists', { currentModRevision: 1 }),
      new WireError('truncated', 1),
      deadlineError(),
    ];
    for (const error of answers) expect(error.stack).toBe(`${error.name}: ${error.message}`);
    expect(new TypeError('a defect').stack).toContain(here);
    expect(Error.stackTraceLimit).toBe(limit);
  });

  test('what stands for an operation that can not be read has none', async () => {
    await startTestServer();
    const { desc, codecs } = kvMethods.pipeline as BidiStreamMethod;
    // No tag, a key that is no text, a revision that is too large.
    const wrong = [[7], [0x0a, 3, 0x0a, 1, 0xff], [0x0a, 10, 0x10, ...Array(8).fill(0x80), 0x10]];
    const bytes = Buffer.from(wrong.flatMap((operation) => [0x0a, operation.length, ...operation]));
    const { operations } = readRequest({ desc, codecs }, bytes, 0, bytes.length) as PipelineBatch;
    const stacks = operations.map(({ operation }) => (operation.value as Error).stack);
    expect(stacks).toEqual([
      expect.stringMatching(/^StoreError: .*PipelineOperation: .*no valid field tag[^\n]*$/),
      expect.stringMatching(/^StoreError: .*GetRequest: .*not UTF-8[^\n]*$/),
      expect.stringMatching(/^StoreError: revision is 1152921504606846976[^\n]*$/),
    ]);
  });
});
