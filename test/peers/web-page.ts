/** What a page does with Connect-Web, as in docs/clients.md: the test makes one script of this file. */
import { Code, ConnectError, type Transport, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web';
import { ErrorDetailSchema } from '../../gen/kelp/v1/errors_pb.ts';
import { KvService } from '../../gen/kelp/v1/kv_pb.ts';
import { WatchService } from '../../gen/kelp/v1/watch_pb.ts';

export type WebProtocol = 'Connect' | 'Connect in JSON' | 'gRPC-Web';

function transportFor(protocol: WebProtocol, baseUrl: string): Transport {
  if (protocol === 'gRPC-Web') return createGrpcWebTransport({ baseUrl });
  return createConnectTransport({ baseUrl, useBinaryFormat: protocol === 'Connect' });
}

/** How a call fails: its code, its message, and the reason in its detail. */
async function failureOf(call: Promise<unknown>): Promise<readonly unknown[]> {
  try {
    return ['succeeded', await call];
  } catch (error) {
    const failure = ConnectError.from(error);
    return [Code[failure.code], failure.rawMessage, failure.findDetails(ErrorDetailSchema)[0]?.reason];
  }
}

/** The page logs in as root. */
const headers = { authorization: `Basic ${btoa('root:secret')}` };

/** Unary calls, an error with a detail, and a stream that ends by itself. */
async function useStore(protocol: WebProtocol, baseUrl: string): Promise<object> {
  const kv = createClient(KvService, transportFor(protocol, baseUrl));
  const options = { timeoutMs: 60_000, headers };
  for (const key of ['a', 'b', 'c'])
    await kv.put({ key, value: new TextEncoder().encode(`of ${key}`) }, options);
  const { entry } = await kv.get({ key: 'b' }, options);
  const keys: string[] = [];
  for await (const { entries } of kv.scanStream({}, options)) keys.push(...entries.map(({ key }) => key));
  return {
    value: new TextDecoder().decode(entry?.value),
    keys,
    failure: await failureOf(
      kv.put({ key: 'a', condition: { condition: { case: 'mustNotExist', value: true } } }, options),
    ),
  };
}

/** A stream that lasts: watches, writes once the watch is live, and leaves when it is told of all. */
async function watchWrites(protocol: WebProtocol, baseUrl: string): Promise<readonly string[]> {
  const transport = transportFor(protocol, baseUrl);
  const leave = new AbortController();
  const seen: string[] = [];
  const request = { ranges: [{ prefix: 'w/' }] };
  const { signal } = leave;
  for await (const { message } of createClient(WatchService, transport).watch(request, { signal, headers })) {
    if (message.case === 'events') seen.push(...message.value.events.map(({ entry }) => entry?.key ?? ''));
    if (seen.length === 2) break;
    await createClient(KvService, transport).put({ key: `w/${seen.length}` }, { headers });
  }
  leave.abort();
  return seen;
}

/** A call that the browser may not show to the page. */
function tryPut(protocol: WebProtocol, baseUrl: string): Promise<readonly unknown[]> {
  return failureOf(createClient(KvService, transportFor(protocol, baseUrl)).put({ key: 'a' }));
}

const functions = { useStore, watchWrites, tryPut };

/** What the script puts into the page as `kelpPage`. */
export type PageFunctions = typeof functions;

Object.assign(globalThis, { kelpPage: functions });
