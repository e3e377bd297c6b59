/** `grpc.health.v1.Health`: whether the server, or one of its services, takes calls. */
import type { DescService } from '@bufbuild/protobuf';
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import {
  type Health,
  HealthCheckResponse_ServingStatus as Status,
} from '../../../gen/grpc/health/v1/health_pb.ts';
import type { Call } from '../calls/call.ts';
import type { ServerState } from './server-state.ts';

/**
 * @param dataServices those that need the store: they do not serve while it is being recovered, after it has failed
 * and when the server stops. The empty name is the server as a whole and does as they do.
 * @param otherServices those that serve as long as the server is there.
 * @param callOf the call that a request belongs to.
 */
export function healthService(
  state: ServerState,
  dataServices: readonly DescService[],
  otherServices: readonly DescService[],
  callOf: (context: HandlerContext) => Pick<Call, 'isEndedByServer'>,
): ServiceImpl<typeof Health> {
  const dataNames = new Set(['', ...dataServices.map((service) => service.typeName)]);
  const otherNames = new Set(otherServices.map((service) => service.typeName));

  function statusOf(name: string): Status {
    if (dataNames.has(name)) return state.isReady ? Status.SERVING : Status.NOT_SERVING;
    if (!otherNames.has(name)) return Status.SERVICE_UNKNOWN;
    return state.phase === 'stopping' ? Status.NOT_SERVING : Status.SERVING;
  }

  return {
    check({ service }) {
      const status = statusOf(service);
      if (status === Status.SERVICE_UNKNOWN) throw new ConnectError(`no service "${service}"`, Code.NotFound);
      return { status };
    },

    /** Says how it stands, and again after each change, until the client goes, its time is over or the server stops. */
    async *watch({ service }, context) {
      const { signal } = context;
      let told: Status | undefined;
      let wake = (): void => undefined;
      const stopListening = state.onChange(() => wake());
      const onAbort = (): void => wake();
      signal.addEventListener('abort', onAbort);
      try {
        for (;;) {
          const status = statusOf(service);
          if (status !== told) {
            yield { status };
            told = status;
          } else if (callOf(context).isEndedByServer) {
            return;
          } else if (signal.aborted) {
            throw signal.reason;
          } else {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
        }
      } finally {
        stopListening();
        signal.removeEventListener('abort', onAbort);
      }
    },
  };
}
