/** Calls of the library `string`: patterns, subjects and formats. */
import type { LuaValue } from '../../../../src/lua/value.ts';
import type { SeededRandom } from '../../../support/random.ts';
import type { Libraries, LibraryCall } from '../support/library-calls.ts';
import { drawNumber, drawScalar, drawString, drawValue } from './values.ts';

export function drawPatternCall(random: SeededRandom, libraries: Libraries): LibraryCall {
  const subject = drawSubject(random);
  const pattern = drawPattern(random);
  switch (random.below(3)) {
    case 0:
      return {
        name: 'string.find',
        args: [subject, pattern, ...drawPosition(random), ...(random.chance(0.1) ? [true] : [])],
      };
    case 1:
      return { name: 'string.match', args: [subject, pattern, ...drawPosition(random)] };
    default: {
      const limit = random.chance(0.3) ? [random.between(-1, 4)] : [];
      return { name: 'string.gsub', args: [subject, pattern, drawReplacement(random, libraries), ...limit] };
    }
  }
}

const SUBJECT_PARTS = [
  'a',
  'b',
  'A',
  '1',
  '2',
  ' ',
  '(',
  ')',
  '[',
  ']',
  '.',
  '%',
  '-',
  '_',
  '\0',
  '\xff',
  '\n',
  'ab',
  'x1',
];

function drawSubject(random: SeededRandom): string {
  let subject = '';
  for (let left = random.below(14); left > 0; left--) subject += random.pick(SUBJECT_PARTS);
  return subject;
}

const LETTERS = 'acdlpsuwxzACDLPSUWXZ'.split('');
const CONVERSIONS = 'cdiouxXeEfgGgfdsqs'.split('');
const ODD_ITEMS = [
  '%',
  '[',
  '[^',
  '(',
  ')',
  '%f',
  '%b',
  '%0',
  '%9',
  ']',
  '[]',
  '[]]',
  '[^]]',
  '[%',
  '[a-',
  '%\0',
];

function drawPattern(random: SeededRandom): string {
  let pattern = random.chance(0.15) ? '^' : '';
  let open = 0;
  for (let left = random.between(0, 6); left > 0; left--) {
    const kind = random.below(20);
    if (kind === 0) pattern += random.pick(ODD_ITEMS);
    else if (kind < 3) {
      pattern += '(';
      open++;
    } else if (kind === 3) pattern += '()';
    else if (kind < 6 && open > 0) {
      pattern += ')';
      open--;
    } else if (kind === 6) pattern += `%${random.between(1, 2)}`;
    else if (kind === 7) pattern += random.pick(['%b()', '%bab', '%b[]', '%baa']);
    else if (kind === 8) pattern += `%f${drawSet(random)}`;
    else pattern += drawOne(random) + (random.chance(0.5) ? random.pick(['*', '+', '-', '?']) : '');
  }
  if (random.chance(0.9)) pattern += ')'.repeat(open);
  return random.chance(0.15) ? `${pattern}$` : pattern;
}

function drawOne(random: SeededRandom): string {
  const kind = random.below(6);
  if (kind === 0) return '.';
  if (kind === 1) return `%${random.pick(LETTERS)}`;
  if (kind === 2) return drawSet(random);
  if (kind === 3) return `%${random.pick(['.', '%', '(', '[', 'q', 'y', '-'])}`;
  return random.pick(['a', 'b', 'A', '1', ' ', '_', '\xff', '^', '$']);
}

function drawSet(random: SeededRandom): string {
  let set = random.chance(0.3) ? '[^' : '[';
  for (let left = random.between(1, 3); left > 0; left--)
    set += random.pick([
      'a',
      'b',
      '1',
      '%a',
      '%d',
      '%s',
      '%w',
      'a-z',
      '0-9',
      'A-Z',
      ' ',
      '%]',
      '%-',
      '-',
      '^',
      '%z',
      '\xf0-\xff',
    ]);
  return `${set}]`;
}

function drawPosition(random: SeededRandom): LuaValue[] {
  return random.chance(0.3) ? [random.pick([1, 2, 3, -1, -2, 0, 100, -100, '2', 1.7])] : [];
}

function drawReplacement(random: SeededRandom, libraries: Libraries): LuaValue {
  const kind = random.below(8);
  if (kind === 0) return drawValue(random, libraries);
  if (kind < 3) return libraries.fields({ a: 'AA', b: 7, ab: false, '1': true, '': '<>' });
  if (kind === 3) return random.between(0, 100);
  let text = '';
  for (let left = random.below(4); left > 0; left--)
    text += random.pick(['x', '%0', '%1', '%2', '%%', '%', '%a', '-', '\0']);
  return text;
}

export function drawFormatCall(random: SeededRandom, libraries: Libraries): LibraryCall {
  let text = '';
  const args: LuaValue[] = [];
  for (let left = random.between(1, 3); left > 0; left--) {
    text += random.pick(['', 'a', '%%', '|', '\0']);
    const conversion = random.pick([...CONVERSIONS, ...(random.chance(0.1) ? ['a', 'p', '', 'y', '5'] : [])]);
    text += `%${drawFlags(random)}${drawWidth(random)}${random.chance(0.5) ? `.${drawWidth(random)}` : ''}${conversion}`;
    const wantsText = conversion === 's' || conversion === 'q';
    if (random.chance(0.05)) args.push(drawValue(random, libraries));
    else
      args.push(
        wantsText ? (random.chance(0.8) ? drawString(random) : drawScalar(random)) : drawNumber(random),
      );
  }
  if (random.chance(0.03)) args.pop();
  return { name: 'string.format', args: [text, ...args] };
}

function drawFlags(random: SeededRandom): string {
  let flags = '';
  while (random.chance(0.4)) flags += random.pick(['-', '+', ' ', '#', '0']);
  return flags;
}

function drawWidth(random: SeededRandom): string {
  return random.pick(['', '', '', '1', '5', '12', '20', '0', '3', '99', random.chance(0.1) ? '100' : '2']);
}

const PLAIN_FUNCTIONS = ['byte', 'char', 'len', 'lower', 'upper', 'rep', 'reverse', 'sub'];

export function drawPlainCall(random: SeededRandom, libraries: Libraries): LibraryCall {
  const name = random.pick(PLAIN_FUNCTIONS);
  const args: LuaValue[] = [];
  if (name !== 'char') args.push(random.chance(0.95) ? drawString(random) : drawValue(random, libraries));
  const count =
    name === 'byte' || name === 'sub'
      ? random.below(3)
      : name === 'rep'
        ? 1
        : name === 'char'
          ? random.below(4)
          : 0;
  for (let left = count; left > 0; left--) {
    // A count may be long, and what is repeated, too.
    if (name === 'rep') args.push(random.pick([0, 1, 2, 3.9, -1, '2', -(2 ** 63), 'x', false]));
    else
      args.push(
        name === 'char' ? random.between(0, 256) : random.pick([drawNumber(random), random.between(-9, 9)]),
      );
  }
  return { name: `string.${name}`, args };
}
