/** Around every call that reaches a service: errors get their code and detail, and the outcome is noted for the log. */
import { ConnectError, type Interceptor } from '@connectrpc/connect';
import type { Logger } from 'pino';
import { type GrpcCode, grpcCode } from '../../grpc-code.ts';
import type { Call } from '../calls/call.ts';
import type { Dialect } from '../calls/dialect.ts';
import { isUnforeseen } from '../calls/outcome.ts';
import { callContextKey } from './call-context.ts';
import { toConnectError } from './connect-error.ts';

/** @param dialect of a foreign API. */
export function callInterceptor(logger: Logger, dialect?: Dialect): Interceptor {
  return (next) => async (request) => {
    const call = request.contextValues.get(callContextKey)?.call;
    const method = `${request.service.typeName}/${request.method.name}`;
    try {
      const response = await next(request);
      if (!response.stream) {
        noteOutcome(call, grpcCode.Ok);
        return response;
      }
      return { ...response, message: watched(response.message) };
    } catch (error) {
      throw failed(error);
    }

    async function* watched<Message>(messages: AsyncIterable<Message>): AsyncGenerator<Message> {
      try {
        yield* messages;
        noteOutcome(call, grpcCode.Ok);
      } catch (error) {
        throw failed(error);
      }
    }

    function failed(error: unknown): ConnectError {
      const connectError = toConnectError(dialect === undefined ? error : dialect.toError(error));
      // Both are the codes of gRPC, without OK.
      noteOutcome(call, connectError.code);
      // As gRPC demands, Connect calls some requests INTERNAL that break the protocol; that is no failure of ours.
      if (!(error instanceof ConnectError) && isUnforeseen(error))
        logger.error({ method, err: error }, 'a call failed unexpectedly');
      return connectError;
    }
  };
}

function noteOutcome(call: Call | undefined, outcome: GrpcCode): void {
  if (call !== undefined) call.outcome = outcome;
}
