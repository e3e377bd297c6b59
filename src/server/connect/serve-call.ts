/**
 * A call by Connect's handlers. This is the adapter between Node's HTTP, or the requests of HTTP/2 that have its form, and
 * these handlers. Connect's own brings a process down by a request without a `Host` header, and reads bodies with no bound
 * but their length (see `http/request-body.ts`).
 */
import { fromBinary } from '@bufbuild/protobuf';
import { ConnectError, createContextValues } from '@connectrpc/connect';
import type { UniversalServerRequest, UniversalServerResponse } from '@connectrpc/connect/protocol';
import type { Tracer } from '@opentelemetry/api';
import type { Logger } from 'pino';
import { checkUser } from '../../access/checks.ts';
import { grpcCode, nameOfCode } from '../../grpc-code.ts';
import type { ServerLimits } from '../../limits.ts';
import { type RpcSystem, rpcSystem } from '../../tracing/attributes.ts';
import { CHALLENGE } from '../access/credentials.ts';
import type { Logins } from '../access/logins.ts';
import { malformedRequestError } from '../calls/call-error.ts';
import { type Call, NOTHING_SHOWN } from '../calls/call.ts';
import type { CallTable } from '../calls/call-table.ts';
import type { ClusterDoors } from '../cluster/cluster-doors.ts';
import { isBeyondTimers } from '../calls/deadline.ts';
import { isUnforeseen } from '../calls/outcome.ts';
import { checkBinaryParts } from '../calls/request-parts.ts';
import { answerWrongForm } from '../health/probes.ts';
import { type ServerState, refusalIn } from '../health/server-state.ts';
import { forwardRequest, forwardedTo } from '../http/forward-request.ts';
import { grpcDoorOf } from '../http/grpc-message.ts';
import type { HttpRequest, HttpResponse } from '../http/http-message.ts';
import { meterReply } from '../http/meter-reply.ts';
import { type BodyRules, messagesOf, wholeBody } from '../http/request-body.ts';
import type { RequestOrder } from '../http/request-order.ts';
import { originForm, pathOf } from '../http/request-target.ts';
import { checkJsonRequest } from '../json/read-request.ts';
import { traceHeadersOf } from '../tracing/parent-context.ts';
import { RpcKind } from '../tracing/rpc-kind.ts';
import { type CallContext, callContextKey } from './call-context.ts';
import { inflatingFor } from './compression.ts';
import { toConnectError } from './connect-error.ts';
import { JsonMessages } from './json-messages.ts';
import type { RpcEndpoint } from './rpc-endpoints.ts';
import { writeReply } from './write-reply.ts';

export interface ConnectContext {
  readonly endpointByPath: ReadonlyMap<string, RpcEndpoint>;
  readonly order: RequestOrder;
  readonly logins: Logins;
  readonly calls: CallTable;
  readonly limits: Pick<ServerLimits, 'requestTimeoutMs'>;
  readonly logger: Logger;
  readonly state: ServerState;
  /** `undefined`: the server is alone. */
  readonly cluster?: ClusterDoors | undefined;
}

/** Our shapes, their bytes, those that Connect makes of its message, and those with a prefix. */
const BINARY_REPLY_COPIES = 4;
/** Our shapes, and short values and keys once more as JSON. Long values are there once, which is charged as the short ones are. */
const JSON_REPLY_COPIES = 3;

/** @returns false when the request is for something else. */
export function answerCall(request: HttpRequest, response: HttpResponse, context: ConnectContext): boolean {
  const path = pathOf(request);
  const endpoint = context.endpointByPath.get(path);
  if (endpoint === undefined) return false;
  const { calls, logger, order } = context;
  const hasRoom = calls.makeRoom();
  const call = calls.open({ peer: request.socket, cut: () => cut(response) }, endpoint.isStream);
  call.isWithoutStore = endpoint.isOpen && !endpoint.isBridged;
  response.once('close', () => call.close());
  meterCall(request, response, call, endpoint);
  const { tracer } = calls.traces;
  if (tracer !== undefined && endpoint.isBridged) beginSpan(tracer, request, call, endpoint);
  const refusal = hasRoom ? chargeUnread(request, call, endpoint) : calls.fullError();
  if (logger.isLevelEnabled('debug')) logWhenClosed(path.slice(1), response, call, logger);

  const json = endpoint.isBridged && isJson(request) ? new JsonMessages(endpoint.input, call) : undefined;
  call.replyCopies = json === undefined ? BINARY_REPLY_COPIES : JSON_REPLY_COPIES;
  const serve = (refused: Error | undefined): void => {
    serveCall(request, response, { call, refusal: refused, json }, endpoint, context).catch(
      (error: unknown) => {
        // The client is gone, or a reply could not be written: there is no client to tell.
        if (!call.isClosed)
          logger.error({ method: path.slice(1), err: error }, 'a call could not be answered');
        response.destroy();
      },
    );
  };
  order.run(request, response, () => {
    if (context.cluster === undefined || refusal !== undefined) serve(refusal);
    else serveInCluster(request, response, call, endpoint, { ...context, cluster: context.cluster }, serve);
  });
  return true;
}

