/**
 * Requests to each operation of HTTP that is no RPC, and what each needs: REST, the interfaces for scripts, metrics and probes. Every
 * operation must have a row here, which the test holds.
 */
import { all, forUsers, type Need, ownsLease, reads, writes } from './principals.ts';
import { leases } from './situation.ts';

export interface HttpRow {
  /** Method and template, as the operation has them. */
  readonly operation: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly need: Need | 'open';
  /** What it may be answered with when it is allowed, beside 200 to 299. */
  readonly orStatus: readonly number[];
}

interface More {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | object;
  readonly orStatus?: readonly number[];
}

function row(operation: string, path: string, need: HttpRow['need'], more: More = {}): HttpRow {
  const { headers = {}, body, orStatus = [] } = more;
  const isJson = typeof body === 'object';
  return {
    operation,
    path,
    need,
    orStatus,
    headers: { ...(isJson && { 'content-type': 'application/json' }), ...headers },
    body: isJson ? JSON.stringify(body) : body,
  };
}

const readsAndWrites = (key: string): Need => all(reads(key), writes(key));
const across = { start: 'a/5', end: 'b/5' };
const behind = { start: 'a/zz', end: 'b' };
const ofBehind = 'start=a/zz&end=b';

const txn = (request: object, need: Need): HttpRow => row('POST /v1/txn', '/v1/txn', need, { body: request });
const txnPut = (key: string, more: object = {}): object => ({ put: { key, value: '1', ...more } });

const restRows: readonly HttpRow[] = [
  row('GET /v1/keys/{key}', '/v1/keys/a%2F1', reads('a/1')),
  row('GET /v1/keys/{key}', '/v1/keys/b%2F1', reads('b/1')),
  row('GET /v1/keys/{key}', '/v1/keys/a%2Fmissing', reads('a/missing'), { orStatus: [404] }),
  row('GET /v1/keys/{key}', '/v1/keys/b%2Fmissing', reads('b/missing'), { orStatus: [404] }),
  row('GET /v1/keys/{key}', '/v1/keys/b%2F1', reads('b/1'), { headers: { range: 'bytes=0-0' } }),
  row('GET /v1/keys/{key}', '/v1/keys/b%2F1', reads('b/1'), {
    headers: { 'if-none-match': '*' },
    orStatus: [304],
  }),
  row('PUT /v1/keys/{key}', '/v1/keys/a%2F1', writes('a/1'), { body: '1' }),
  row('PUT /v1/keys/{key}', '/v1/keys/b%2F1', writes('b/1'), { body: '1' }),
  row('PUT /v1/keys/{key}', '/v1/keys/a%2F1', readsAndWrites('a/1'), {
    body: '1',
    headers: { 'if-match': '*' },
  }),
  row('PUT /v1/keys/{key}', '/v1/keys/a%2F1', readsAndWrites('a/1'), {
    body: '1',
    headers: { 'if-none-match': '*' },
    orStatus: [412],
  }),
  row('PUT /v1/keys/{key}', `/v1/keys/a%2Fe?lease=${leases.edith}`, all(writes('a/e'), ownsLease('edith')), {
    body: '1',
  }),
  row('PUT /v1/keys/{key}', `/v1/keys/a%2Fk?lease=${leases.karl}`, all(writes('a/k'), ownsLease('karl')), {
    body: '1',
  }),
  row('DELETE /v1/keys/{key}', '/v1/keys/a%2Fgone', writes('a/gone'), { orStatus: [404] }),
  row('DELETE /v1/keys/{key}', '/v1/keys/b%2Fgone', writes('b/gone'), { orStatus: [404] }),
  row('DELETE /v1/keys/{key}', '/v1/keys/a%2Fgone', readsAndWrites('a/gone'), {
    headers: { 'if-match': '"x"' },
    orStatus: [412],
  }),
  row('POST /v1/keys/{key}/increment', '/v1/keys/a%2Fnumber/increment', readsAndWrites('a/number')),
  row('POST /v1/keys/{key}/increment', '/v1/keys/b%2Fnumber/increment', readsAndWrites('b/number'), {
    body: { delta: 2 },
  }),
  row('GET /v1/keys', '/v1/keys?prefix=a/', reads({ prefix: 'a/' })),
  row('GET /v1/keys', '/v1/keys?prefix=a', reads({ prefix: 'a' })),
  row('GET /v1/keys', '/v1/keys?start=a/5&end=b/5', reads(across)),
  row('GET /v1/keys', '/v1/keys?prefix=a/&match=*1', reads({ prefix: 'a/' })),
  row('GET /v1/keys', '/v1/keys?keys_only=true&limit=1', reads({ all: true })),
  row('DELETE /v1/keys', '/v1/keys?prefix=a/gone', writes({ prefix: 'a/gone' })),
  row('DELETE /v1/keys', `/v1/keys?${ofBehind}`, writes(behind)),
  row('DELETE /v1/keys', `/v1/keys?${ofBehind}&in_parts=true`, writes(behind)),
  row('DELETE /v1/keys', '/v1/keys?all=true', writes({ all: true })),
  txn({ success: [txnPut('a/1')] }, writes('a/1')),
  txn({ success: [txnPut('a/1'), txnPut('b/1')] }, writes('a/1', 'b/1')),
  txn({ compares: [{ key: 'a/1', exists: true }], failure: [txnPut('a/1')] }, readsAndWrites('a/1')),
  txn({ compares: [{ key: 'b/1', exists: true }], success: [{ get: { key: 'a/1' } }] }, reads('a/1', 'b/1')),
  txn({ success: [txnPut('a/k', { leaseId: Number(leases.karl) })] }, all(writes('a/k'), ownsLease('karl'))),
  row('GET /v1/watch', '/v1/watch?prefix=a/', reads({ prefix: 'a/' })),
  row('GET /v1/watch', '/v1/watch?prefix=a', reads({ prefix: 'a' })),
  row('GET /v1/watch', '/v1/watch?key=b/1&include_current=true', reads('b/1')),
  row('GET /v1/watch', '/v1/watch', reads({ all: true }), { headers: { accept: 'text/event-stream' } }),
  row('GET /v1/openapi.json', '/v1/openapi.json', 'open'),
];

