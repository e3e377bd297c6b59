import { isUtf8 } from 'node:buffer';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob, type Glob } from '../../../src/kv/patterns/glob.ts';

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

/** Bytes that are UTF-8 alone or together, or never: parts of characters, overlong forms, a surrogate, what is too high. */
const PIECES = [
  ...ALPHABET.map((character) => Buffer.from(character).toString('hex')),
  ...'c3 a9 f09f 908b 80 ff c080 e08080 eda080 f0808080 f4908080'.split(' '),
  ...'f48fbfbf e0a080 ed9fbf ee8080 efbfbf f0908080'.split(' '),
].map((hex) => Buffer.from(hex, 'hex'));

describe('a glob', () => {
  it('matches what its parts match', () => {
    const property = fc.property(
      fc.array(partOf(ALPHABET), { minLength: 1, maxLength: 8 }),
      fc.array(fc.array(fc.constantFrom(...ALPHABET), { maxLength: 8 }), { minLength: 1, maxLength: 10 }),
      (parts, texts) => {
        const glob = compileGlob(parts.map(patternOf).join(''));
        for (const text of texts) {
          const key = Buffer.from(text.join(''));
          const expected = matchesParts(parts, text);
          expect(matchesKey(glob, key), text.join('')).toBe(expected);
          if (expected) expect(key.indexOf(glob.literalHead)).toBe(0);
        }
      },
    );
    fc.assert(property, { numRuns: 2000 });
  });

  it('matches the bytes of a key that is not UTF-8', () => {
    const property = fc.property(
      fc.array(partOf(ALPHABET), { minLength: 1, maxLength: 6 }),
      fc.array(fc.array(fc.constantFrom(...PIECES), { maxLength: 6 }), { minLength: 1, maxLength: 10 }),
      (parts, keys) => {
        const glob = compileGlob(parts.map(patternOf).join(''));
        for (const key of keys.map((pieces) => Buffer.concat(pieces))) {
          const expected = isUtf8(key)
            ? matchesParts(parts, Array.from(key.toString()))
            : matchesParts(parts.flatMap(bytePartsOf), Array.from(key, byteCharacter));
          expect(matchesKey(glob, key), key.toString('hex')).toBe(expected);
          if (expected) expect(key.indexOf(glob.literalHead)).toBe(0);
        }
      },
    );
    fc.assert(property, { numRuns: 2000 });
  });

  it('matches what its parts match when they are many', () => {
    const character = fc.constantFrom('a', 'b');
    const property = fc.property(
      fc.array(fc.array(partOf(['a', 'b']), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat({ max: 40 }), { minLength: 4, maxLength: 4 }),
      fc.array(character, { maxLength: 40 }),
      fc.boolean(),
      (groups, repeats, noise, isAscii) => {
        // Long rows of the same few parts end in the middle of a word of bits, and nearly match again and again.
        const rows = groups.map((group, index) =>
          Array.from({ length: repeats[index] ?? 0 }, () => group).flat(),
        );
        const parts: Part[] = rows.flatMap((row) => [...row, { kind: 'star' as const }]);
        while (Buffer.byteLength(parts.map(patternOf).join('')) > 256) parts.splice(0, 1);
        const glob = compileGlob(parts.map(patternOf).join('') || '*');
        for (const lead of [[], noise]) {
          const text = [
            ...lead,
            ...(isAscii ? [] : ['é']),
            ...parts.flatMap((part) => sampleOf(part, noise)),
          ];
          for (const shown of [
            text,
            text.toSpliced(text.length >> 1, 1),
            [...text, 'b'],
            text.toReversed(),
          ]) {
            const key = Buffer.from(shown.join(''));
            expect(matchesKey(glob, key), shown.join('')).toBe(
              matchesParts(parts.length === 0 ? [{ kind: 'star' }] : parts, shown),
            );
          }
        }
      },
    );
    fc.assert(property, { numRuns: 300 });
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
    expect(Buffer.from(glob.literalHead).toString()).toBe(head);
    const isLiteral = head === pattern;
    for (const [index, text] of texts.entries())
      expect(matchesKey(glob, Buffer.from(text)), text).toBe(!isLiteral || index === 0);
  });

  it.each([
    `*${'a'.repeat(253)}b`,
    `*${'a'.repeat(252)}b*`,
    `*?${'a'.repeat(250)}b*`,
    `${'*a'.repeat(127)}b*`,
    `${'*?'.repeat(127)}b`,
    `*${'[ab]?'.repeat(50)}c*`,
    '*a*a*a*a*b',
  ])('looks at each byte of a key at most three times: %j', (pattern) => {
    const glob = compileGlob(pattern);
    for (const text of ['a'.repeat(4094), `é${'a'.repeat(4092)}`]) {
      const key = Buffer.from(text);
      let readCount = 0;
      const counted = new Proxy(key, {
        get(target, name) {
          readCount++;
          return target[Number(name)];
        },
      });
      expect(glob.matches(counted, 0, key.length)).toBe(false);
      expect(readCount).toBeGreaterThan(0);
      expect(readCount).toBeLessThanOrEqual(3 * key.length);
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

  it.each([
    `*${'a'.repeat(253)}b`,
    `*${'a'.repeat(252)}b*`,
    '*a'.repeat(127),
    `${'*a?'.repeat(84)}b`,
    `*${'[ab]'.repeat(60)}c*`,
  ])('looks at each byte of a key a few times: %s', (pattern) => {
    const key = new Uint8Array(4096).fill('a'.charCodeAt(0));
    let looks = 0;
    const counted = new Proxy(key, {
      get: (bytes, name) => {
        looks++;
        return Reflect.get(bytes, name) as unknown;
      },
    });
    const glob = compileGlob(pattern);
    expect(glob.matches(counted, 0, key.length)).toBe(pattern.endsWith('a'));
    expect(looks).toBeLessThanOrEqual(3 * key.length);
  });

  it('may be as long as the limit', () => {
    for (const pattern of ['a'.repeat(256), 'é'.repeat(128), `${'?'.repeat(128)}${'[a]'.repeat(42)}\\a`]) {
      const key = Buffer.from(pattern.replaceAll(/[[\]\\]/g, ''));
      expect(matchesKey(compileGlob(pattern), key)).toBe(true);
      expect(matchesKey(compileGlob(pattern), key.subarray(1))).toBe(false);
    }
  });
});

function partOf(alphabet: readonly string[]): fc.Arbitrary<Part> {
  const character = fc.constantFrom(...alphabet);
  return fc.oneof(
    fc.record({ kind: fc.constant('literal' as const), character, isEscaped: fc.boolean() }),
    fc.record({ kind: fc.constantFrom('any', 'star' as const) }),
    fc.record({
      kind: fc.constant('class' as const),
      negation: fc.constantFrom('', '^', '!' as const),
      members: fc.array(fc.tuple(character, character), { minLength: 1, maxLength: 3 }),
    }),
  );
}

/** The key lies among bytes that are not its own, and that would end a character that it begins. */
function matchesKey(glob: Glob, key: Uint8Array): boolean {
  const memory = Buffer.concat([Buffer.from('ab\u{1f40b}'), key, Buffer.from([0xa9, 0x8b, 0x8b])]);
  return glob.matches(memory, 6, 6 + key.length);
}

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

/** A character for a byte of a key that is not UTF-8; above ASCII it is one that no class has a range for. */
function byteCharacter(byte: number): string {
  return String.fromCodePoint(byte < 0x80 ? byte : 0x10ff00 + byte);
}

function bytePartsOf(part: Part): Part[] {
  if (part.kind !== 'literal') return [part];
  return Array.from(Buffer.from(part.character), (byte) => ({ ...part, character: byteCharacter(byte) }));
}

/** Characters that a part matches. */
function sampleOf(part: Part, noise: readonly string[]): readonly string[] {
  if (part.kind === 'star') return noise;
  return ['a', 'b'].filter((character) => fits(part, character)).slice(0, 1);
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
