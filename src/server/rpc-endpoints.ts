/** The served methods by their HTTP path: Connect's handlers for gRPC, gRPC-Web and Connect with our services behind. */
import type { DescMessage, DescService } from '@bufbuild/protobuf';
import { type ConnectRouter, type HandlerContext, createConnectRouter } from '@connectrpc/connect';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import type { Logger } from 'pino';
import { Health } from '../../gen/grpc/health/v1/health_pb.ts';
import { ServerReflection } from '../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { AdminService } from '../../gen/kelp/v1/admin_pb.ts';
import { file_kelp_v1_errors } from '../../gen/kelp/v1/errors_pb.ts';
import { KvService } from '../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../gen/kelp/v1/lease_pb.ts';
import { WatchService } from '../../gen/kelp/v1/watch_pb.ts';
import { type ServerLimits, serverFixed } from '../limits.ts';
import type { Store } from '../api.ts';
import { callInterceptor } from './call-interceptor.ts';
import { callOf } from './calls.ts';
import { replyCompressMinBytes, requestCompressions } from './compression.ts';
import { recoveringError, shuttingDownError } from './errors.ts';
import type { ServerState } from './server-state.ts';
import { adminService } from './services/admin.ts';
import { DescriptorIndex } from './services/descriptor-index.ts';
import { healthService } from './services/health.ts';
import { kvService } from './services/kv.ts';
import { leaseService } from './services/lease.ts';
import { reflectionService } from './services/reflection.ts';
import { watchService } from './services/watch.ts';

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
}

export interface RpcServices {
  /** `undefined` until it is open. */
  readonly store: () => Store | undefined;
  readonly state: ServerState;
  readonly limits: ServerLimits;
  readonly logger: Logger;
  readonly version: string;
}

const dataServices = [KvService, WatchService, LeaseService, AdminService];
const otherServices = [Health, ServerReflection, ServerReflectionAlpha];
const dataServiceNames = new Set<string>(dataServices.map((service) => service.typeName));

export function rpcEndpoints(services: RpcServices): Map<string, RpcEndpoint> {
  const { state, limits, logger, version } = services;
  const endpointByPath = new Map<string, RpcEndpoint>();
  const options = {
    acceptCompression: requestCompressions,
    compressMinBytes: replyCompressMinBytes,
    // Nobody reads the unknown fields of a request, which would only take memory.
    binaryOptions: { readUnknownFields: false },
    requestGate: (context: HandlerContext) => admit(context, state),
    interceptors: [callInterceptor(logger)],
  };

  function serve(requestBytesMax: number, add: (router: ConnectRouter) => void): void {
    // Values come in requests and pages of them in replies; the latter are limited before they are made.
    const router = createConnectRouter({
      ...options,
      readMaxBytes: requestBytesMax,
      // A misspelt field must not be overlooked: it could be the condition of a write.
      jsonOptions: { ignoreUnknownFields: false },
    });
    add(router);
    for (const handle of router.handlers) {
      const { methodKind, input } = handle.method;
      endpointByPath.set(handle.requestPath, {
        handle,
        input,
        requestBytesMax,
        hasRequestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
        isStream: methodKind !== 'unary',
      });
    }
  }

  function store(): Store {
    const opened = services.store();
    if (opened === undefined) throw recoveringError();
    return opened;
  }

  // The errors' details are found by no method, but tools that show errors look them up.
  const index = new DescriptorIndex([...dataServices, ...otherServices], [file_kelp_v1_errors]);
  serve(limits.requestBytesMax, (router) => {
    router.service(KvService, kvService(store)).service(WatchService, watchService(store));
  });
  serve(serverFixed.smallRequestBytesMax, (router) => {
    router
      .service(LeaseService, leaseService(store))
      .service(AdminService, adminService(store, version))
      .service(Health, healthService(state, dataServices, otherServices))
      .service(ServerReflection, reflectionService(index))
      .service(ServerReflectionAlpha, reflectionService(index));
  });
  return endpointByPath;
}

/** Turns a call away before its body is read. */
function admit(context: HandlerContext, state: ServerState): void {
  const { refusal } = callOf(context);
  if (refusal !== undefined) throw refusal;
  if (!isDataService(context.service)) return;
  if (state.phase === 'recovering') throw recoveringError();
  if (state.phase === 'stopping') throw shuttingDownError();
}

function isDataService(service: DescService): boolean {
  return dataServiceNames.has(service.typeName);
}
