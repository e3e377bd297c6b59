/** Messages of Protobuf as values; by itself, since the command has no use for the library. */
import {
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  create,
  fromBinary,
  toBinary,
} from '@bufbuild/protobuf';
import type { Codec } from './codec.ts';

/** Messages of Protobuf, by what `protoc-gen-es` has generated of them. */
export function protobuf<Message extends DescMessage>(
  schema: Message,
): Codec<MessageShape<Message>, MessageInitShape<Message>> {
  return {
    encode: (value) => toBinary(schema, create(schema, value)),
    decode: (value) => fromBinary(schema, value),
  };
}
