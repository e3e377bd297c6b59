import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob } from '../../src/store/glob.ts';

/** A pattern in parts, from which its text is made and what it matches is worked out. */
type Part =
  | { readonly kind: 'literal'; readonly character: string; readonly isEscaped: boolean }
  | { readonly kind: 'any' | 'star' }
  | {
      readonly kind: 'class';
      readonly negation: '' | '^' | '!';
      readonly members: readonly (readonly [string, string])[];
    };

const SPECIAL = new Set('*?[]\\^!-');
const ALPHABET = ['a', 'b', '*', '?', '[', ']', '\\', '^', '!', '-', 'é', '\u{1f40b}', '\u{1f40c}'];

describe('a glob', () => {
  it('matches what its parts match', () => {
    const character = fc.constantFrom(...ALPHABET);
    const part: fc.Arbitrary<Part> = fc.oneof(
      fc.record({ kind: fc.constant('literal' as const), character, isEscaped: fc.boolean() }),
      fc.record({ kind: fc.constantFrom('any', 'star' as const) }),
      fc.record({
        kind: fc.constant('class' as const),
        negation: fc.constantFrom('', '^', '!' as const),
        members: fc.array(fc.tuple(character, character), { minLength: 1, maxLength: 3 }),
      }),
    );
    const property = fc.property(
      fc.array(part, { minLength: 1, maxLength: 8 }),
      fc.array(fc.array(character, { maxLength: 8 }), { minLength: 1, maxLength: 10 }),
      (parts, texts) => {
        const glob = compileGlob(parts.map(patternOf).join(''));
        for (const text of texts) {
          const whole = text.join('');
          const expected = matchesParts(parts, text);
          expect(glob.matches(whole), whole).toBe(expected);
          if (expected) expect(whole.startsWith(glob.literalHead)).toBe(true);
        }
      },
    );
    fc.assert(property, { numRuns: 2000 });
  });

  it.each([
    ['abc', 'abc', 'abc', 'ab', 'abcd', 'xabc'],
    ['', '*', '', 'a', 'a/b', '\u{1f40b}'],
    ['a', 'a*', 'a', 'ab'],
    ['a', 'a?c', 'abc', 'a\u{1f40b}c'],
    ['a*', 'a\\**', 'a*', 'a*b'],
    ['', '[a-c]x', 'ax', 'cx'],
    ['', '[c-a]', 'b'],
    ['', '[]a]', ']', 'a'],
    ['', '[^]]', 'a'],
    ['', '[a-]', 'a', '-'],
    ['', '[\\]]', ']'],
    ['', '[\\--\\]]', '-', ']', 'A'],
  ])('of head %j and pattern %j matches', (head, pattern, ...texts) => {
    const glob = compileGlob(pattern);
    expect(glob.literalHead).toBe(head);
    const isLiteral = head === pattern;
    for (const [index, text] of texts.entries())
      expect(glob.matches(text), text).toBe(!isLiteral || index === 0);
  });

  it('takes a number of steps that is at most the product of the lengths', () => {
    const text = 'a'.repeat(4096);
    for (const pattern of [
      `${'*a'.repeat(127)}b`,
      `${'*?'.repeat(127)}b`,
      `*${'a'.repeat(254)}b`,
      '*a*a*a*a*b',
    ]) {
      const glob = compileGlob(pattern);
      const counted = Object(text) as string & { codePointAt: string['codePointAt'] };
      let stepCount = 0;
      counted.codePointAt = (index) => {
        stepCount++;
        return text.codePointAt(index);
      };
      expect(glob.matches(counted)).toBe(false);
      expect(stepCount).toBeGreaterThan(4096);
      expect(stepCount).toBeLessThan(2 * (pattern.length + 1) * (text.length + 1));
    }
  });

  it.each([
    '',
    '[',
    '[a',
    '[]',
    '[!',
    '[^]',
    '[a-',
    '[\\',
    'a\\',
    'a'.repeat(257),
    'é'.repeat(129),
    '\udc00',
  ])('is refused: %j', (pattern) => {
    expect(() => compileGlob(pattern)).toThrow(expect.objectContaining({ code: 'invalidArgument' }));
  });

  it('may be as long as the limit', () => {
    expect(compileGlob('a'.repeat(256)).matches('a'.repeat(256))).toBe(true);
    expect(compileGlob('é'.repeat(128)).matches('é'.repeat(128))).toBe(true);
  });
});

function patternOf(part: Part): string {
  switch (part.kind) {
    case 'any':
      return '?';
    case 'star':
      return '*';
    case 'literal':
      return part.isEscaped || SPECIAL.has(part.character) ? `\\${part.character}` : part.character;
    case 'class': {
      const escaped = (character: string) => (SPECIAL.has(character) ? `\\${character}` : character);
      const members = part.members.map(([low, high]) =>
        low === high ? escaped(low) : `${escaped(low)}-${escaped(high)}`,
      );
      return `[${part.negation}${members.join('')}]`;
    }
  }
}

/** Whether the parts match: a table of which parts may have been used up after each character. */
function matchesParts(parts: readonly Part[], text: readonly string[]): boolean {
  let reached = closure(parts, new Set([0]));
  for (const character of text) {
    const next = new Set<number>();
    for (const at of reached) {
      const part = parts[at];
      if (part?.kind === 'star') next.add(at);
      else if (part !== undefined && fits(part, character)) next.add(at + 1);
    }
    reached = closure(parts, next);
  }
  return reached.has(parts.length);
}

/** A star may match nothing. */
function closure(parts: readonly Part[], reached: Set<number>): Set<number> {
  for (const at of reached) if (parts[at]?.kind === 'star') reached.add(at + 1);
  return reached;
}

function fits(part: Part, character: string): boolean {
  if (part.kind === 'literal') return part.character === character;
  if (part.kind !== 'class') return part.kind === 'any';
  const code = codeOf(character);
  const isMember = part.members.some(([a, b]) => {
    const [low, high] = [codeOf(a), codeOf(b)].sort((x, y) => x - y);
    return code >= (low ?? 0) && code <= (high ?? 0);
  });
  return isMember !== (part.negation !== '');
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}
