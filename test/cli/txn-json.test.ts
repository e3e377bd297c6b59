import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/shell-words/usage-error.ts';
import { parseTxn } from '../../src/cli/command-line/txn-json.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('a transaction is read in its friendly form', () => {
  const text = `{
    "compares": [
      { "key": "a", "relation": "equal", "value": "1" },
      { "range": { "prefix": "p/" }, "exists": false },
      { "key": "b", "relation": "RELATION_GREATER", "modRevision": 7 },
      { "key": "c", "relation": "notEqual", "lease_id": "9" }
    ],
    "success": [
      { "put": { "key": "a", "value": { "base64": "AP8=" }, "ttl": "5m", "leaseId": 4, "returnPrevious": true } },
      { "put": { "key": "value", "value": "value" } },
      { "delete": { "key": "b" } },
      { "deleteRange": { "range": { "prefix": "x/" } } },
      { "increment": { "key": "n", "delta": "-9223372036854775808", "ttl": "1.5s" } }
    ],
    "failure": [{ "get": { "key": "a" } }]
  }`;
  expect(parseTxn(text, false)).toMatchObject({
    compares: [
      { subject: { key: 'a' }, relation: 'equal', operand: { kind: 'value', value: bytes('1') } },
      { subject: { range: { prefix: 'p/' } }, relation: 'equal', operand: { kind: 'exists', value: false } },
      { subject: { key: 'b' }, relation: 'greater', operand: { kind: 'modRevision', value: 7 } },
      { subject: { key: 'c' }, relation: 'notEqual', operand: { kind: 'leaseId', value: 9 } },
    ],
    success: [
      {
        kind: 'put',
        key: 'a',
        value: new Uint8Array([0, 255]),
        ttlMs: 300_000,
        leaseId: 4,
        returnPrevious: true,
      },
      { kind: 'put', key: 'value', value: bytes('value') },
      { kind: 'delete', key: 'b', returnPrevious: false },
      { kind: 'deleteRange', range: { prefix: 'x/' } },
      { kind: 'increment', key: 'n', delta: -(2n ** 63n), ttlMs: 1500 },
    ],
    failure: [{ kind: 'get', key: 'a' }],
  });
});

test('a transaction is read in the JSON form of Protobuf', () => {
  const text =
    '{"compares": [{"key": "a", "relation": 3, "value": "MQ=="}], "success": [{"put": {"key": "a", "value": "AP8=", "ttl": "300s"}}]}';
  expect(parseTxn(text, true)).toMatchObject({
    compares: [{ relation: 'less', operand: { kind: 'value', value: bytes('1') } }],
    success: [{ kind: 'put', value: new Uint8Array([0, 255]), ttlMs: 300_000 }],
  });
});

describe('refused with a reason:', () => {
  test.each([
    ['no JSON', '{', /no JSON/],
    ['no object', '[]', /can't be read/],
    ['a member that comes twice', '{"success": [], "success": []}', /has "success" twice/],
    [
      'what can not be read, with its place',
      '{"success": [{"get": {"key": "a"}}, {"get": {"kye": "a"}}]}',
      /can't be read: success\[1\]: .*"kye" is unknown/,
    ],
    ['an unknown operation', '{"success": [{"move": {}}]}', /"move" is unknown/],
    ['an unknown field', '{"success": [{"put": {"key": "a", "vale": "1"}}]}', /"vale" is unknown/],
    ['an unknown relation', '{"compares": [{"key": "a", "relation": "same", "exists": true}]}', /"same"/],
    ['a value that is a number', '{"success": [{"put": {"key": "a", "value": 1}}]}', /a value is a text or/],
    [
      'base64 that is none',
      '{"success": [{"put": {"key": "a", "value": {"base64": "!"}}}]}',
      /can't be read/,
    ],
    ['a time without unit', '{"success": [{"put": {"key": "a", "value": "", "ttl": "30"}}]}', /ttl: .*unit/],
    [
      'a compare without a key',
      '{"compares": [{"exists": true}]}',
      /compares\[0\] has neither a key nor a range/,
    ],
    ['a compare with nothing', '{"compares": [{"key": "a"}]}', /compares\[0\] has nothing to compare with/],
    ['an empty operation', '{"failure": [{}]}', /failure\[0\] is no operation/],
    ['a put without a value', '{"failure": [{"put": {"key": "a"}}]}', /failure\[0\]\.put has no value/],
    ['a put of null', '{"success": [{"put": {"key": "a", "value": null}}]}', /value/],
    [
      'a delete of no range',
      '{"success": [{"deleteRange": {}}]}',
      /success\[0\] has no range; .*"all": true/,
    ],
    ['a delete of {}', '{"success": [{"deleteRange": {"range": {}}}]}', /success\[0\] has no range/],
    [
      'a delete of an empty prefix',
      '{"success": [{"deleteRange": {"range": {"prefix": ""}}}]}',
      /deleteRange\.range\.prefix is empty; to delete all keys/,
    ],
    [
      'a delete to an empty end',
      '{"success": [{"delete_range": {"range": {"start": "a", "end": ""}}}]}',
      /range\.end is empty/,
    ],
    [
      'a delete of all keys and some',
      '{"success": [{"deleteRange": {"range": {"all": true, "key": "a"}}}]}',
      /all and other members/,
    ],
    [
      'a compare of all keys',
      '{"compares": [{"range": {"all": true}, "exists": true}]}',
      /compares\[0\]\.range has all, which is for deletes/,
    ],
  ])('%s', (_, text, message) => {
    expect(() => parseTxn(text, false)).toThrow(UsageError);
    expect(() => parseTxn(text, false)).toThrow(message);
  });
});

test('a delete of all keys says so', () => {
  const text = '{"success": [{"deleteRange": {"range": {"all": true}}}]}';
  expect(parseTxn(text, false)).toMatchObject({ success: [{ kind: 'deleteRange', range: { all: true } }] });
});

test.each([false, true])(
  'numbers of 64 bits are exact as text, else refused (as Protobuf: %s)',
  (isPlain) => {
    const txn = (delta: string): string =>
      `{ "success": [{ "increment": { "key": "n", "delta": ${delta} } }] }`;
    expect(parseTxn(txn('"9007199254740993"'), isPlain)).toMatchObject({
      success: [{ delta: 9007199254740993n }],
    });
    expect(parseTxn(txn('9007199254740991'), isPlain)).toMatchObject({
      success: [{ delta: 9007199254740991n }],
    });
    for (const delta of ['9007199254740993', '-9007199254740992', '9007199254740993.0', '1e300']) {
      expect(() => parseTxn(txn(delta), isPlain)).toThrow(`the number ${delta} would be rounded`);
    }
    for (const delta of ['"0x10"', '" 5 "', '""']) {
      expect(() => parseTxn(txn(delta), isPlain)).toThrow(`delta is the text ${delta}; a number as text is`);
    }
  },
);

test('a put needs its value in the form of Protobuf, too', () => {
  expect(() => parseTxn('{"success": [{"put": {"key": "a"}}]}', true)).toThrow('success[0].put has no value');
});