const scriptRows: readonly HttpRow[] = [
  row('POST /blobs/{key}', '/blobs/a%2Fblob', writes('a/blob'), { body: 'blob' }),
  row('POST /blobs/{key}', '/blobs/b%2Fblob', writes('b/blob'), { body: 'blob' }),
  row('GET /blobs/{key}', '/blobs/a%2F1', reads('a/1')),
  row('GET /blobs/{key}', '/blobs/b%2F1', reads('b/1')),
  row('DELETE /blobs/{key}', '/blobs/a%2Fblob', writes('a/blob')),
  row('DELETE /blobs/{key}', '/blobs/b%2Fblob', writes('b/blob')),
  row('GET /blobs', '/blobs?prefix=a/', reads({ prefix: 'a/' })),
  row('GET /blobs', '/blobs?prefix=b', reads({ prefix: 'b' })),
  row('GET /blobs', '/blobs', reads({ all: true })),
  row('POST /set/{key}', '/set/a%2F1', writes('a/1'), { body: { value: '1' } }),
  row('POST /set/{key}', '/set/b%2F1', writes('b/1'), { body: { value: '1' } }),
  row('GET /get/{key}', '/get/a%2F1', reads('a/1')),
  row('GET /get/{key}', '/get/b%2F1', reads('b/1')),
  row('DELETE /delete/{key}', '/delete/a%2Fgone', writes('a/gone'), { orStatus: [404] }),
  row('DELETE /delete/{key}', '/delete/b%2Fgone', writes('b/gone'), { orStatus: [404] }),
  row('GET /health', '/health', 'open'),
  row('GET /metrics', '/metrics', forUsers, { headers: { accept: 'application/json' } }),
];

/** No operations of a table. */
const otherRows: readonly HttpRow[] = [
  row('', '/metrics', forUsers),
  row('', '/healthz', 'open'),
  row('', '/readyz', 'open'),
  row('', '/nothing', 'open', { orStatus: [404] }),
];

export const httpRows: readonly HttpRow[] = [...restRows, ...scriptRows, ...otherRows];
