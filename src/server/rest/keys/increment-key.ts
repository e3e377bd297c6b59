/** `POST /v1/keys/{key}/increment`: adds to a number that is kept as decimal text. */
import { checkWrite } from '../../../access/checks.ts';
import type { JsonValue } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { IncrementRequestSchema } from '../../../../gen/kelp/v1/kv_pb.ts';
import { StoreError } from '../../../errors.ts';
import { serverFixed } from '../../../limits.ts';
import { toSeconds } from '../../json/txn-form.ts';
import { operation } from '../operation.ts';
import { readJsonBody } from '../replies/json-body.ts';
import { refuseConditions } from './preconditions.ts';

/** Without a body it adds 1. */
const NOTHING = Buffer.from('{}');

export const incrementKey = operation({
  method: 'POST',
  template: '/v1/keys/{key}/increment',
  countsAs: 'Increment',
  runsAt: 'writer',
  query: {},
  body: { bytesMax: serverFixed.smallRequestBytesMax, types: ['application/json'] },
  needs: (login, { pathKey }) => checkWrite(login, pathKey, true),
  async run(call) {
    refuseConditions(call);
    const { body, pathKey } = call;
    const json = body.length === 0 ? NOTHING : body;
    const { delta, ttl } = await readJsonBody(IncrementRequestSchema, json, toProtobuf);
    const options = ttl === undefined ? {} : { ttlMs: durationMs(ttl) };
    // The body was read in a turn of its own.
    call.checkAllowed();
    const { value, revision } = await call.store.increment(pathKey, delta, options, call.call);
    call.sendJson(200, { value: String(value), revision });
  },
});

function toProtobuf(json: JsonValue): JsonValue {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return json;
  for (const name of ['key', 'keyBytes', 'key_bytes']) {
    if (name in json)
      throw new StoreError('invalidArgument', `the key stands in the path; leave "${name}" out`);
  }
  const { delta, ttl } = json;
  return { ...json, delta: delta ?? 1, ...(ttl !== undefined && { ttl: toSeconds(ttl, 'ttl') }) };
}
