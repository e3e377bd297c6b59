/** What requests and replies in JSON take: long values, in a process whose heap has room for few copies of them as text. */
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../src/client/index.ts';
import { KelpProcess } from '../../cli/kelp-process.ts';
import { temporaryDirectory } from '../../support/test-server.ts';

const HEAP_MIB = 120;
/** Made a text character by character it takes 340 MiB of heap. */
const VALUE_BYTES = 8 << 20;

/** A server with a small heap and these keys with long values. */
async function smallServer(keys: readonly string[]): Promise<string> {
  const dataDir = join(await temporaryDirectory(), 'data');
  const server = new KelpProcess(
    ['serve', '--listen', '127.0.0.1:0', '--data-dir', dataDir, '--fsync', 'never', '--memory-limit', '1GiB'],
    { environment: { NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` } },
  );
  const address = await server.ready();
  const client = createClient({ address, deadlineMs: 100_000 });
  onTestFinished(() => client.close());
  for (const key of keys) await client.put(key, Buffer.alloc(VALUE_BYTES, key));
  return address;
}

async function call(address: string, method: string, request: unknown): Promise<string> {
  const response = await fetch(`http://${address}/kelp.v1.${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  expect(response.status).toBe(200);
  const body = await response.text();
  expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(body)));
  return body;
}

function base64Of(key: string): string {
  return Buffer.alloc(VALUE_BYTES, key).toString('base64');
}

describe('a server with a small heap', { timeout: 120_000 }, () => {
  test('gives long values in JSON, one and several', async () => {
    const keys = ['a', 'b', 'c'];
    const address = await smallServer(keys);

    const got = await call(address, 'KvService/Get', { key: 'a' });
    expect((JSON.parse(got) as { entry: { value: string } }).entry.value === base64Of('a')).toBe(true);

    const gets = keys.map((key) => ({ get: { key } }));
    const { results } = JSON.parse(await call(address, 'KvService/Txn', { success: gets })) as {
      results: { get: { entry: { value: string } } }[];
    };
    expect(results.map(({ get }, index) => get.entry.value === base64Of(keys[index] ?? ''))).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('takes a long value in JSON', async () => {
    const address = await smallServer([]);

    await call(address, 'KvService/Put', { key: 'd', value: base64Of('d') });

    const client = createClient({ address, deadlineMs: 100_000 });
    onTestFinished(() => client.close());
    const { entry } = await client.get('d');
    expect(Buffer.alloc(VALUE_BYTES, 'd').equals(entry?.value ?? Buffer.alloc(0))).toBe(true);
  });

  test('tells a watch in JSON of long values', async () => {
    const keys = ['a', 'b'];
    const address = await smallServer(keys);
    const request = Buffer.from(JSON.stringify({ ranges: [{ prefix: '' }], startRevision: 1 }));
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(request.length, 1);
    const gone = new AbortController();
    onTestFinished(() => gone.abort());
    const response = await fetch(`http://${address}/kelp.v1.WatchService/Watch`, {
      method: 'POST',
      headers: { 'content-type': 'application/connect+json' },
      body: Buffer.concat([prefix, request]),
      signal: gone.signal,
    });

    const messages = messagesOf(response.body as AsyncIterable<Uint8Array>);
    for (const key of keys) {
      const { value } = await messages.next();
      const { events } = JSON.parse(String(value)) as {
        events: { events: { entry: { key: string; value: string } }[] };
      };
      expect(events.events[0]?.entry.key).toBe(key);
      expect(events.events[0]?.entry.value === base64Of(key)).toBe(true);
    }
  });
});

async function* messagesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    pieces.push(chunk);
    length += chunk.length;
    for (;;) {
      const head =
        pieces.length > 1 && length >= 5 && (pieces[0]?.length ?? 0) < 5 ? Buffer.concat(pieces) : pieces[0];
      const messageLength = length < 5 ? Infinity : Buffer.from(head ?? []).readUInt32BE(1);
      if (length < 5 + messageLength) break;
      const bytes = Buffer.concat(pieces);
      pieces = [bytes.subarray(5 + messageLength)];
      length = bytes.length - 5 - messageLength;
      yield bytes.subarray(5, 5 + messageLength);
    }
  }
}
