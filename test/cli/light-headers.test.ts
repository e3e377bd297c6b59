/** What Connect does with headers gives the same with those of the command as with Node's. */
import { expect, test } from 'vitest';
import { LightHeaders } from '../../src/cli/process/light-headers.ts';

type Steps = (headers: Headers) => unknown;

const pairs: [string, string][] = [
  ['Content-Type', 'application/grpc+proto'],
  ['te', 'trailers'],
  ['X-Many', 'a'],
  ['x-many', 'b'],
];

const cases: readonly [string, Steps][] = [
  [
    'reads names in any case',
    (headers) => [headers.get('CONTENT-TYPE'), headers.has('Te'), headers.get('none')],
  ],
  ['joins what is appended', (headers) => (headers.append('x-MANY', 'c'), headers.get('x-many'))],
  ['replaces what is set', (headers) => (headers.set('x-many', 'd'), headers.get('X-Many'))],
  ['forgets what is deleted', (headers) => (headers.delete('TE'), [headers.has('te'), headers.get('te')])],
  [
    'lists all in the order of their names',
    (headers) => [[...headers], [...headers.keys()], [...headers.values()]],
  ],
  [
    'visits all',
    (headers) => {
      const seen: string[] = [];
      headers.forEach((value, name) => seen.push(`${name}: ${value}`));
      return seen;
    },
  ],
  ['has no cookies', (headers) => headers.getSetCookie()],
];

test.each(cases)('%s', (_, steps) => {
  expect(steps(new LightHeaders(pairs))).toEqual(steps(new Headers(pairs)));
});

test('is made from pairs, an object, other headers or nothing', () => {
  for (const init of [pairs, { 'X-One': '1', two: '2' }, new Headers(pairs), undefined]) {
    expect([...new LightHeaders(init)]).toEqual([...new Headers(init)]);
  }
  expect([...new LightHeaders(new LightHeaders(pairs))]).toEqual([...new Headers(pairs)]);
});
