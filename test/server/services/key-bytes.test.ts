/** Keys that are not UTF-8 in the fields of the protocol, over each of its forms. */
import { type Client, Code, ConnectError, type Transport, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { startTestServer } from '../../support/test-server.ts';

const FF = Uint8Array.of(0xff);
const value = Buffer.from('1');

const transports: readonly [string, (baseUrl: string) => Transport][] = [
  ['gRPC', (baseUrl) => createGrpcTransport({ baseUrl })],
  [
    'Connect in binary',
    (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '2', useBinaryFormat: true }),
  ],
  [
    'Connect in JSON',
    (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '2', useBinaryFormat: false }),
  ],
];

type Kv = Client<typeof KvService>;

describe.each(transports)('over %s', (_, makeTransport) => {
  const open = async (): Promise<Transport> => makeTransport((await startTestServer()).url);

  test('key_bytes is set exactly when the key is not UTF-8, and key is then empty', async () => {
    const kv = createClient(KvService, await open());
    await kv.put({ keyBytes: FF, value });
    await kv.put({ keyBytes: Buffer.from('é'), value });
    expect((await kv.get({ keyBytes: FF })).entry).toMatchObject({ key: '', keyBytes: FF });
    expect((await kv.get({ key: 'é' })).entry).toMatchObject({ key: 'é', keyBytes: Uint8Array.of() });
    const { entries } = await kv.scan({});
    expect(entries.map(({ key, keyBytes }) => [key, ...keyBytes])).toEqual([['é'], ['', 0xff]]);
  });

  test('an empty text in a list stands for the next of the bytes', async () => {
    const transport = await open();
    const kv = createClient(KvService, transport);
    const leases = createClient(LeaseService, transport);
    const { leaseId } = await leases.grant({ ttl: { seconds: 60n } });
    for (const key of [
      { key: 'b' },
      { keyBytes: FF },
      { key: 'a' },
      { keyBytes: Uint8Array.of(0x61, 0xff) },
    ]) {
      await kv.put({ ...key, value, leaseId });
    }
    const lists = { keys: ['a', '', 'b', ''], keysBytes: [Uint8Array.of(0x61, 0xff), FF] };
    expect(await kv.keys({ pattern: '*' })).toMatchObject(lists);
    expect(await leases.get({ leaseId, includeKeys: true })).toMatchObject(lists);
    const { exists } = await kv.exists({ keys: ['', 'a', '', 'c'], keysBytes: [FF, Uint8Array.of(0xfe)] });
    expect(exists).toEqual([true, true, false, false]);
  });

  test.each<[string, RegExp, (kv: Kv) => Promise<unknown>]>([
    ['get', /^key and key_bytes are both given/, (kv) => kv.get({ key: 'a', keyBytes: FF })],
    ['put', /^key and key_bytes are both given/, (kv) => kv.put({ key: 'a', keyBytes: FF, value })],
    ['delete', /^key and key_bytes are both given/, (kv) => kv.delete({ key: 'a', keyBytes: FF })],
    ['increment', /^key and key_bytes are both given/, (kv) => kv.increment({ key: 'a', keyBytes: FF })],
    ['touch', /^key and key_bytes are both given/, (kv) => kv.touch({ key: 'a', keyBytes: FF })],
    ['neither', /the key is empty/, (kv) => kv.get({})],
    ['exists, more bytes', /keys has 0 empty texts/, (kv) => kv.exists({ keys: ['a'], keysBytes: [FF] })],
    ['exists, fewer bytes', /keys has 2 empty texts/, (kv) => kv.exists({ keys: ['', ''], keysBytes: [FF] })],
    [
      'exists, empty bytes',
      /the key is empty/,
      (kv) => kv.exists({ keys: [''], keysBytes: [Uint8Array.of()] }),
    ],
    [
      'a start',
      /^range\.start and range\.start_bytes are both given/,
      (kv) => kv.scan({ range: { start: 'a', startBytes: FF } }),
    ],
    [
      'a prefix and a key',
      /by key, or by prefix/,
      (kv) => kv.scan({ range: { prefixBytes: FF, keyBytes: FF } }),
    ],
    [
      'all and some bytes',
      /has all and other fields/,
      (kv) => kv.deleteRange({ range: { all: true, prefixBytes: FF } }),
    ],
    [
      'a put of a transaction',
      /^success\[0\]\.put\.key and success\[0\]\.put\.key_bytes are both given/,
      (kv) => kv.txn({ success: [{ operation: { case: 'put', value: { key: 'a', keyBytes: FF, value } } }] }),
    ],
  ])('what names no key, or two, is refused: %s', async (_, message, call) => {
    const kv = createClient(KvService, await open());
    const error = await call(kv).then(
      () => undefined,
      (reason: unknown) => ConnectError.from(reason),
    );
    expect(error?.code).toBe(Code.InvalidArgument);
    expect(error?.rawMessage).toMatch(message);
    expect((await kv.scan({})).entries).toEqual([]);
  });
});
