/**
 * What becomes of each HTTP request, of either version: calls go to their method, probes are answered, the rest is
 * told that there is nothing.
 *
 * This is the adapter between Node's HTTP and Connect's handlers. Connect's own brings a process down by a request
 * without a `Host` header, and reads bodies with no bound but their length (see `http/request-body.ts`).
 */
import { isUtf8 } from 'node:buffer';
import { fromBinary } from '@bufbuild/protobuf';
import { ConnectError, createContextValues } from '@connectrpc/connect';
import type { UniversalServerRequest, UniversalServerResponse } from '@connectrpc/connect/protocol';
import type { Logger } from 'pino';
import type { ServerLimits } from '../../limits.ts';
import { malformedIntegerIn } from '../../wire/json-integers.ts';
import { roundedNumberIn } from '../../wire/json-numbers.ts';
import { type Call, type CallTable, callKey } from '../calls/calls.ts';
import { inflatingFor } from '../connect/compression.ts';
import { isBeyondTimers } from '../calls/deadline.ts';
import { malformedRequestError } from '../calls/errors.ts';
import type { HttpRequest, HttpResponse } from '../http/http-message.ts';
import type { Metrics } from '../health/metrics.ts';
import { answerProbe, answerUnknownPath, answerWithoutPath, answerWrongForm } from '../health/probes.ts';
import { writeReply } from '../http/write-reply.ts';
import { type BodyRules, messagesOf, wholeBody } from '../http/request-body.ts';
import { checkBinaryParts, checkJsonParts } from '../calls/request-parts.ts';
import { originForm, pathOf } from '../http/request-target.ts';
import type { RpcEndpoint } from '../connect/rpc-endpoints.ts';
import type { ServerState } from '../health/server-state.ts';

/** @returns whether it answers the request; it must not touch one that it leaves to others. */
export type RequestHandler = (request: HttpRequest, response: HttpResponse) => boolean;

export interface RequestContext {
  readonly endpointByPath: ReadonlyMap<string, RpcEndpoint>;
  readonly calls: CallTable;
  readonly state: ServerState;
  readonly metrics: Metrics;
  readonly limits: ServerLimits;
  readonly logger: Logger;
}

/** Handlers in the order in which they are asked; the last one answers everything. */
export function requestHandlers(context: RequestContext): readonly RequestHandler[] {
  return [
    answerWithoutPath,
    (request, response) => answerCall(request, response, context),
    (request, response) => answerProbe(request, response, context.state),
    (request, response) => context.metrics.answer(request, response),
    (request, response) => {
      answerUnknownPath(request, response);
      return true;
    },
  ];
}

function answerCall(request: HttpRequest, response: HttpResponse, context: RequestContext): boolean {
  const path = pathOf(request);
  const endpoint = context.endpointByPath.get(path);
  if (endpoint === undefined) return false;
  const call = context.calls.open(response, endpoint.isStream);
  const { logger } = context;
  if (logger.isLevelEnabled('debug')) logWhenClosed(path.slice(1), response, call, logger);

  void serveCall(request, response, call, endpoint, context).catch((error: unknown) => {
    // The client is gone, or a reply could not be written: there is no client to tell.
    if (!call.isClosed) logger.error({ method: path.slice(1), err: error }, 'a call could not be answered');
    response.destroy();
  });
  return true;
}

async function serveCall(
  request: HttpRequest,
  response: HttpResponse,
  call: Call,
  endpoint: RpcEndpoint,
  context: RequestContext,
): Promise<void> {
  const check = (message: Uint8Array): void => checkMessage(request, endpoint, message);
  const universalRequest = toUniversal(request, call, endpoint, {
    messageBytesMax: endpoint.requestBytesMax,
    timeoutMs: context.limits.requestTimeoutMs,
    check,
  });
  const handle = (): Promise<UniversalServerResponse> => endpoint.handle(universalRequest);
  const reply = await (isCompressed(request)
    ? inflatingFor.run({ charge: (bytes) => call.charge(bytes), check }, handle)
    : handle());
  const { status } = reply;
  if (status === 405 || status === 415) answerWrongForm(response, status, endpoint.isStream);
  else await writeReply(request, response, call, reply);
}

function toUniversal(
  request: HttpRequest,
  call: Call,
  endpoint: RpcEndpoint,
  rules: BodyRules,
): UniversalServerRequest {
  const readBody = endpoint.hasRequestStream ? messagesOf : wholeBody;
  return {
    httpVersion: request.httpVersion,
    method: request.method ?? '',
    // Handlers look at nothing but the query; a `Host` that is no host must not stop them.
    url: `http://kelp${originForm(request.url)}`,
    header: protocolHeaders(request),
    body: readBody(request, call, rules),
    signal: call.signal,
    contextValues: createContextValues().set(callKey, call),
  };
}

/**
 * Connect calls what it can't decode INTERNAL, as if the server had failed; it is the client that has. Decoding twice
 * costs little next to the rest of its work.
 */
function checkMessage(request: HttpRequest, { input }: RpcEndpoint, message: Uint8Array): void {
  if (isJson(request)) {
    // JSON's parser would put U+FFFD for such bytes, and two keys could become one. What is no JSON it refuses itself.
    if (!isUtf8(message)) throw malformedRequestError(input.typeName, 'it is not UTF-8');
    checkJsonParts(message);
    const complaint = roundedNumberIn(message) ?? malformedIntegerIn(input, parsed(message));
    if (complaint !== undefined) throw malformedRequestError(input.typeName, complaint);
    return;
  }
  try {
    checkBinaryParts(input, message);
    fromBinary(input, message, { readUnknownFields: false });
  } catch (error) {
    if (error instanceof ConnectError) throw error;
    throw malformedRequestError(input.typeName, (error as Error).message);
  }
}

/** `undefined` for what is no JSON. */
function parsed(message: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(message.buffer, message.byteOffset, message.length).toString());
  } catch {
    return undefined;
  }
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

function protocolHeaders(request: HttpRequest): Headers {
  const headers = new Headers();
  for (const name of protocolHeaderNames) {
    const value = request.headers[name];
    if (typeof value === 'string' && !isBeyondTimers(name, value)) headers.set(name, value);
  }
  return headers;
}

function isCompressed({ headers }: HttpRequest): boolean {
  return ['grpc-encoding', 'content-encoding', 'connect-content-encoding'].some((name) => name in headers);
}

function logWhenClosed(method: string, response: HttpResponse, call: Call, logger: Logger): void {
  const startMs = performance.now();
  response.once('close', () => {
    const ms = Math.round((performance.now() - startMs) * 1000) / 1000;
    // A call that no service has answered was malformed, one too many or too early, or its client went away.
    const code = call.outcome ?? (response.writableEnded ? 'Refused' : 'Canceled');
    logger.debug({ method, code, status: response.statusCode, ms }, 'call');
  });
}
