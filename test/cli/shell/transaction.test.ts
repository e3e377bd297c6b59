/** BEGIN, COMMIT, ROLLBACK, against a server and with an embedded store. */
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { DirectCalls } from '../../../src/cli/shell/keys/direct-calls.ts';
import { Transaction } from '../../../src/cli/shell/keys/transaction.ts';
import { type EmbeddedStore, openEmbeddedStore } from '../../../src/cli/shell/store/embedded-store.ts';
import type { ShellStore } from '../../../src/cli/shell/store/shell-store.ts';
import { KelpError } from '../../../src/client/errors/error.ts';
import { StoreError } from '../../../src/errors.ts';
import { fixed, shell as limits } from '../../../src/limits.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { type RunScript, jsonReplies, replies, shells } from './shells.ts';

describe.each(shells)('with %s', (_, open) => {
  let run: RunScript;
  beforeEach(async () => {
    run = await open();
  });

  test('reads see what the transaction has written, and all of it is one revision', async () => {
    expect(
      await replies(
        run,
        'SET a 1',
        'SET gone 1',
        'BEGIN',
        'SET a 2',
        'GET a',
        'INCR a',
        'INCRBY n 5',
        'DEL gone',
        'GET gone',
        'EXISTS a gone',
        'SET b 1 NX',
        'SET b 2 NX',
        'SET a 4 GET',
        'COMMIT',
        'KEYS',
        'GET a',
      ),
    ).toEqual([
      'OK',
      'OK',
      'OK',
      'OK',
      '2',
      '3',
      '5',
      'Deleted gone',
      'key not found',
      '1 of 2 keys',
      'OK',
      'not set: the key exists',
      '3',
      'OK',
      'a',
      'b',
      'n',
      '4',
    ]);
    expect(await jsonReplies(run, 'STATS')).toMatchObject([{ revision: 3 }]);
  });

  test('ROLLBACK drops it', async () => {
    expect(await replies(run, 'BEGIN', 'SET a 1', 'ROLLBACK', 'GET a')).toEqual([
      'OK',
      'OK',
      'OK',
      'key not found',
    ]);
  });

  test('one without commands commits to nothing', async () => {
    expect(await replies(run, 'BEGIN', 'COMMIT', 'BEGIN', 'GET a', 'COMMIT')).toEqual([
      'OK',
      'OK',
      'OK',
      'key not found',
      'OK',
    ]);
    expect(await jsonReplies(run, 'STATS')).toMatchObject([{ revision: 0 }]);
  });

  test('what the store can not do in a transaction is refused there', async () => {
    const lines = ['KEYS', 'LIST', 'SCAN', 'TTL a', 'EXPIRE a 1', 'PERSIST a', 'BEGIN'];
    const { stderr, code } = await run(['BEGIN', ...lines, 'STATS', 'ROLLBACK']);
    expect(stderr.split('\n').length).toBe(lines.length + 1);
    expect(stderr).toContain("kelp: line 2: KEYS can't be used in a transaction; COMMIT or ROLLBACK ends");
    expect(code).toBe(2);
  });

  test('a script whose transaction has a failure writes nothing of it', async () => {
    const { stdout, stderr, code } = await run([
      'BEGIN',
      'SET a 1',
      'SETT b 1',
      'COMMIT',
      'ROLLBACK',
      'GET a',
    ]);
    expect(stdout).toBe('OK\nOK\nOK\nkey not found\n');
    expect(stderr).toContain('line 4: a command in the transaction has failed: nothing was written');
    expect(code).toBe(2);
  });

  test('a script that ends in a transaction writes nothing of it, and says so', async () => {
    const { stderr, code } = await run(['BEGIN', 'SET a 1']);
    expect(stderr).toBe('kelp: the script ends within a transaction: nothing of that was written\n');
    expect(code).toBe(2);
    expect(await replies(run, 'GET a')).toEqual(['key not found']);
  });
});

