/** Bodies of requests in JSON: read strictly, since what is overlooked could be the condition of a write. */
import type { DescMessage, JsonValue, MessageShape } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import { StoreError } from '../../../errors.ts';
import { readJsonRequest } from '../../json/read-request.ts';
import { jsonTurns } from '../../json/turn-work.ts';

/**
 * Reads a body as a message of the schema.
 * @param toProtobuf makes Protobuf's JSON of the form that the body has.
 * @param placeOf where in Protobuf's JSON the fault is, if that can be said.
 * @throws StoreError `invalidArgument` that says what is wrong: no JSON or UTF-8, a member that is not known or comes twice, a number
 * that JavaScript would round, a value of another type.
 */
export async function readJsonBody<Input extends DescMessage>(
  input: Input,
  body: Uint8Array,
  toProtobuf: (json: JsonValue) => JsonValue,
  placeOf: (json: JsonValue) => string | undefined = () => undefined,
): Promise<MessageShape<Input>> {
  let protobufJson: JsonValue = null;
  try {
    return await readJsonRequest(input, body, jsonTurns, (json) => (protobufJson = toProtobuf(json)));
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    const place = placeOf(protobufJson);
    const what = place === undefined ? 'the body' : place;
    throw new StoreError('invalidArgument', `${what} can't be read: ${plainText(error.rawMessage)}`);
  }
}

/** What protobuf-es says, without the names of schemas: of a field its own name. */
function plainText(message: string): string {
  return message
    .replace(/^cannot decode message \S+ from JSON: /, '')
    .replace(/^cannot decode (?:field|oneof) \S+\.(\w+) from JSON: /, '"$1": ');
}
