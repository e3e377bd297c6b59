/** Transactions and increments over REST. */
import { describe, expect, test } from 'vitest';
import { startTestServer } from '../../support/test-server.ts';
import { type HttpVersion, type Send, httpVersions, jsonOf, restClient } from './rest-client.ts';

async function started(version: HttpVersion = '1.1'): Promise<Send> {
  const { url } = await startTestServer();
  return restClient(url, version);
}

async function answerOf(send: Send, path: string, body?: unknown): Promise<[status: number, body: unknown]> {
  const reply = await send(path, { method: 'POST', body });
  return [reply.status, jsonOf(reply)];
}

describe.each(httpVersions)('a transaction over HTTP/%s', (version) => {
  test('compares, writes in one revision, and gives a result for each operation', async () => {
    const send = await started(version);
    const set = { compares: [{ key: 'a', exists: false }], success: [{ put: { key: 'a', value: '1' } }] };
    expect(await answerOf(send, '/v1/txn', set)).toEqual([
      200,
      { succeeded: true, revision: 1, results: [{ put: {} }] },
    ]);
    expect(await answerOf(send, '/v1/txn', { ...set, failure: [{ get: { key: 'a' } }] })).toEqual([
      200,
      {
        succeeded: false,
        revision: 1,
        results: [
          { get: { entry: { key: 'a', value: '1', createRevision: 1, modRevision: 1, version: 1 } } },
        ],
      },
    ]);
    const many = {
      compares: [{ key: 'a', relation: 'equal', value: '1' }],
      success: [
        { put: { key: 'a', value: { base64: '/w==' }, ttl: '1h', returnPrevious: true } },
        { put: { keyBytes: '/w==', value: 'ä' } },
        { increment: { key: 'n', delta: '9007199254740993' } },
        { get: { keyBytes: '/w==' } },
        { get: { key: 'none' } },
        { delete: { key: 'a', returnPrevious: true } },
        { deleteRange: { range: { prefix: 'n' } } },
      ],
    };
    expect(await answerOf(send, '/v1/txn', many)).toMatchObject([
      200,
      {
        succeeded: true,
        revision: 2,
        results: [
          { put: { previous: { key: 'a', value: '1' } } },
          { put: {} },
          { increment: { value: '9007199254740993' } },
          { get: { entry: { key: '', keyBytes: '/w==', value: 'ä' } } },
          { get: {} },
          { delete: { deleted: true, previous: { value: { base64: '/w==' } } } },
          { deleteRange: { deletedCount: 1 } },
        ],
      },
    ]);
  });

  test('carries values that are long, both ways', async () => {
    const send = await started(version);
    const text = 'ä"\u0000'.repeat(200_000);
    const base64 = Buffer.alloc(1_000_001, 0xff).toString('base64');
    const success = [
      { put: { key: 'text', value: text } },
      { put: { key: 'bytes', value: { base64 } } },
      { get: { key: 'text' } },
      { get: { key: 'bytes' } },
    ];
    const [status, body] = await answerOf(send, '/v1/txn', { success });
    expect(status).toBe(200);
    const { results } = body as { results: { get?: { entry: { value: unknown } } }[] };
    expect(results[2]?.get?.entry.value === text).toBe(true);
    expect(results[3]?.get?.entry.value).toEqual({ base64 });
  });
});

describe('an increment', () => {
  test('adds 1 unless it is said how much, and is exact beyond 2^53', async () => {
    const send = await started();
    const path = '/v1/keys/n%2F1/increment';
    expect(await answerOf(send, path)).toEqual([200, { value: '1', revision: 1 }]);
    expect(await answerOf(send, path, {})).toEqual([200, { value: '2', revision: 2 }]);
    expect(await answerOf(send, path, { delta: -5 })).toEqual([200, { value: '-3', revision: 3 }]);
    expect(await answerOf(send, path, { delta: '9223372036854775807' })).toEqual([
      200,
      { value: '9223372036854775804', revision: 4 },
    ]);
    expect(await answerOf(send, path, { delta: 0 })).toMatchObject([200, { revision: 5 }]);
    expect(await answerOf(send, path, { delta: 9 })).toMatchObject([409, { code: 'integerOverflow' }]);
  });

  test('gives a key that it creates its time to live', async () => {
    const send = await started();
    await answerOf(send, '/v1/keys/n/increment', { delta: 1, ttl: '1h30m' });
    const { entries } = jsonOf(await send('/v1/keys')) as { entries: { expireTime: string }[] };
    const ms = Date.parse(entries[0]?.expireTime ?? '') - Date.now();
    expect(ms).toBeGreaterThan(0);
    expect(ms).toBeLessThanOrEqual(90 * 60 * 1000);
  });

  test('of what is no number is refused', async () => {
    const send = await started();
    await send('/v1/keys/n', { method: 'PUT', body: 'x' });
    expect(await answerOf(send, '/v1/keys/n/increment')).toMatchObject([409, { code: 'notAnInteger' }]);
  });
});

const json = { 'content-type': 'application/json' };

