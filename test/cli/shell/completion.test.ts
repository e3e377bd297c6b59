/** What a tabulator offers. */
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openEmbeddedStore } from '../../../src/cli/shell/store/embedded-store.ts';
import { commands } from '../../../src/cli/shell/table.ts';
import { Completer } from '../../../src/cli/shell/terminal/completion.ts';
import { shell as limits } from '../../../src/limits.ts';
import { temporaryDirectory } from '../../support/test-server.ts';

const noKeys = { scanPages: async function* () {} };

describe('names', () => {
  const completer = new Completer(commands, noKeys);

  test.each([
    ['PER', ['PERSIST '], 'PER'],
    ['per', ['persist '], 'per'],
    ['HELP unw', ['unwatch '], 'unw'],
    ['SET a b n', ['nx '], 'n'],
    ['SET a b EX 5 G', ['GET '], 'G'],
    ['SCAN user: ', ['COUNT', 'AFTER'], ''],
    ['NONSENSE a', [], 'a'],
    ['STATS a', [], 'a'],
    ['SET a b', [], 'b'],
    [String.raw`GET $'\q`, [], String.raw`GET $'\q`],
  ])('%j: %j', async (line, offers, typed) => {
    expect(await completer.complete(line)).toEqual([offers, typed]);
  });

  test('in an empty line all commands are offered', async () => {
    const [offers] = await completer.complete('');
    expect(offers).toEqual(commands.flatMap(({ names }) => names));
  });
});

describe('keys', () => {
  let complete: (line: string) => Promise<string[]>;
  let put: (...keys: (string | Uint8Array)[]) => Promise<void>;
  beforeEach(async () => {
    const store = await openEmbeddedStore(join(await temporaryDirectory(), 'data'));
    onTestFinished(() => store[Symbol.asyncDispose]());
    const completer = new Completer(commands, store);
    complete = async (line) => (await completer.complete(line))[0];
    put = async (...keys) => {
      for (const key of keys) await store.put(key, '');
    };
  });

  test('one is offered whole, several as far as they agree, then all of them', async () => {
    await put('user:alice', 'user:bob', 'zoo');
    expect(await complete('GET z')).toEqual(['zoo ']);
    expect(await complete('GET u')).toEqual(['user:']);
    expect(await complete('GET user:')).toEqual(['user:alice', 'user:bob']);
    expect(await complete('DEL zoo user:b')).toEqual(['user:bob ']);
    expect(await complete('GET nothing')).toEqual([]);
    expect(await complete('GET ')).toEqual(['user:alice', 'user:bob', 'zoo']);
  });

  test('keys that need quotes have them, and the quote stays open where the word goes on', async () => {
    await put('two words', 'two worlds', "it's", 'a\nb', Uint8Array.of(0x66, 0xff, 0x01));
    expect(await complete('GET t')).toEqual(["'two wor"]);
    expect(await complete("GET 'two wor")).toEqual(["'two words'", "'two worlds'"]);
    expect(await complete("GET 'two word")).toEqual(["'two words' "]);
    expect(await complete('GET i')).toEqual([String.raw`$'it\'s' `]);
    expect(await complete('GET a')).toEqual([String.raw`$'a\nb' `]);
    expect(await complete('GET f')).toEqual([String.raw`$'f\xff\x01' `]);
  });

  test('a character is not cut', async () => {
    await put('k\u00e4', 'k\u00e5');
    expect(await complete('GET k')).toEqual(['k\u00e4', 'k\u00e5']);
  });

  test('what many keys have in common is found without looking at all of them', async () => {
    const numbers = Array.from({ length: limits.completionKeysMax + 50 }, (_, index) => `k:0${index}`);
    await put(...numbers, 'k:9');
    expect(await complete('GET k')).toEqual(['k:']);
    const offers = await complete('GET k:');
    expect(offers.length).toBe(limits.completionKeysMax + 1);
    // The line editor adds what all offers begin with, and k:9 is not among them.
    expect(offers.slice(-2)).toEqual([expect.stringMatching(/^k:0/), '...']);
  });

  test('that there are more is said only if there are', async () => {
    await put(...Array.from({ length: limits.completionKeysMax }, (_, index) => `${1000 + index}`));
    expect(await complete('GET 1')).not.toContain('...');
  });
});

test('a store that fails offers nothing', async () => {
  const failing = {
    scanPages: () => {
      throw new Error('broken');
    },
  };
  expect(await new Completer(commands, failing).complete('GET a')).toEqual([[], 'a']);
});
