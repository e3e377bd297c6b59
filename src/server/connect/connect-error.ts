/** Errors as Connect's handlers have them, which write them down for each of their protocols. */
import { fromBinary } from '@bufbuild/protobuf';
import { type Code, ConnectError } from '@connectrpc/connect';
import { ErrorDetailSchema } from '../../../gen/kelp/v1/errors_pb.ts';
import { headerText, outcomeOf } from '../calls/outcome.ts';

/** Whatever a service threw, as the client gets it. */
export function toConnectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return withHeaderText(error);
  const { code, message, detail } = outcomeOf(error);
  const details =
    detail === undefined ? [] : [{ desc: ErrorDetailSchema, value: fromBinary(ErrorDetailSchema, detail) }];
  // Both are the codes of gRPC, without OK.
  return new ConnectError(message, code as Code, undefined, details, error);
}

/** Connect's own errors quote what they can not read. */
function withHeaderText(error: ConnectError): ConnectError {
  const text = headerText(error.rawMessage);
  if (text === error.rawMessage) return error;
  const changed = new ConnectError(text, error.code, error.metadata, undefined, error.cause);
  changed.details = error.details;
  return changed;
}
