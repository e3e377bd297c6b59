/** What the forms look like, byte for byte, and what of them is read. */
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { fixed } from '../../src/limits.ts';
import { importFrom } from '../../src/index.ts';
import { formatOfName } from '../../src/transfer/contract/format.ts';
import { MapTarget, NOW_MS, entry, exported, inPieces, sourceOf, standingClock } from './transfers.ts';

/** By its whole path: suites over another engine read it from another folder. */
const golden = (name: string): string => join(import.meta.dirname, 'golden', name);

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

/** Over two pages: with all that an entry can be. */
const source = sourceOf(
  [
    entry('config/theme', 'dark'),
    entry('empty', ''),
    entry('lock/a', 'owner', { leaseId: 9 }),
    entry('photo', bytes('00ff10')),
  ],
  [
    entry('session/7', 'Alice', { expireTimeMs: NOW_MS + 60_000 }),
    entry('session/8', bytes('fe'), { expireTimeMs: NOW_MS + 1500 }),
    entry(bytes('61ff'), 'a key that is not UTF-8'),
    entry('zitat "quoted"\n', 'zwei\nZeilen\t\u0000 und \\ é 😀 \u2028'),
    entry(bytes('ff01'), bytes('ff02'), { expireTimeMs: NOW_MS + 1 }),
  ],
);

describe('what is exported', () => {
  test('as JSON Lines', async () => {
    const text = (await exported(source, { format: 'jsonl' })).toString();
    await expect(text).toMatchFileSnapshot(golden('entries.jsonl'));
    expect(
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as unknown),
    ).toHaveLength(8);
  });

  test('as one JSON document', async () => {
    const text = (await exported(source, { format: 'json' })).toString();
    await expect(text).toMatchFileSnapshot(golden('entries.json'));
    const { version, timestamp, data, binaryData } = JSON.parse(text) as {
      version: unknown;
      timestamp: string;
      data: Record<string, unknown>;
      binaryData: Record<string, unknown>;
    };
    expect({ version, timestamp }).toEqual({ version: 1, timestamp: new Date(NOW_MS).toISOString() });
    expect(data['config/theme']).toBe('dark');
    expect(data['photo']).toEqual({ base64: 'AP8Q' });
    expect(data['session/7']).toEqual({ value: 'Alice', expireTime: '2026-11-26T12:01:00.000Z' });
    expect(Object.keys(binaryData)).toEqual(['Yf8=', '/wE=']);
  });

  test('with what was left of a time to live', async () => {
    const lines = (await exported(source, { ttl: 'remaining' })).toString().split('\n');
    expect(lines.filter((line) => line.includes('ttlMs')).map((line) => JSON.parse(line) as unknown)).toEqual(
      [
        { key: 'session/7', value: 'Alice', ttlMs: 60_000 },
        { key: 'session/8', value: { base64: '/g==' }, ttlMs: 1500 },
        { keyBytes: '/wE=', value: { base64: '/wI=' }, ttlMs: 1 },
      ],
    );
    const document = JSON.parse(
      (await exported(source, { format: 'json', ttl: 'remaining' })).toString(),
    ) as {
      data: Record<string, unknown>;
    };
    expect(document.data['session/7']).toEqual({ value: 'Alice', ttlMs: 60_000 });
  });

  test('of nothing: a file without lines, and a document without data', async () => {
    const nothing = sourceOf([]);
    expect((await exported(nothing)).toString()).toBe('');
    expect(JSON.parse((await exported(nothing, { format: 'json' })).toString())).toEqual({
      version: 1,
      timestamp: '2026-11-26T12:00:00.000Z',
      data: {},
    });
  });
});

test.each([
  ['keys.jsonl', 'jsonl'],
  ['keys.NDJSON', 'jsonl'],
  ['a.b/keys.json', 'json'],
  ['keys.kelp', 'binary'],
  ['keys.backup', 'binary'],
  ['keys', undefined],
  ['json', undefined],
  ['a.json/keys', undefined],
  ['keys.gz', undefined],
])('the name %s stands for %s', (name, format) => {
  expect(formatOfName(name)).toBe(format);
});

/** The puts that an import makes of a text, by key. */
async function imported(
  text: string | Uint8Array,
  length = 1000,
): Promise<[string, string, number | undefined][]> {
  const target = new MapTarget();
  await importFrom(target, inPieces(text, length), {}, standingClock);
  return [...target.puts].map(([key, { value, ttlMs }]) => [
    key,
    Buffer.from(value as Uint8Array).toString(),
    ttlMs,
  ]);
}

