/** The parameters of queries: each is read by its kind, and what is not known is refused. */
import { describe, expect, test } from 'vitest';
import {
  durationParameter,
  flagParameter,
  keyParameter,
  readQuery,
  textParameter,
  timeToLiveParameter,
  wholeNumberParameter,
} from '../../../src/server/rest/query.ts';

const table = {
  prefix: keyParameter,
  match: textParameter,
  keys_only: flagParameter,
  limit: wholeNumberParameter,
  within: durationParameter,
  ttl: timeToLiveParameter,
};

describe('a query', () => {
  test.each<[string, object]>([
    ['', {}],
    ['&&', {}],
    ['prefix=a%2Fb', { prefix: 'a/b' }],
    ['prefix=%C3%A9+%2B', { prefix: 'é +' }],
    ['prefix=%FF%00', { prefix: Buffer.from([0xff, 0]) }],
    ['prefix=', { prefix: '' }],
    ['prefix', { prefix: '' }],
    ['match=user:*', { match: 'user:*' }],
    ['keys%5Fonly=true&limit=10', { keys_only: true, limit: 10 }],
    ['keys_only=false&limit=9007199254740991', { keys_only: false, limit: Number.MAX_SAFE_INTEGER }],
    ['within=1h30m&ttl=500ms', { within: 5_400_000, ttl: 500 }],
    ['within=0s', { within: 0 }],
  ])('%j is read', (query, expected) => {
    expect(readQuery(table, query)).toEqual(expected);
  });

  test.each<[string, string]>([
    ['perfix=a', 'there is no parameter "perfix"; did you mean prefix? (there are prefix, match'],
    ['__proto__=a', 'there is no parameter "__proto__"'],
    ['toString=a', 'there is no parameter "toString"'],
    ['%FF=a', 'the name of a parameter is malformed: its bytes are no UTF-8'],
    ['limit=1&limit=2', 'the parameter limit is given twice; give it once'],
    ['prefix=%', 'prefix is malformed: "%" is no percent-encoded byte; a % that stands for itself is %25'],
    ['prefix=%4', 'prefix is malformed: "%4" is no percent-encoded byte'],
    ['prefix=%G0', 'prefix is malformed: "%G0" is no percent-encoded byte'],
    ['prefix=%+1', 'prefix is malformed: "%+1" is no percent-encoded byte'],
    ['prefix=%0x', 'prefix is malformed: "%0x" is no percent-encoded byte'],
    ['prefix=é', 'prefix is malformed: a byte that is not visible ASCII is written as %'],
    ['match=%FF', 'match is malformed: its bytes are no UTF-8'],
    ['keys_only=', 'the parameter keys_only must be true or false, not ""'],
    ['keys_only=1', 'the parameter keys_only must be true or false, not "1"'],
    ['limit=-1', 'the parameter limit must be a whole number from 0 to 9007199254740991, not "-1"'],
    ['limit=1e3', 'the parameter limit must be a whole number'],
    ['limit=9007199254740992', 'the parameter limit must be a whole number'],
    [
      'within=30',
      'the parameter within must be a length of time with its unit, such as 500ms, 30s, 1h30m or 7d, not "30"',
    ],
    ['ttl=0s', 'the parameter ttl must be 1ms to 100 years (36500d), or left out for ever, not "0s"'],
    ['ttl=36501d', 'the parameter ttl must be 1ms to 100 years'],
  ])('%j is refused', (query, message) => {
    expect(() => readQuery(table, query)).toThrow(message);
  });

  test('where there are no parameters says so', () => {
    expect(() => readQuery({}, 'a=1')).toThrow('there is no parameter "a" (there are none here)');
  });
});