/** @param serve runs it here, or answers it by an error. */
function serveInCluster(
  request: HttpRequest,
  response: HttpResponse,
  call: Call,
  endpoint: RpcEndpoint,
  { cluster, logins, state }: ConnectContext & { readonly cluster: ClusterDoors },
  serve: (refusal: Error | undefined) => void,
): void {
  if (!endpoint.isBridged || refusalIn(state) !== undefined) return serve(undefined);
  try {
    call.shown = endpoint.isOpen
      ? NOTHING_SHOWN
      : logins.shownBy(authorizationOf(request, endpoint), request.socket);
    call.passedOnFor = logins.passedOnFor((name) => headerOf(request, name), request.socket);
    const to = forwardedTo(cluster, endpoint.runsAt, call.shown, request);
    if (to === undefined) serve(undefined);
    else forwardRequest(request, response, call, to, serve);
  } catch (error) {
    serve(error as Error);
  }
}

function authorizationOf(request: HttpRequest, { dialect }: RpcEndpoint): string | undefined {
  if (dialect === undefined) return request.headers.authorization;
  return dialect.authorizationIn((name) => headerOf(request, name));
}

function headerOf({ headers }: HttpRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** gRPC and gRPC-Web have a status of their own behind one of HTTP that is always 200. */
function meterCall(request: HttpRequest, response: HttpResponse, call: Call, endpoint: RpcEndpoint): void {
  const { meterByDoor } = endpoint;
  const door = grpcDoorOf(request.headers);
  if (door === undefined) meterReply(response, meterByDoor.connect, { call });
  else meterReply(response, meterByDoor[door], { call, usesStatus: false });
}

/**
 * What comes of a stream of requests waits until it is asked for, and is charged before.
 * @returns the error when there is no memory for it.
 */
function chargeUnread(request: HttpRequest, call: Call, endpoint: RpcEndpoint): Error | undefined {
  if (request.chargeTo !== undefined) {
    request.chargeTo(call);
  } else if (endpoint.hasRequestStream) {
    try {
      call.chargeRequest(request.readableHighWaterMark);
    } catch (error) {
      return error as Error;
    }
  }
  return undefined;
}

/** Finds out whose call it is. @returns what it is refused with. */
async function refusalOfLogin(
  request: HttpRequest,
  call: Call,
  endpoint: RpcEndpoint,
  logins: Logins,
): Promise<Error | undefined> {
  const { isOpen, isBridged, isStream } = endpoint;
  try {
    if (isOpen) {
      if (isStream || isBridged) call.lastsForStranger();
      return undefined;
    }
    const client = call.client ?? request.socket;
    const login = logins.of(authorizationOf(request, endpoint), client);
    if (login instanceof Promise) await call.logIn(login);
    else call.login = login;
    logins.check(call.login, client);
    if (!isBridged && isStream) call.keepAllowed(checkUser);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

function cut(response: HttpResponse): void {
  if (response.cut === undefined) response.destroy();
  else response.cut();
}

async function serveCall(
  request: HttpRequest,
  response: HttpResponse,
  called: CallContext,
  endpoint: RpcEndpoint,
  context: ConnectContext,
): Promise<void> {
  const { call, json } = called;
  const refusal = called.refusal ?? (await refusalOfLogin(request, call, endpoint, context.logins));
  const check = (message: Uint8Array): Promise<Uint8Array> =>
    json === undefined ? checkMessage(request, endpoint, message) : json.read(message);
  const universalRequest = toUniversal(request, { ...called, refusal }, endpoint, {
    messageBytesMax: endpoint.requestBytesMax,
    timeoutMs: context.limits.requestTimeoutMs,
    check,
  });
  const handle = (): Promise<UniversalServerResponse> => endpoint.handle(universalRequest);
  const reply = await (isCompressed(request)
    ? inflatingFor.run({ charge: (bytes) => call.chargeRequest(bytes), check }, handle)
    : handle());
  const { status } = reply;
  if (status === 401) response.appendHeader('www-authenticate', CHALLENGE);
  if (status === 405 || status === 415) {
    call.outcome = status === 405 ? grpcCode.Unimplemented : grpcCode.InvalidArgument;
    answerWrongForm(response, status, endpoint.isStream);
  } else if (json === undefined) await writeReply(response, call, reply);
  else await json.write(reply, (written, rest) => writeReply(response, call, written, rest));
}

function toUniversal(
  request: HttpRequest,
  called: CallContext,
  endpoint: RpcEndpoint,
  rules: BodyRules,
): UniversalServerRequest {
  const { call } = called;
  const readBody = endpoint.hasRequestStream ? messagesOf : wholeBody;
  return {
    httpVersion: request.httpVersion,
    method: request.method ?? '',
    // Handlers look at nothing but the query; a `Host` that is no host must not stop them.
    url: `http://kelp${originForm(request.url)}`,
    header: protocolHeaders(request, called),
    body: failingByConnect(call, readBody(request, call, rules)),
    signal: call.signal,
    contextValues: createContextValues().set(callContextKey, called),
  };
}

/** What fails while a body is read passes no interceptor, and has to be an error of Connect. */
async function* failingByConnect(call: Call, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    const connectError = toConnectError(error);
    call.outcome ??= connectError.code;
    throw connectError;
  }
}

/**
 * Connect calls what it can't decode INTERNAL, as if the server had failed; it is the client that has. Decoding twice
 * costs little next to the rest of its work.
 */
async function checkMessage(
  request: HttpRequest,
  { input }: RpcEndpoint,
  message: Uint8Array,
): Promise<Uint8Array> {
  if (isJson(request)) {
    checkJsonRequest(input, message);
    return message;
  }
  try {
    const bytes = Buffer.from(message.buffer, message.byteOffset, message.length);
    checkBinaryParts(input, bytes, 0, bytes.length);
    fromBinary(input, message, { readUnknownFields: false });
    return message;
  } catch (error) {
    if (error instanceof ConnectError || !isUnforeseen(error)) throw error;
    throw malformedRequestError(input.typeName, (error as Error).message);
  }
}

/** As for plain gRPC. Health checks and reflection are nothing that a trace is about. */
function beginSpan(tracer: Tracer, request: HttpRequest, call: Call, endpoint: RpcEndpoint): void {
  const headers = traceHeadersOf(request.headers);
  if (headers === undefined && endpoint.hasRequestStream) return;
  call.beginSpan(tracer, headers, () => new RpcKind(rpcSystemOf(request), pathOf(request).slice(1)));
}

/** gRPC-Web is gRPC in another form. */
function rpcSystemOf({ headers }: HttpRequest): RpcSystem {
  return grpcDoorOf(headers) === undefined ? rpcSystem.CONNECT : rpcSystem.GRPC;
}

/** Types of content are the same in upper and lower case. */
function isJson({ headers }: HttpRequest): boolean {
  return /json/i.test(headers['content-type'] ?? '');
}

/** The headers that the three protocols read; services look at none. */
const protocolHeaderNames = [
  'content-type',
  'content-length',
  'content-encoding',
  'accept-encoding',
  'grpc-timeout',
  'grpc-encoding',
  'grpc-accept-encoding',
  'x-grpc-web',
  'connect-timeout-ms',
  'connect-protocol-version',
  'connect-content-encoding',
  'connect-accept-encoding',
];

function protocolHeaders(request: HttpRequest, { json }: CallContext): Headers {
  const headers = new Headers();
  for (const name of protocolHeaderNames) {
    const value = request.headers[name];
    if (typeof value === 'string' && !isBeyondTimers(name, value)) headers.set(name, value);
  }
  // Connect is given something shorter.
  if (json !== undefined) headers.delete('content-length');
  return headers;
}

function isCompressed({ headers }: HttpRequest): boolean {
  return ['grpc-encoding', 'content-encoding', 'connect-content-encoding'].some((name) => name in headers);
}

function logWhenClosed(method: string, response: HttpResponse, call: Call, logger: Logger): void {
  const startMs = performance.now();
  response.once('close', () => {
    const ms = Math.round((performance.now() - startMs) * 1000) / 1000;
    const { outcome } = call;
    // A call without one was malformed, or its client went away.
    const noOutcome = response.writableEnded ? 'Refused' : 'Canceled';
    const code = outcome === undefined ? noOutcome : nameOfCode(outcome);
    logger.debug({ method, code, status: response.statusCode, ms, ...call.logged }, 'call');
  });
}