describe('what is imported', () => {
  test('JSON Lines, with empty lines, any ends of lines and a byte order mark', async () => {
    const text =
      '\ufeff\r\n{"key":"a","value":"1"}\r\n\n  {"value":"2", "key":"b"}  \n{"key":"c","value":""}';
    for (const length of [1, 7, 1000]) {
      expect(await imported(text, length)).toEqual([
        ['a', '1', undefined],
        ['b', '2', undefined],
        ['c', '', undefined],
      ]);
    }
  });

  test('a document of another program, with its members in any order and any timestamp', async () => {
    for (const timestamp of ['"now"', '1764158400', '-1.5e3', 'null']) {
      const text = `{ "data": {"b": "2", "a": "1"},\n "timestamp": ${timestamp}, "version": 1 }\n`;
      expect(await imported(text, 3)).toEqual([
        ['b', '2', undefined],
        ['a', '1', undefined],
      ]);
    }
  });

  test('both forms of a time to live, and both of a value', async () => {
    const document = `{"version":1,"data":{
      "a":{"value":"1","expireTime":"2026-11-26T13:00:00+01:00"},
      "b":{"value":{"base64":"Mg=="},"ttlMs":5000},
      "c":{"base64":"Mw=="},
      "d":{"value":"4","expireTime":"2026-11-26T12:00:09.5Z"}
    },"binaryData":{"/w==":{"ttlMs":6000,"value":"5"}}}`;
    expect(await imported(document)).toEqual([
      ['b', '2', 5000],
      ['c', '3', undefined],
      ['d', '4', 9500],
      ['0xff', '5', 6000],
    ]);
    expect(await imported('{"key":"a","value":{"base64":"MQ=="},"ttlMs":7000}')).toEqual([['a', '1', 7000]]);
  });

  test('what kelp scan --json prints, but for the keys of leases', async () => {
    const lines = [
      '{"key":"a","value":"1","createRevision":1,"modRevision":2,"version":2,"expireTime":"2026-11-26T12:00:01.000Z"}',
      '{"key":"","keyBytes":"/wE=","value":{"base64":"Mg=="},"createRevision":2,"modRevision":2,"version":1}',
      '{"key":"lock","value":"3","createRevision":3,"modRevision":3,"version":1,"leaseId":7}',
    ];
    expect(await imported(lines.join('\n'))).toEqual([
      ['a', '1', 1000],
      ['0xff01', '2', undefined],
    ]);
  });

  test('keys in base64 that are UTF-8 name the key of that text', async () => {
    expect(await imported('{"keyBytes":"YQ==","value":"1"}')).toEqual([['a', '1', undefined]]);
    expect(await imported('{"version":1,"data":{},"binaryData":{"YQ==":"1"}}')).toEqual([
      ['a', '1', undefined],
    ]);
  });

  test('no entry at all: an empty file, or one of white space', async () => {
    for (const text of ['', ' \n\n', '\ufeff']) {
      const summary = await importFrom(new MapTarget(), inPieces(text));
      expect(summary).toMatchObject({ format: 'jsonl', entryCount: 0, revision: 0 });
    }
  });

  test('text in pieces, as well as bytes', async () => {
    const target = new MapTarget();
    await importFrom(target, Readable.from(['{"key":"é",', '"value":"😀"}']));
    expect([...target.puts.keys()]).toEqual(['é']);
  });
});

