/** Calls of `cjson`, `cmsgpack` and `struct`: what is packed, and what is unpacked of whole and of damaged bytes. */
import { allOf, type LuaValue } from '../../../../src/lua/value.ts';
import type { SeededRandom } from '../../../support/random.ts';
import type { Libraries, LibraryCall } from '../support/library-calls.ts';
import { drawNumber, drawString, drawValue } from './values.ts';

export function drawJsonCall(random: SeededRandom, libraries: Libraries): LibraryCall {
  if (random.chance(0.4)) return { name: 'cjson.encode', args: [drawValue(random, libraries)] };
  const text = drawJson(random, 0);
  return { name: 'cjson.decode', args: [random.chance(0.4) ? damaged(random, text) : text] };
}

const JSON_NUMBERS = [
  '0',
  '-0',
  '12',
  '-1.5',
  '1e5',
  '1E-3',
  '0.1',
  '00',
  '01',
  '1.',
  '.5',
  '-',
  '+1',
  '0x1f',
  '0X.8p1',
  '0x',
  '1e',
  '1e+',
  'inf',
  '-inf',
  'Infinity',
  'NaN',
  'nan(1_a)',
  'nan(',
  '-nan',
  '123456789012345678',
  '1e999',
  'infinit',
  'i',
  'n',
];

function drawJson(random: SeededRandom, depth: number): string {
  const space = random.chance(0.1) ? random.pick([' ', '\t', '\n', '\r', '\v']) : '';
  const kind = random.below(depth > 3 ? 5 : 9);
  if (kind < 2)
    return space + (random.chance(0.4) ? random.pick(JSON_NUMBERS) : String(random.between(-999, 999)));
  if (kind < 4) return space + drawJsonString(random);
  if (kind === 4) return space + random.pick(['true', 'false', 'null']);
  const items: string[] = [];
  for (let left = random.below(4); left > 0; left--) {
    const value = drawJson(random, depth + 1);
    items.push(kind < 7 ? value : `${space}${drawJsonString(random)}${space}:${value}`);
  }
  return kind < 7 ? `${space}[${items.join(',')}${space}]` : `{${space}${items.join(`${space},`)}}`;
}

const JSON_MARKS = '{}[]:,"\\tfn0 '.split('');

const JSON_PARTS = [
  'a',
  'b',
  String.raw`\n`,
  String.raw`\"`,
  String.raw`\\`,
  String.raw`\/`,
  String.raw`\b`,
  String.raw`\u0041`,
  String.raw`\u00e9`,
  String.raw`\u20AC`,
  String.raw`\ud83d\ude00`,
  String.raw`\uD83D`,
  String.raw`\udc00`,
  String.raw`\u12`,
  String.raw`\x`,
  '\xff',
  '\x01',
  '\n',
  '\0',
  String.raw`\ud83d\u0041`,
  String.raw`\u0000`,
];

function drawJsonString(random: SeededRandom): string {
  let text = '"';
  for (let left = random.below(4); left > 0; left--)
    text += random.chance(0.7) ? random.pick(['a', 'b', 'c']) : random.pick(JSON_PARTS);
  return `${text}"`;
}

export function drawMessagePackCall(random: SeededRandom, libraries: Libraries): LibraryCall {
  const values: LuaValue[] = [];
  for (let left = random.below(4); left > 0; left--) values.push(drawValue(random, libraries));
  if (random.chance(0.4)) return { name: 'cmsgpack.pack', args: values };
  const packed = values.length === 0 ? '' : textOf(libraries.call('cmsgpack.pack', ...values));
  const bytes = random.chance(0.2) ? Buffer.from(random.bytes(random.below(12))).toString('latin1') : packed;
  const text = random.chance(0.3) ? damaged(random, bytes) : bytes;
  switch (random.below(4)) {
    case 0:
      return { name: 'cmsgpack.unpack_one', args: [text, random.between(-1, 5)] };
    case 1:
      return { name: 'cmsgpack.unpack_limit', args: [text, random.between(-1, 4), random.between(-1, 4)] };
    default:
      return { name: 'cmsgpack.unpack', args: [text] };
  }
}

const OPTIONS = ['b', 'B', 'h', 'H', 'l', 'L', 'T', 'i', 'I', 'f', 'd', 'x', 's', 'c', ' ', '<', '>', '!'];

export function drawStructCall(random: SeededRandom, libraries: Libraries): LibraryCall {
  let format = '';
  const values: LuaValue[] = [];
  for (let left = random.between(1, 5); left > 0; left--) {
    const option = random.chance(0.02) ? random.pick(['z', '?', '5']) : random.pick(OPTIONS);
    format += option;
    if ('iIc!'.includes(option) && random.chance(0.7)) format += String(drawSize(random, option));
    if ('bBhHlLTiIfd'.includes(option))
      values.push(random.chance(0.03) ? drawValue(random, libraries) : drawNumber(random));
    if ('sc'.includes(option)) values.push(drawString(random));
  }
  const kind = random.below(10);
  if (kind === 0) return { name: 'struct.size', args: [format] };
  if (kind < 5)
    return { name: 'struct.pack', args: [format, ...(random.chance(0.05) ? values.slice(1) : values)] };
  const bytes = Buffer.from(random.bytes(random.below(40))).toString('latin1');
  return {
    name: 'struct.unpack',
    args: [format, bytes, ...(random.chance(0.3) ? [random.between(-2, 6)] : [])],
  };
}

function drawSize(random: SeededRandom, option: string): number {
  if (option === '!') return random.pick([1, 2, 4, 8, 16, 3, 0]);
  return option === 'c' ? random.below(5) : random.pick([0, 1, 2, 3, 4, 5, 8, 9, 16, 32, 33, 99_999_999_999]);
}

/** A byte changed, taken out or put in, or the end cut off. */
function damaged(random: SeededRandom, text: string): string {
  const at = random.below(text.length + 1);
  const byte = random.chance(0.5) ? random.pick(JSON_MARKS) : String.fromCharCode(random.below(256));
  switch (random.below(4)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + text.slice(at + 1);
    case 2:
      return text.slice(0, at) + byte + text.slice(at);
    default:
      return text.slice(0, at) + byte + text.slice(at + 1);
  }
}

function textOf(values: readonly LuaValue[]): string {
  const [text] = allOf(values);
  return typeof text === 'string' ? text : '';
}
