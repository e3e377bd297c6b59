import { describe, expect, it } from 'vitest';
import { fixed } from '../../src/limits.ts';
import { compileRedisGlob } from '../../src/types/glob.ts';
import { SeededRandom } from '../support/random.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

function matches(pattern: string, subject: string): boolean {
  return compileRedisGlob(bytes(pattern)).matches(bytes(`<${subject}>`), 1, 1 + subject.length);
}

/** `stringmatchlen` of Redis 7.0, line by line, with the NUL that stands behind its strings. */
function stringMatch(pattern: string, subject: string): boolean {
  const p = [...Buffer.from(pattern, 'latin1'), 0].map(signed);
  const s = [...Buffer.from(subject, 'latin1')].map(signed);
  const code = (text: string): number => text.charCodeAt(0);
  const run = (pAt: number, sAt: number): boolean => {
    const pEnd = pattern.length;
    while (pAt < pEnd && sAt < s.length) {
      if (p[pAt] === code('*')) {
        while (pAt < pEnd && p[pAt + 1] === code('*')) pAt++;
        if (pEnd - pAt === 1) return true;
        for (; sAt < s.length; sAt++) if (run(pAt + 1, sAt)) return true;
        return false;
      }
      const c = s[sAt] ?? 0;
      if (p[pAt] === code('?')) sAt++;
      else if (p[pAt] === code('[')) {
        pAt++;
        const not = p[pAt] === code('^');
        if (not) pAt++;
        let match = false;
        for (; ; pAt++) {
          if (pEnd - pAt >= 2 && p[pAt] === code('\\')) {
            pAt++;
            if (p[pAt] === c) match = true;
          } else if (p[pAt] === code(']')) break;
          else if (pAt === pEnd) {
            pAt--;
            break;
          } else if (pEnd - pAt >= 3 && p[pAt + 1] === code('-')) {
            const low = Math.min(p[pAt] ?? 0, p[pAt + 2] ?? 0);
            const high = Math.max(p[pAt] ?? 0, p[pAt + 2] ?? 0);
            pAt += 2;
            if (c >= low && c <= high) match = true;
          } else if (p[pAt] === c) match = true;
        }
        if (match === not) return false;
        sAt++;
      } else {
        if (p[pAt] === code('\\') && pEnd - pAt >= 2) pAt++;
        if (p[pAt] !== c) return false;
        sAt++;
      }
      pAt++;
      if (sAt === s.length) {
        while (p[pAt] === code('*')) pAt++;
        break;
      }
    }
    return pAt === pEnd && sAt === s.length;
  };
  return run(0, 0);
}

function signed(byte: number): number {
  return byte < 0x80 ? byte : byte - 256;
}

describe('globs by the rules of Redis', () => {
  const cases: [pattern: string, taken: string[], refused: string[]][] = [
    ['*', ['a', 'abc', '\0'], ['']],
    ['', [''], ['a']],
    ['h?llo', ['hello', 'h\xffllo'], ['hllo', 'heello']],
    ['h[ae]llo', ['hello', 'hallo'], ['hillo', 'h[ae]llo']],
    ['h[^e]llo', ['hallo', 'h^llo'], ['hello']],
    ['h[!e]llo', ['h!llo', 'hello'], ['hallo']],
    ['[a-c]', ['a', 'b', 'c'], ['d', '-']],
    ['[c-a]', ['a', 'b', 'c'], ['d', '-']],
    ['[a-]', ['a', ']', '^'], ['-', 'b']],
    ['[]', [], ['', ']', 'a', '[]']],
    ['[^]', ['a', ']'], ['']],
    ['[abc', ['a', 'c'], ['d', '[abc']],
    ['[', [], ['[', 'a', '']],
    ['[\\]]', [']'], ['\\', '\\]']],
    ['\\*', ['*'], ['a', '\\*', '\\a']],
    ['a\\', ['a\\'], ['a']],
    ['[a-\xff]', ['\xff', '\0', 'a'], ['b', '\xfe', '\x80']],
    ['a**b*', ['ab', 'axbx', 'abb'], ['a', 'ba']],
  ];

  it.each(cases)('%j', (pattern, taken, refused) => {
    for (const subject of taken) expect(matches(pattern, subject), subject).toBe(true);
    for (const subject of refused) expect(matches(pattern, subject), subject).toBe(false);
  });

  it('match what stringmatchlen matches', () => {
    const seed = Number(process.env['SEED'] ?? 20261126);
    const random = new SeededRandom(seed);
    const letters = ['a', 'b', 'c', '*', '?', '[', ']', '^', '-', '\\', '!', '\0', '\x80', '\xff'];
    const text = (most: number): string =>
      Array.from({ length: random.below(most + 1) }, () => random.pick(letters)).join('');
    for (let round = 0; round < 30_000; round++) {
      const pattern = text(9);
      const subject = text(6);
      const expected = stringMatch(pattern, subject);
      if (matches(pattern, subject) !== expected) expect([seed, pattern, subject]).toEqual([expected]);
    }
  });

  it('take a time that is linear, whatever the pattern', () => {
    const glob = compileRedisGlob(bytes(`${'*a'.repeat(1000)}*b`));
    const subject = new Uint8Array(fixed.keyBytesMax).fill(0x61);
    expect(glob.matches(subject, 0, subject.length)).toBe(false);
    subject[subject.length - 1] = 0x62;
    expect(glob.matches(subject, 0, subject.length)).toBe(true);
  });

  it('match nothing when they are for more bytes than there can be, and are refused beyond 16 KiB', () => {
    const full = bytes('?'.repeat(fixed.keyBytesMax));
    expect(compileRedisGlob(full).matches(full, 0, full.length)).toBe(true);
    expect(compileRedisGlob(bytes('?'.repeat(16_000))).matches(full, 0, full.length)).toBe(false);
    expect(() => compileRedisGlob(new Uint8Array(fixed.globBytesMax + 1))).toThrow(
      'the pattern is longer than 16384 bytes',
    );
  });

  it('tell what every match begins with', () => {
    const head = (pattern: string): string =>
      Buffer.from(compileRedisGlob(bytes(pattern)).literalHead).toString('latin1');
    expect(head('user:*')).toBe('user:');
    expect(head('user\\*:?x')).toBe('user*:');
    expect(head('a[b]c[de]')).toBe('abc');
    expect(head('*a')).toBe('');
  });
});