describe('input that is refused', () => {
  const longKey = 'k'.repeat(fixed.keyBytesMax + 1);
  const line = (rest: string): string => `{"key":"a","value":"1"}\n${rest}`;
  const data = (rest: string): string => `{"version":1,"data":{"a":"1",\n${rest}}}`;
  const cases: readonly (readonly [string, string | Buffer, string | RegExp])[] = [
    [
      'something else',
      'key,value\na,1\n',
      /^line 1, byte 1: expected an object \(JSON Lines or a JSON document\), or a snapshot file, found "k"/,
    ],
    ['an array', '[{"key":"a","value":"1"}]', /found an array/],
    [
      'a number as the value',
      line('{"key":"b","value":5}'),
      /^line 2, byte 20: expected a text, or .*found a number/,
    ],
    ['no value', line('{"key":"b"}'), /^line 2, byte 8: an entry without "value"/],
    ['no key', line('{"value":"2"}'), /^line 2, .*an entry without "key" or "keyBytes"/],
    ['two keys', line('{"key":"b","keyBytes":"/w==","value":"2"}'), /both "key" and "keyBytes"/],
    [
      'a member twice',
      line('{"key":"b","value":"2","value":"3"}'),
      /^line 2, byte 24: "value" twice in one object/,
    ],
    [
      'an unknown member',
      line('{"key":"b","valeu":"2"}'),
      /an entry has no member "valeu" \(did you mean "value"\?\)/,
    ],
    [
      'two entries in a line',
      line('{"key":"b","value":"2"}{"key":"c","value":"3"}'),
      /^line 2, byte 24: a second entry in the line/,
    ],
    ['an entry over two lines', line('{"key":"b",\n"value":"2"}'), /^line 3, .*goes over several lines/],
    ['an empty key', line('{"key":"","value":"2"}'), /an empty key/],
    ['an empty key in base64', line('{"keyBytes":"","value":"2"}'), /an empty key/],
    ['a long key', line(`{"key":"${longKey}","value":"2"}`), /a key of 4097 bytes; at most 4096/],
    [
      'half a surrogate pair as the key',
      line('{"key":"\\ud800","value":"2"}'),
      /a key with half a surrogate pair/,
    ],
    [
      'half a surrogate pair as the value',
      line('{"key":"b","value":"\\udc00"}'),
      /a value with half a surrogate pair/,
    ],
    ['base64 without padding', line('{"key":"b","value":{"base64":"MQ"}}'), /not base64/],
    ['base64 of the URL', line('{"keyBytes":"_w==","value":"2"}'), /not base64/],
    ['base64 with bits too many', line('{"key":"b","value":{"base64":"MR=="}}'), /not base64/],
    ['base64 with a line break', line('{"key":"b","value":{"base64":"MQ==\\n"}}'), /not base64/],
    ['a time that is none', line('{"key":"b","value":"2","expireTime":"tomorrow"}'), /a time that is none/],
    [
      'a day that there is not',
      line('{"key":"b","value":"2","expireTime":"2026-02-30T00:00:00Z"}'),
      /a time that is none/,
    ],
    [
      'the time 0',
      line('{"key":"b","value":"2","expireTime":"1970-01-01T00:00:00Z"}'),
      /a time that is none/,
    ],
    ['a time to live of nothing', line('{"key":"b","value":"2","ttlMs":0}'), /a time to live of 0 ms/],
    [
      'a time to live without end',
      line('{"key":"b","value":"2","ttlMs":9007199254740991}'),
      /a time to live of/,
    ],
    [
      'two times to live',
      line('{"key":"b","value":"2","ttlMs":1,"expireTime":"2026-12-01T00:00:00Z"}'),
      /both "expireTime" and "ttlMs"/,
    ],
    ['an end within an entry', line('{"key":"b","val'), /the input ends within a text/],
    [
      'bytes that are no UTF-8',
      Buffer.concat([
        Buffer.from(line('{"key":"')),
        Buffer.from('ff'),
        Buffer.from([0xff]),
        Buffer.from('","value":"2"}'),
      ]),
      /not UTF-8/,
    ],
    ['a member of the document twice', '{"version":1,"version":1,"data":{"a":"1"}}', /"version" twice/],
    ['data twice', data('"b":"2"},"data":{'), /"data" twice/],
    ['a key twice in a row', data('"a":"2"'), /^line 2, byte 1: the key "a" twice/],
    ['an unknown member of the document', data('"b":"2"},"entries":{'), /a document has no member "entries"/],
    ['another version', '{"version":2,"data":{"a":"1"}}', /version 2; this program reads version 1/],
    ['no version', '{"timestamp":1,"data":{"a":"1"}}', /a document without "version"/],
    ['no data', '{"version":1}', /a document without "data"/],
    ['an empty document', '{}', /a document without "version"/],
    [
      'a number as a value of a document',
      data('"b":2'),
      /expected a text, or an object such as .*, as the value, found a number/,
    ],
    ['an object of another program', data('"b":{"name":"x"}'), /a value has no member "name"/],
    ['an empty object', data('"b":{}'), /without "value" or "base64"/],
    ['base64 beside others', data('"b":{"base64":"Mg==","ttlMs":5}'), /"base64" beside other members/],
    [
      'nesting',
      data('"b":{"value":{"base64":{"base64":"Mg=="}}}'),
      /expected base64 as the value, found an object/,
    ],
    [
      'an end within a document',
      '{"version":1,"data":{"a":"1",\n"b":"2"',
      /^line 2, byte 8: expected a comma, or the end of the object, found the end of the input/,
    ],
    [
      'more behind the document',
      `${data('"b":"2"')}\n{}`,
      /^line 3, byte 1: more behind the end of the document/,
    ],
  ];

  test.each(cases)('%s', async (_, text, message) => {
    for (const length of [1, 1000]) {
      const target = new MapTarget();
      const importing = importFrom(target, inPieces(text, length), {}, standingClock);
      await expect(importing).rejects.toMatchObject({
        name: 'TransferError',
        code: 'badInput',
        message: expect.stringMatching(message) as string,
      });
    }
  });

  test('what stands before it is written, nothing after it, however the input is cut', async () => {
    const lines = [
      '{"key":"a","value":"1"}',
      '{"key":"b","value":"2"}',
      '{"key":"c"}',
      '{"key":"d","value":"4"}',
    ];
    for (const length of [1, 30, 1000]) {
      const target = new MapTarget();
      const importing = importFrom(target, inPieces(lines.join('\n'), length));
      await expect(importing).rejects.toMatchObject({ done: { entryCount: 2, writtenCount: 2 } });
      expect([...target.puts.keys()]).toEqual(['a', 'b']);
    }
  });

  test('another form than the one that is asked for', async () => {
    const refused = (text: string, format: 'json' | 'jsonl' | 'binary'): Promise<unknown> =>
      importFrom(new MapTarget(), inPieces(text), { format }).catch(
        (error: unknown) => (error as Error).message,
      );
    expect(await refused('{"key":"a","value":"1"}', 'json')).toContain('a document has no member "key"');
    expect(await refused('{"version":1,"data":{}}', 'jsonl')).toContain('an entry has no member "data"');
    expect(await refused('{"version":1,"data":{}}', 'binary')).toBe('the input is no snapshot file');
    expect(await refused('', 'binary')).toBe('the input is no snapshot file');
    expect(await refused('KELPSNP1', 'json')).toBe('the input is a snapshot file, not a JSON document');
  });
});
