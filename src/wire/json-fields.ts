/** The fields of a message by the names that its JSON form takes. */
import type { DescField, DescMessage } from '@bufbuild/protobuf';

const fieldsByMessage = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

/** By both names that each has: that of JSON and that of the schema. */
export function fieldsByJsonName(message: DescMessage): ReadonlyMap<string, DescField> {
  let fields = fieldsByMessage.get(message);
  if (fields === undefined) {
    fields = new Map(
      message.fields.flatMap((field) => [field.jsonName, field.name].map((name) => [name, field])),
    );
    fieldsByMessage.set(message, fields);
  }
  return fields;
}
