/** `GET /v1/keys/{key}`: the bytes of a value, or of a part of it. */
import type { Entry, GetResult } from '../../../api.ts';
import { StoreError } from '../../../errors.ts';
import { operation } from '../operation.ts';
import { wholeNumberParameter } from '../query.ts';
import type { RestCall } from '../rest-call.ts';
import { byteRange } from './byte-range.ts';
import { entityTag, matchesStrongly, matchesWeakly } from './entity-tag.ts';
import { conditionFailed, preconditionsOf } from './preconditions.ts';

export const readKey = operation({
  method: 'GET',
  template: '/v1/keys/{key}',
  query: { revision: wholeNumberParameter },
  run(call, { revision = 0 }) {
    // What is read goes out at once, and needs no promise, unless others have read much in this turn.
    return call.store.isResting ? readInTurn(call, revision) : readNow(call, revision);
  },
});

function readNow(call: RestCall, revision: number): void {
  const result = call.store.getVisible(call.pathKey, revision);
  if (result.entry !== undefined) call.call.chargeReply(result.entry.value.length);
  sendResult(call, result);
}

async function readInTurn(call: RestCall, revision: number): Promise<void> {
  const admit = (entry: Entry | undefined): void => call.call.chargeReply(entry?.value.length ?? 0);
  sendResult(call, await call.store.get(call.pathKey, { revision, admit }));
}

function sendResult(call: RestCall, { entry, revision }: GetResult): void {
  const tag = entry === undefined ? undefined : entityTag(call.store, entry.modRevision);
  const preconditions = preconditionsOf(call);
  if (preconditions !== undefined) {
    const { ifMatch, ifNoneMatch } = preconditions;
    if (ifMatch !== undefined && !matchesStrongly(ifMatch, tag))
      throw conditionFailed('If-Match', tag, entry);
    if (entry !== undefined && ifNoneMatch !== undefined && matchesWeakly(ifNoneMatch, tag)) {
      return call.sendHead(304, headersOf(entry, revision, tag ?? ''));
    }
  }
  if (entry === undefined) throw new StoreError('keyNotFound', 'there is no such key');
  sendValue(call, entry, revision, tag ?? '');
}

function sendValue(call: RestCall, entry: Entry, revision: number, tag: string): void {
  const { value } = entry;
  const headers = headersOf(entry, revision, tag);
  headers.push(
    'content-type',
    'application/octet-stream',
    'x-content-type-options',
    'nosniff',
    'accept-ranges',
    'bytes',
  );
  const { range, 'if-range': ifRange } = call.request.headers;
  if (range === undefined || call.isHead || (ifRange !== undefined && ifRange !== tag)) {
    return call.send(200, headers, value);
  }
  const part = byteRange(range, value.length);
  if (part === undefined) return call.send(200, headers, value);
  const { start, end } = part;
  headers.push('content-range', `bytes ${start}-${end - 1}/${value.length}`);
  call.send(206, headers, value.subarray(start, end));
}

/** `no-cache`: a cache asks each time whether the value is still the same, whatever `Expires` says. */
function headersOf(
  { createRevision, modRevision, version, leaseId, expireTimeMs }: Entry,
  revision: number,
  tag: string,
): string[] {
  const headers = [
    'etag',
    tag,
    'cache-control',
    'no-cache',
    'kelp-revision',
    String(revision),
    'kelp-mod-revision',
    String(modRevision),
    'kelp-create-revision',
    String(createRevision),
    'kelp-version',
    String(version),
  ];
  if (leaseId !== 0) headers.push('kelp-lease', String(leaseId));
  if (expireTimeMs !== 0) headers.push('expires', new Date(expireTimeMs).toUTCString());
  return headers;
}
