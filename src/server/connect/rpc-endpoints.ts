/**
 * The served methods by their HTTP path: Connect's handlers for gRPC, gRPC-Web and Connect with our services behind. They
 * take every call that gRPC's own lane leaves.
 */
import type { DescMessage, DescMethod, DescService } from '@bufbuild/protobuf';
import { type ConnectRouter, type HandlerContext, createConnectRouter } from '@connectrpc/connect';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import type { Logger } from 'pino';
import { Health } from '../../../gen/grpc/health/v1/health_pb.ts';
import { ServerReflection } from '../../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { file_kelp_v1_errors } from '../../../gen/kelp/v1/errors_pb.ts';
import { serverFixed } from '../../limits.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { callInterceptor } from './call-interceptor.ts';
import { replyCompressMinBytes, requestCompressions } from './compression.ts';
import { addMethod } from './bridge.ts';
import { recoveringError } from '../calls/call-error.ts';
import type { Dialect } from '../calls/dialect.ts';
import type { ClusterDoors, RunsAt } from '../cluster/cluster-doors.ts';
import { callOf, contextOf } from './call-context.ts';
import { toConnectError } from './connect-error.ts';
import { type ServerState, refusalIn } from '../health/server-state.ts';
import { DescriptorIndex } from '../reflection/descriptor-index.ts';
import { healthService } from '../health/health-service.ts';
import { reflectionService } from '../reflection/reflection.ts';
import type { CallMeter } from '../metrics/calls/call-meter.ts';
import type { CallMeters } from '../metrics/calls/call-meters.ts';
import { methodNameOf } from '../metrics/calls/routes.ts';
import type { ServedService } from '../services/services.ts';

/** One method. */
export interface RpcEndpoint {
  readonly handle: UniversalHandler;
  readonly input: DescMessage;
  /** Of one request message, as sent and as decompressed. */
  readonly requestBytesMax: number;
  /** The client sends a stream of messages. */
  readonly hasRequestStream: boolean;
  /** Either side does; such a call has no natural end. */
  readonly isStream: boolean;
  /** One of our own methods, behind the bridge. */
  readonly isBridged: boolean;
  readonly runsAt: RunsAt;
  /** It is for everybody. */
  readonly isOpen: boolean;
  /** Of a foreign API. */
  readonly dialect: Dialect | undefined;
  /** By what its calls may come through. */
  readonly meterByDoor: Readonly<Record<'grpc' | 'grpc_web' | 'connect', CallMeter>>;
}

export interface RpcContext {
  /** `undefined` until it is open. */
  readonly store: () => KvStore | undefined;
  readonly state: ServerState;
  /** Those that need the store. */
  readonly services: readonly ServedService[];
  /** Reflection is for everybody. */
  readonly openReflection: boolean;
  readonly meters: CallMeters;
  readonly logger: Logger;
  /** `undefined`: the server is alone. */
  readonly cluster?: ClusterDoors | undefined;
}

const otherServices = [Health, ServerReflection, ServerReflectionAlpha];

export function rpcEndpoints(context: RpcContext): Map<string, RpcEndpoint> {
  const { state, services, meters, openReflection, logger } = context;
  const dataServices = services.map(({ desc }) => desc);
  const endpointByPath = new Map<string, RpcEndpoint>();
  const runsAtByMethod = new Map<DescMethod, RunsAt>(
    services.flatMap(({ methods }) => methods.map(({ desc, runsAt }) => [desc, runsAt] as const)),
  );
  const options = {
    acceptCompression: requestCompressions,
    compressMinBytes: replyCompressMinBytes,
    // The unknown fields of a request are never used, and would only take memory.
    binaryOptions: { readUnknownFields: false },
  };

  function serve(
    requestBytesMax: number,
    isBridged: boolean,
    add: (router: ConnectRouter) => void,
    dialect?: Dialect,
  ): void {
    const router = createConnectRouter({
      ...options,
      requestGate: (called: HandlerContext) => admit(called, state, dataServices, dialect),
      interceptors: [callInterceptor(logger, dialect)],
      readMaxBytes: requestBytesMax,
      // A misspelt field must not be overlooked: it could be the condition of a write.
      jsonOptions: { ignoreUnknownFields: false },
    });
    add(router);
    for (const handle of router.handlers) {
      const { methodKind, input } = handle.method;
      const name = methodNameOf(handle.method);
      endpointByPath.set(handle.requestPath, {
        handle,
        input,
        requestBytesMax,
        hasRequestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
        isStream: methodKind !== 'unary',
        isBridged,
        runsAt: runsAtByMethod.get(handle.method) ?? 'here',
        dialect,
        isOpen: isBridged
          ? dialect?.openMethods.has(handle.method) === true
          : openReflection || handle.service.typeName === Health.typeName,
        meterByDoor: {
          grpc: meters.of('grpc', name),
          grpc_web: meters.of('grpc_web', name),
          connect: meters.of('connect', name),
        },
      });
    }
  }

  function store(): KvStore {
    const opened = context.store();
    if (opened === undefined) throw recoveringError();
    return opened;
  }

  // The errors' details are found by no method, but tools that show errors look them up.
  const index = new DescriptorIndex([...dataServices, ...otherServices], [file_kelp_v1_errors]);
  for (const { methods, requestBytesMax, dialect } of services) {
    const add = (router: ConnectRouter): void => {
      for (const method of methods) addMethod(router, method, store, context.cluster);
    };
    serve(requestBytesMax, true, add, dialect);
  }
  serve(serverFixed.smallRequestBytesMax, false, (router) => {
    router
      .service(Health, healthService(state, dataServices, otherServices, callOf))
      .service(ServerReflection, reflectionService(index, callOf))
      .service(ServerReflectionAlpha, reflectionService(index, callOf));
  });
  return endpointByPath;
}

/** Turns a call away before its body is read. */
function admit(
  context: HandlerContext,
  state: ServerState,
  dataServices: readonly DescService[],
  dialect: Dialect | undefined,
): void {
  const refusal =
    contextOf(context).refusal ?? (dataServices.includes(context.service) ? refusalIn(state) : undefined);
  if (refusal === undefined) return;
  const error = toConnectError(dialect === undefined ? refusal : dialect.toError(refusal));
  callOf(context).outcome = error.code;
  throw error;
}
