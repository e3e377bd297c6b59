/** Bodies count by door and method: as they come and go, of a stream while it is open. */
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestServer } from '../../support/test-server.ts';
import { metricsOf } from './exposition.ts';

async function started() {
  const server = await startTestServer();
  const client = createClient({ address: server.address, pipeline: false });
  onTestFinished(() => client.close());
  const bytes = async (direction: 'received' | 'sent', door: string, method: string): Promise<number> => {
    const name = `kelp_call_${direction}_bytes_total`;
    const metric = (await metricsOf(server.url)).find((each) => each.name === name);
    const route = `{door="${door}",method="${method}"}`;
    return metric?.samples.find((sample) => sample.name === name + route)?.value ?? 0;
  };
  return { server, client, bytes };
}

/** Not compressed. */
const asItIs = { 'accept-encoding': 'identity' };

test('those of REST are the values', async () => {
  const { server, bytes } = await started();
  const path = `${server.url}/v1/keys/a`;
  const told = await (await fetch(path, { method: 'PUT', body: 'v'.repeat(1000) })).text();
  await eventually(() => bytes('sent', 'rest', 'Put')).toBe(told.length);
  expect(await bytes('received', 'rest', 'Put')).toBe(1000);
  await (await fetch(path)).text();
  await eventually(() => bytes('sent', 'rest', 'Get')).toBe(1000);
  expect(await bytes('received', 'rest', 'Get')).toBe(0);
});

test("those of Connect's protocol are the messages as they are sent", async () => {
  const { server, bytes } = await started();
  const body = JSON.stringify({ key: 'a', value: Buffer.alloc(900).toString('base64') });
  const ask = async (method: string, sent: string): Promise<string> => {
    const headers = { 'content-type': 'application/json', ...asItIs };
    return (
      await fetch(`${server.url}/kelp.v1.KvService/${method}`, { method: 'POST', headers, body: sent })
    ).text();
  };
  const told = await ask('Put', body);
  await eventually(() => bytes('sent', 'connect', 'Put')).toBe(told.length);
  expect(await bytes('received', 'connect', 'Put')).toBe(body.length);
  const entry = await ask('Get', '{"key":"a"}');
  await eventually(() => bytes('sent', 'connect', 'Get')).toBe(entry.length);
});

test('those of gRPC are the messages with their prefixes, of a stream as it goes on', async () => {
  const { client, bytes } = await started();
  await client.put('key', Buffer.alloc(100));
  // Five of the prefix, and a byte of tag and one of length for each of the two fields.
  await eventually(() => bytes('received', 'grpc', 'Put')).toBe(5 + 2 + 3 + 2 + 100);
  expect(await bytes('sent', 'grpc', 'Put')).toBe(5 + 2);
  await client.get('key');
  await eventually(() => bytes('sent', 'grpc', 'Get')).toBeGreaterThan(100);
  const watch = client.watch({ ranges: [{ key: 'key' }], includeCurrent: true });
  onTestFinished(() => void watch.return?.());
  await watch.next();
  await eventually(() => bytes('sent', 'grpc', 'Watch')).toBeGreaterThan(100);
});