describe('beside others', () => {
  let store: EmbeddedStore;
  let direct: DirectCalls;
  beforeEach(async () => {
    store = await openEmbeddedStore(join(await temporaryDirectory(), 'data'));
    direct = new DirectCalls(store);
    onTestFinished(() => store[Symbol.asyncDispose]());
  });
  const bytes = (text: string): Uint8Array => Buffer.from(text);
  const textOf = async (key: string): Promise<string> =>
    Buffer.from((await direct.get(key))?.value ?? []).toString();

  test.each<readonly [string, () => Promise<unknown>]>([
    ['is written', () => direct.set('a', bytes('9'), {})],
    ['is deleted', () => direct.delete(['a'])],
    [
      'is deleted and made anew with the same value',
      async () => {
        await direct.delete(['a']);
        await direct.set('a', bytes('1'), {});
      },
    ],
  ])('COMMIT is refused when a key that was read %s, and names it', async (_, change) => {
    await direct.set('a', bytes('1'), {});
    const transaction = new Transaction(store);
    await transaction.get('other');
    await transaction.get('a');
    await transaction.set('b', bytes('2'), {});
    await change();
    expect(await transaction.commit()).toMatchObject({
      kind: 'aborted',
      changedKey: 'a',
      isAfterUnanswered: false,
    });
    expect(await textOf('b')).toBe('');
  });

  test('a key that was not there when it was read counts, too', async () => {
    const transaction = new Transaction(store);
    await transaction.get('a');
    await transaction.set('b', bytes('2'), {});
    await direct.set('a', bytes('1'), {});
    expect(await transaction.commit()).toMatchObject({
      kind: 'aborted',
      changedKey: 'a',
      isAfterUnanswered: false,
    });
  });

  test('a key that was only written is no obstacle', async () => {
    const transaction = new Transaction(store);
    await transaction.set('a', bytes('2'), {});
    await direct.set('a', bytes('1'), {});
    expect(await transaction.commit()).toMatchObject({ kind: 'committed' });
    expect(await textOf('a')).toBe('2');
  });

  test('all reads show one state', async () => {
    await direct.set('a', bytes('1'), {});
    await direct.set('b', bytes('1'), {});
    const transaction = new Transaction(store);
    await transaction.get('a');
    await direct.set('b', bytes('2'), {});
    expect(Buffer.from((await transaction.get('b'))?.value ?? []).toString()).toBe('1');
    expect(await transaction.commit()).toMatchObject({ kind: 'aborted', changedKey: 'b' });
  });

  test('a revision that is not kept any more ends the reads, with what to do', async () => {
    await direct.set('a', bytes('1'), {});
    const transaction = new Transaction(store);
    await transaction.get('a');
    await direct.set('a', bytes('2'), {});
    await store.compact(2);
    await expect(transaction.get('b')).rejects.toThrow('ROLLBACK, and BEGIN anew');
  });

  test('a sum of many that add at once is right: who is refused tries again', async () => {
    const adders = Array.from({ length: 8 }, async () => {
      let refusals = 0;
      for (let done = 0; done < 10;) {
        const transaction = new Transaction(store);
        const sum = Number(Buffer.from((await transaction.get('n'))?.value ?? bytes('0')).toString()) + 1;
        await transaction.set('n', bytes(String(sum)), {});
        if ((await transaction.commit()).kind === 'committed') done++;
        else refusals++;
      }
      return refusals;
    });
    const refusals = await Promise.all(adders);
    expect(await textOf('n')).toBe('80');
    expect(Math.max(...refusals)).toBeGreaterThan(0);
  });

  test('a COMMIT that is tried again behind one without an answer says that it may have been that', async () => {
    const lost = new KelpError('unavailable', 'the connection broke', undefined, {
      mayHaveTakenEffect: true,
    });
    let isLost = true;
    const commit = store.txn;
    const txn: ShellStore['txn'] = async (request) => {
      const result = await commit(request);
      if (isLost) throw lost;
      return result;
    };
    const transaction = new Transaction(Object.assign(store, { txn }));
    await transaction.increment('n', 1n);
    await expect(transaction.commit()).rejects.toBe(lost);
    isLost = false;
    expect(await transaction.commit()).toMatchObject({
      kind: 'aborted',
      changedKey: 'n',
      isAfterUnanswered: true,
    });
    expect(await textOf('n')).toBe('1');
  });

  test('a COMMIT that changed nothing for sure can be tried again', async () => {
    const refused = new StoreError('limitReached', 'the buffers are full');
    let isRefused = true;
    const commit = store.txn;
    const txn: ShellStore['txn'] = async (request) => {
      if (isRefused) throw refused;
      return commit(request);
    };
    const transaction = new Transaction(Object.assign(store, { txn }));
    await transaction.increment('n', 1n);
    await expect(transaction.commit()).rejects.toBe(refused);
    isRefused = false;
    expect(await transaction.commit()).toMatchObject({ kind: 'committed' });
  });

  test('what it may hold is bounded', async () => {
    const transaction = new Transaction(store);
    const value = Buffer.alloc(limits.transactionBytesMax / 4);
    for (let i = 0; i < 3; i++) await transaction.set(`k${i}`, value, {});
    await expect(transaction.set('k3', value, {})).rejects.toThrow('bytes at most');
    const reader = new Transaction(store);
    for (let i = 0; i < fixed.txnComparesMax; i++) await reader.get(`k${i}`);
    await reader.get('k0');
    await expect(reader.get('one more')).rejects.toThrow('reads 1000 keys at most');
  });

  test('increments have the bounds and the texts of those of the store', async () => {
    await direct.set('text', bytes('five'), {});
    await direct.set('max', bytes('9223372036854775807'), {});
    const transaction = new Transaction(store);
    for (const [key, code] of [
      ['text', 'notAnInteger'],
      ['max', 'integerOverflow'],
    ] as const) {
      await expect(direct.increment(key, 1n)).rejects.toMatchObject({ code });
      await expect(transaction.increment(key, 1n)).rejects.toMatchObject({ code });
    }
  });
});
