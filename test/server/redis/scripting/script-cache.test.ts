import { expect, test } from 'vitest';
import {
  type CachedScript,
  ScriptCache,
  sha1Of,
} from '../../../../src/server/redis/scripting/script-cache.ts';

const scriptOf = (text: string): CachedScript => ({ sha: sha1Of(text), text, bytes: text.length });

function cacheOf(
  limits: { countMax?: number; bytesMax?: number },
  ...texts: readonly string[]
): ScriptCache<CachedScript> {
  const cache = new ScriptCache<CachedScript>({ countMax: 100, bytesMax: 1000, ...limits });
  for (const text of texts) cache.add(scriptOf(text));
  return cache;
}

const left = (cache: ScriptCache<CachedScript>, texts: readonly string[]): string[] =>
  texts.filter((text) => cache.has(sha1Of(text)));

test('the SHA-1 is of the bytes of a script', () => {
  expect(sha1Of('return 1')).toBe('e0e1f9fabfc9d4800c877a703b823ac0578ff8db');
  expect(sha1Of('\xff')).toBe('85e53271e14006f0265921d02d4d736cdc580b0b');
});

test('a script is found by its SHA-1 and by its text', () => {
  const cache = cacheOf({}, 'a', 'b');
  expect(cache.bySha(sha1Of('a'))?.text).toBe('a');
  expect(cache.byText('b')?.sha).toBe(sha1Of('b'));
  expect(cache.byText('c')).toBeUndefined();
  expect(cache.bySha(sha1Of('c'))).toBeUndefined();
});

test('when there are too many the one goes that was used longest ago', () => {
  const cache = cacheOf({ countMax: 3 }, 'a', 'b', 'c');
  cache.bySha(sha1Of('a'));
  cache.add(scriptOf('d'));
  expect(left(cache, ['a', 'b', 'c', 'd'])).toEqual(['a', 'c', 'd']);
  cache.byText('c');
  cache.add(scriptOf('e'));
  expect(left(cache, ['a', 'c', 'd', 'e'])).toEqual(['c', 'd', 'e']);
  expect(cache.byText('a')).toBeUndefined();
});

test('what was loaded goes behind all that was only run', () => {
  const cache = cacheOf({ countMax: 3 }, 'loaded', 'a', 'b');
  cache.keep(scriptOf('loaded'));
  cache.add(scriptOf('c'));
  cache.add(scriptOf('d'));
  expect(left(cache, ['loaded', 'a', 'b', 'c', 'd'])).toEqual(['loaded', 'c', 'd']);
  for (const text of ['c', 'd']) cache.keep(scriptOf(text));
  cache.add(scriptOf('e'));
  expect(left(cache, ['loaded', 'c', 'd', 'e'])).toEqual(['c', 'd', 'e']);
});

test('their texts have a limit together, and what is longer by itself is not kept', () => {
  const cache = cacheOf({ bytesMax: 10 }, 'aaaa', 'bbbb');
  expect(cache.bytes).toBe(8);
  cache.add(scriptOf('cccccc'));
  expect(left(cache, ['aaaa', 'bbbb', 'cccccc'])).toEqual(['bbbb', 'cccccc']);
  cache.add(scriptOf('d'.repeat(11)));
  expect(left(cache, ['bbbb', 'cccccc', 'd'.repeat(11)])).toEqual(['bbbb', 'cccccc']);
  cache.clear();
  expect([cache.count, cache.bytes, cache.bySha(sha1Of('cccccc'))]).toEqual([0, 0, undefined]);
});
