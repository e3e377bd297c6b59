/** The kinds of parameters of queries, as schemas of the document. */
import {
  consistencyParameter,
  durationParameter,
  flagParameter,
  keyParameter,
  type ReadParameter,
  textParameter,
  timeToLiveParameter,
  wholeNumberParameter,
} from '../query.ts';
import { fixed } from '../../../limits.ts';
import { assert } from '../../../errors.ts';
import { eventTypesParameter, progressIntervalParameter } from '../watch/watch-keys.ts';
import type { Json } from './schemas.ts';

const duration = { type: 'string', examples: ['500ms', '30s', '1h30m', '7d'] };

const schemaByKind = new Map<ReadParameter, Json>([
  [keyParameter, { type: 'string', description: 'Percent-encoded; bytes that are not UTF-8, too.' }],
  [textParameter, { type: 'string' }],
  [flagParameter, { type: 'boolean' }],
  [wholeNumberParameter, { type: 'integer', minimum: 0, maximum: fixed.integerMax }],
  [consistencyParameter, { enum: ['linearizable', 'local'] }],
  [durationParameter, duration],
  [timeToLiveParameter, duration],
  [progressIntervalParameter, duration],
  [eventTypesParameter, { type: 'array', items: { enum: ['put', 'delete', 'touch'] } }],
]);

export function schemaOfParameter(kind: ReadParameter): Json {
  const schema = schemaByKind.get(kind);
  assert(schema !== undefined, 'each kind of parameter has a schema');
  return schema;
}
