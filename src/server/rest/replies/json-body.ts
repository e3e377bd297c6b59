/** Bodies of requests in JSON: read strictly, since what is overlooked could be the condition of a write. */
import type { DescMessage, JsonValue, MessageShape } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import { StoreError } from '../../../errors.ts';
import { malformedRequestIn } from '../../calls/call-error.ts';
import { readJsonRequest } from '../../json/read-request.ts';
import { jsonTurns } from '../../json/turn-work.ts';
import { shown } from '../../json/txn-form.ts';

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
    return await readJsonRequest(
      input,
      body,
      jsonTurns,
      (json) => (protobufJson = toProtobuf(objectIn(json))),
    );
  } catch (error) {
    if (error instanceof ConnectError) throw unreadable(placeOf(protobufJson), plainText(error.rawMessage));
    const complaint = error instanceof StoreError ? malformedRequestIn(error, input.typeName) : undefined;
    throw complaint === undefined ? error : unreadable(undefined, complaint);
  }
}

function objectIn(json: JsonValue): JsonValue {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json;
  throw new StoreError('invalidArgument', `the body is a JSON object, not ${shown(json)}`);
}

function unreadable(place = 'the body', why: string): StoreError {
  return new StoreError('invalidArgument', `${place} can't be read: ${why}`);
}

/** What protobuf-es says, without the names of schemas: of a field its own name. */
function plainText(message: string): string {
  return message
    .replace(/^cannot decode message \S+ from JSON: /, '')
    .replace(/^cannot decode (?:field|oneof) \S+\.(\w+) from JSON: /, '"$1": ');
}
