/** Reads a transaction in JSON; its form is in `server/json/txn-form.ts`. */
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { TxnRequestSchema } from '../../../gen/kelp/v1/kv_pb.ts';
import type { TxnRequest } from '../../client/messages/types.ts';
import { StoreError } from '../../errors.ts';
import { duplicateNameIn } from '../../server/json/duplicate-names.ts';
import { checkTxnOperations, faultyPlaceIn, toProtobufTxn } from '../../server/json/txn-form.ts';
import { toTxnRequest } from '../../server/json/txn-message.ts';
import { malformedIntegerIn } from '../../wire/json-integers.ts';
import { roundedNumberIn } from '../../wire/json-numbers.ts';
import { UsageError } from '../../shell-words/usage-error.ts';

/** Reads a transaction; `isPlain` takes the JSON form of Protobuf as it is. Throws a `UsageError`. */
export function parseTxn(text: string, isPlain: boolean): TxnRequest {
  let json: JsonValue;
  try {
    json = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new UsageError(`the transaction is no JSON: ${(error as Error).message}`, { cause: error });
  }
  const bytes = Buffer.from(text);
  const complaint = roundedNumberIn(bytes);
  if (complaint !== undefined) throw new UsageError(complaint);
  const name = duplicateNameIn(bytes);
  if (name !== undefined)
    throw new UsageError(`the transaction has ${JSON.stringify(name)} twice in one object`);
  try {
    return read(json, isPlain);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (error instanceof StoreError) throw new UsageError(error.message, { cause: error });
    throw new UsageError(`the transaction can't be read: ${(error as Error).message}`, { cause: error });
  }
}

function read(json: JsonValue, isPlain: boolean): TxnRequest {
  const protobufJson = isPlain ? json : toProtobufTxn(json);
  const malformed = malformedIntegerIn(TxnRequestSchema, protobufJson);
  if (malformed !== undefined) throw new UsageError(malformed);
  try {
    const message = fromJson(TxnRequestSchema, protobufJson);
    checkTxnOperations(json);
    return toTxnRequest(message);
  } catch (error) {
    const place = error instanceof StoreError ? undefined : faultyPlaceIn(protobufJson);
    if (place === undefined) throw error;
    throw new UsageError(`the transaction can't be read: ${place}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