describe('refused, and nothing is written:', () => {
  test.each([
    ['txn', '', /Unexpected end of JSON/],
    ['txn', '{"success": [', /can't be read: .*JSON/],
    ['txn', '[]', /^the body is a JSON object, not \[\]$/],
    ['txn', '"text"', /^the body is a JSON object, not "text"$/],
    ['txn', 'null', /^the body is a JSON object, not null$/],
    ['txn', '{"succes": []}', /"succes" is unknown/],
    ['txn', '{"success": [], "success": []}', /duplicate object key "success"/],
    [
      'txn',
      '{"success": [{"put": {"key": "a", "value": "1"}}, {"put": {"key": "b", "vale": ""}}]}',
      /success\[1\] can't be read: key "vale" is unknown/,
    ],
    ['txn', '{"failure": [{"put": {"key": "a"}}]}', /failure\[0\]\.put has no value/],
    [
      'txn',
      '{"success": [{"put": {"key": "a", "value": 1}}]}',
      /success\[0\]\.put\.value: a value is a text or/,
    ],
    [
      'txn',
      '{"success": [{"put": {"key": "a", "value": {"base64": "!"}}}]}',
      /success\[0\] can't be read: "value"/,
    ],
    [
      'txn',
      '{"success": [{"put": {"key": 1, "value": ""}}]}',
      /success\[0\] can't be read: "key": expected string/,
    ],
    ['txn', '{"success": [{"put": {"key": "", "value": ""}}]}', /key/],
    [
      'txn',
      '{"success": [{"put": {"key": "a", "value": "", "ttl": "30"}}]}',
      /success\[0\]\.put\.ttl: .*unit/,
    ],
    [
      'txn',
      '{"success": [{"put": {"key": "a", "value": "", "ttl": "0s"}}]}',
      /success\[0\]\.put\.ttl must be 1ms/,
    ],
    [
      'txn',
      '{"success": [{"put": {"key": "a", "value": "", "ttl": 30}}]}',
      /success\[0\]\.put\.ttl must be a text with its unit/,
    ],
    [
      'txn',
      '{"success": [{"put": {"key": "a", "value": "", "leaseId": -1}}]}',
      /success\[0\]\.put\.leaseId is -1/,
    ],
    ['txn', '{"success": [{"deleteRange": {"range": {}}}]}', /success\[0\] has no range; .*"all": true/],
    ['txn', '{"success": [{"increment": {"key": "n", "delta": 9007199254740993}}]}', /would be rounded/],
    ['txn', '{"success": [{"increment": {"key": "n", "delta": "1e3"}}]}', /decimal digits/],
    [
      'txn',
      '{"compares": [{"key": "a", "relation": "same", "exists": true}]}',
      /compares\[0\] can't be read: .*same/,
    ],
    ['txn', '{"compares": [{"key": "a"}]}', /compares\[0\] has nothing to compare with/],
    ['txn', Buffer.from([0x7b, 0xff, 0x7d]), /^the body can't be read: it is not UTF-8$/],
    ['keys/n/increment', '{"delta": 1.5}', /"delta": .*1\.5/],
    [
      'keys/n/increment',
      '{"delta": "x"}',
      /^the body can't be read: delta is the text "x"; .*decimal digits/,
    ],
    [
      'keys/n/increment',
      '{"delta": 9007199254740993}',
      /^the body can't be read: the number .*would be rounded/,
    ],
    ['keys/n/increment', '{"delta": "9223372036854775808"}', /"delta": .*out of range/],
    ['keys/n/increment', '{"delta": true}', /"delta"/],
    ['keys/n/increment', '{"detla": 1}', /"detla" is unknown/],
    ['keys/n/increment', '{"delta": 1, "delta": 2}', /duplicate/],
    ['keys/n/increment', '{"key": "m"}', /the key stands in the path/],
    ['keys/n/increment', '{"ttl": "5"}', /ttl: .*unit/],
    ['keys/n/increment', '{"ttl": "200y"}', /ttl: .*unit/],
    ['keys/n/increment', '[1]', /^the body is a JSON object, not \[1\]$/],
    ['keys/n/increment', '1', /^the body is a JSON object, not 1$/],
  ])('POST /v1/%s %s', async (path, body, detail) => {
    const send = await started();
    const reply = await send(`/v1/${path}`, { method: 'POST', headers: json, body });
    expect([reply.status, jsonOf(reply)]).toEqual([
      400,
      expect.objectContaining({
        code: 'invalidArgument',
        detail: expect.stringMatching(detail) as unknown,
      }),
    ]);
    expect(jsonOf(await send('/v1/keys'))).toMatchObject({ entries: [], revision: 0 });
  });

  test.each([
    [
      'a body of a form',
      { 'content-type': 'application/x-www-form-urlencoded' },
      /^the body has the content-type application\/x-www-form-urlencoded; send it as application\/json/,
    ],
    ['a compressed body', { ...json, 'content-encoding': 'gzip' }, /compressed/],
  ])('%s', async (_, headers, detail) => {
    const send = await started();
    const reply = await send('/v1/txn', { method: 'POST', headers, body: '{}' });
    expect([reply.status, jsonOf(reply)]).toMatchObject([
      415,
      { code: 'unsupportedMediaType', detail: expect.stringMatching(detail) as unknown },
    ]);
  });

  test('a body that is longer than requests may be', async () => {
    const { url } = await startTestServer({
      flags: { 'request-bytes-max': '64KiB', 'value-bytes-max': '32KiB' },
    });
    const send = restClient(url);
    const body = { success: [{ put: { key: 'a', value: 'x'.repeat(70_000) } }] };
    expect(await answerOf(send, '/v1/txn', body)).toMatchObject([
      413,
      { code: 'bodyTooLong', detail: expect.stringContaining('request-bytes-max') as unknown },
    ]);
  });

  test('a result that is longer than replies may be, before the transaction takes effect', async () => {
    const { url } = await startTestServer({
      flags: { 'reply-bytes-max': '64KiB', 'value-bytes-max': '32KiB' },
    });
    const send = restClient(url);
    await send('/v1/keys/a', { method: 'PUT', body: 'x'.repeat(30_000) });
    const success = [{ put: { key: 'b', value: '' } }, ...[1, 2, 3].map(() => ({ get: { key: 'a' } }))];
    expect(await answerOf(send, '/v1/txn', { success })).toMatchObject([429, { code: 'limitReached' }]);
    expect((await send('/v1/keys/b')).status).toBe(404);
  });
});
