import { expect, test } from 'vitest';
import * as errorsCodec from '../../gen/kelp/v1/errors_codec.ts';
import { ErrorReason } from '../../gen/kelp/v1/errors_pb.ts';
import * as kvCodec from '../../gen/kelp/v1/kv_codec.ts';
import { Relation } from '../../gen/kelp/v1/kv_pb.ts';
import * as watchCodec from '../../gen/kelp/v1/watch_codec.ts';
import { DeleteReason, EventType } from '../../gen/kelp/v1/watch_pb.ts';

test.each<[string, object, object]>([
  ['ErrorReason', errorsCodec.ErrorReason, ErrorReason],
  ['Relation', kvCodec.Relation, Relation],
  ['EventType', watchCodec.EventType, EventType],
  ['DeleteReason', watchCodec.DeleteReason, DeleteReason],
])('the enum %s has the names and numbers that protobuf-es gives it', (_, generated, reference) => {
  expect(generated).toEqual(reference);
});
