import { expect, test } from 'vitest';
import { ScriptWords } from '../../../../src/server/redis/scripting/script-words.ts';

test('words are paid for before they are copied', () => {
  const words = new ScriptWords();
  const paid: number[] = [];
  const pay = (bytes: number): void => {
    paid.push(bytes);
    if (bytes > 100) throw new Error('too many');
  };
  expect(words.put(['set', 'k', 12], pay)).toBe(true);
  expect([words.args.count, words.args.text(2)]).toEqual([3, '12']);
  expect(() => words.put(['set', 'x'.repeat(1_000_000)], pay)).toThrow('too many');
  expect([words.args.count, words.args.text(2)]).toEqual([3, '12']);
  expect(words.put(['set', true], pay)).toBe(false);
  expect(paid).toEqual([6, 1_000_003]);
});
