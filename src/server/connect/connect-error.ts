/** Errors as Connect's handlers have them, which write them down for each of their protocols. */
import { fromBinary } from '@bufbuild/protobuf';
import { type Code, ConnectError } from '@connectrpc/connect';
import { ErrorDetailSchema } from '../../../gen/kelp/v1/errors_pb.ts';
import { headerText, outcomeOf } from '../calls/outcome.ts';
import { RETRY_INFO_NAME, retryInfo } from '../calls/retry-info.ts';

/** Whatever a service threw, as the client gets it. */
export function toConnectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return withHeaderText(error);
  const { code, message, detail, retryAfterMs } = outcomeOf(error);
  // Both are the codes of gRPC, without OK.
  const connectError = new ConnectError(message, code as Code, undefined, undefined, error);
  const { details } = connectError;
  if (detail !== undefined)
    details.push({ desc: ErrorDetailSchema, value: fromBinary(ErrorDetailSchema, detail) });
  if (retryAfterMs !== undefined) details.push({ type: RETRY_INFO_NAME, value: retryInfo(retryAfterMs) });
  return connectError;
}

/** Connect's own errors quote what they can not read. */
function withHeaderText(error: ConnectError): ConnectError {
  const text = headerText(error.rawMessage);
  if (text === error.rawMessage) return error;
  const changed = new ConnectError(text, error.code, error.metadata, undefined, error.cause);
  changed.details = error.details;
  return changed;
}
