/** `GET /v1/keys/{key}`: the bytes of a value, or of a part of it. */
import { checkKey } from '../../../access/checks.ts';
import type { Entry, ValueType } from '../../../api.ts';
import { StoreError } from '../../../errors.ts';
import type { PlacedChange } from '../../../engine/version.ts';
import type { ValuePart } from '../../../kv/reads/reads.ts';
import { valueTypeOf } from '../../../store/collections/kinds.ts';
import type { HeaderList } from '../../http/http-message.ts';
import { operation } from '../operation.ts';
import { checkReadDemand } from '../../services/read-demand.ts';
import { demandIn, readParameters, wholeNumberParameter } from '../query.ts';
import type { RestCall } from '../rest-call.ts';
import { byteRange } from './byte-range.ts';
import { entityTag, matchesStrongly, matchesWeakly } from './entity-tag.ts';
import { conditionFailed, preconditionsOf } from './preconditions.ts';

export const readKey = operation({
  method: 'GET',
  template: '/v1/keys/{key}',
  countsAs: 'Get',
  runsAt: 'caughtUp',
  query: { revision: wholeNumberParameter, ...readParameters },
  needs: (login, { pathKey }) => checkKey(login, 'read', pathKey),
  run(call, { revision = 0, ...demand }) {
    checkReadDemand(call.store, demandIn(demand));
    // What is read goes out at once, and needs no promise, unless others have read much in this turn. Then many long values may
    // be asked for together, and those that there is no memory for are refused before they are copied.
    return isPartial(call) || call.store.isResting ? readChecked(call, revision) : readNow(call, revision);
  },
});

/** Whether it may need less than the whole value. */
function isPartial({ isHead, request: { headers } }: RestCall): boolean {
  return (
    isHead ||
    headers.range !== undefined ||
    headers['if-none-match'] !== undefined ||
    headers['if-match'] !== undefined
  );
}

function readNow(call: RestCall, revision: number): void {
  const { entry, revision: readRevision } = call.store.getVisible(call.pathKey, revision);
  if (entry === undefined) throw notFound();
  checkPlain(entry.type);
  call.call.chargeReply(entry.value.length);
  sendValue(call, entry, readRevision);
}

/** The order in which conditions are looked at is that of RFC 9110, section 13.2.2. */
async function readChecked(call: RestCall, revision: number): Promise<void> {
  const { store } = call;
  const { ifMatch, ifNoneMatch } = preconditionsOf(call);
  let status = 200;
  let valueBytes = 0;
  let part: ValuePart = { start: 0, end: 0 };
  const result = await store.getPart(call.pathKey, revision, (shown) => {
    checkPlain(valueTypeOf(shown.kind));
    valueBytes = shown.valueEnd - shown.valueStart;
    const tag = entityTag(store, shown.modRevision);
    if (ifMatch !== undefined && !matchesStrongly(ifMatch, tag))
      throw conditionFailed('If-Match', tag, shown);
    if (ifNoneMatch !== undefined && matchesWeakly(ifNoneMatch, tag)) {
      status = 304;
    } else if (!call.isHead) {
      const wanted = wantedRange(call, tag, shown);
      if (wanted !== undefined) status = 206;
      part = wanted ?? { start: 0, end: valueBytes };
    }
    call.call.chargeReply(part.end - part.start);
    return part;
  });
  const { entry } = result;
  if (entry === undefined) {
    if (ifMatch !== undefined) throw conditionFailed('If-Match', undefined, undefined);
    throw notFound();
  }
  const headers = headersOf(call, entry, result.revision);
  if (status === 304) return call.sendHead(304, headers);
  headers.push(...VALUE_HEADERS);
  if (call.isHead) return call.sendHead(200, ['content-length', String(valueBytes), ...headers]);
  if (status === 206) headers.push('content-range', `bytes ${part.start}-${part.end - 1}/${valueBytes}`);
  call.send(status, headers, entry.value);
}

/** The elements of a collection are no bytes that could be sent, and an empty value would be taken for one. */
function checkPlain(type: ValueType | undefined): void {
  if (type === undefined) return;
  throw new StoreError(
    'wrongType',
    `the key holds no plain bytes, but a ${type}: read it by the calls of its type over gRPC, or by the Redis protocol`,
  );
}

/** A range that depends on another state than this is left unheeded. */
function wantedRange({ request }: RestCall, tag: string, shown: PlacedChange): ValuePart | undefined {
  const { range, 'if-range': ifRange } = request.headers;
  if (range === undefined || (ifRange !== undefined && ifRange !== tag)) return undefined;
  return byteRange(range, shown.valueEnd - shown.valueStart);
}

function sendValue(call: RestCall, entry: Entry, revision: number): void {
  const headers = headersOf(call, entry, revision);
  headers.push(...VALUE_HEADERS);
  call.send(200, headers, entry.value);
}

/** What no browser takes for a page, or for a script. */
const VALUE_HEADERS = [
  'content-type',
  'application/octet-stream',
  'x-content-type-options',
  'nosniff',
  'accept-ranges',
  'bytes',
] as const;

/** `no-cache`: a cache asks each time whether the value is still the same, whatever `Expires` says. */
function headersOf(
  { store }: RestCall,
  { createRevision, modRevision, version, leaseId, expireTimeMs }: Entry,
  revision: number,
): HeaderList {
  const headers = [
    'etag',
    entityTag(store, modRevision),
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

function notFound(): StoreError {
  return new StoreError('keyNotFound', 'there is no such key');
}
