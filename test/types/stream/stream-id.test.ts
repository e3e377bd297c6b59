/** Ids of entries: their texts, their order, and what comes before and behind. */
import { describe, expect, it } from 'vitest';
import {
  compareIds,
  formatId,
  ID_MAX,
  ID_ZERO,
  idAfter,
  idBefore,
  idOfTime,
  nextId,
  parseId,
  parseOpenId,
  sequenceAfter,
} from '../../../src/types/stream/stream-id.ts';
import { SeededRandom } from '../../support/random.ts';

const LAST = '18446744073709551615';

function id(text: string): Uint8Array {
  const parsed = parseId(text);
  if (parsed === undefined) throw new Error(`${text} is no id`);
  return parsed;
}

const shown = (bytes: Uint8Array | undefined): string | undefined => bytes && formatId(bytes);

describe('the id of an entry', () => {
  it('is two numbers of 64 bits, as text and as bytes', () => {
    expect(Buffer.from(id('1526919030474-55')).toString('hex')).toBe('00000163837766ca0000000000000037');
    for (const text of ['0-0', '0-1', '1-0', '9007199254740993-9007199254740993', `${LAST}-${LAST}`])
      expect(formatId(id(text))).toBe(text);
    expect(id(`${LAST}-${LAST}`)).toEqual(ID_MAX);
    expect(formatId(idOfTime(1_700_000_000_000))).toBe('1700000000000-0');
  });

  it('has a sequence number that may be left out', () => {
    expect(shown(parseId('7'))).toBe('7-0');
    expect(shown(parseId('7', 'highest'))).toBe(`7-${LAST}`);
    expect(parseOpenId('7-*')).toEqual({ id: id('7'), isOpen: true });
    expect(parseId('7-*')).toBeUndefined();
  });

  it('is nothing else', () => {
    for (const text of [
      '',
      '-',
      '-1',
      '1-',
      'x',
      '1-x',
      '1-2-3',
      '1--1',
      '18446744073709551616',
      '1'.repeat(128),
    ])
      expect([text, parseId(text)]).toEqual([text, undefined]);
  });

  it('sorts by numbers', () => {
    const random = new SeededRandom(1);
    const draw = (): bigint => BigInt(random.below(2 ** 32)) << BigInt(random.pick([0, 1, 20, 32]));
    for (let left = 500; left > 0; left--) {
      const [a, b] = [
        [draw(), draw()],
        [draw(), draw()],
      ] as const;
      const order = Number(a[0] - b[0]) || Number(a[1] - b[1]);
      expect(Math.sign(compareIds(id(a.join('-')), id(b.join('-'))))).toBe(Math.sign(order));
    }
  });

  it('has neighbours', () => {
    expect(shown(idAfter(id(`1-${LAST}`)))).toBe('2-0');
    expect(shown(idBefore(id('2-0')))).toBe(`1-${LAST}`);
    expect(idAfter(ID_MAX)).toBeUndefined();
    expect(idBefore(ID_ZERO)).toBeUndefined();
    expect(shown(sequenceAfter(id('1-5')))).toBe('1-6');
    expect(sequenceAfter(id(`1-${LAST}`))).toBeUndefined();
  });

  it('is the time, unless that has one already, or is behind', () => {
    expect(shown(nextId(id('5-3'), 6))).toBe('6-0');
    expect(shown(nextId(id('5-3'), 5))).toBe('5-4');
    expect(shown(nextId(id('5-3'), 4))).toBe('5-4');
    expect(shown(nextId(ID_ZERO, 0))).toBe('0-1');
    expect(nextId(ID_MAX, 5)).toBeUndefined();
  });
});
