/** `GET /healthz` and `GET /readyz`, for whatever probes by plain HTTP. */
import { serverFixed } from '../../limits.ts';
import { encodeGrpcMessage, grpcDoorOf } from '../http/grpc-message.ts';
import type { HttpRequest, HttpResponse } from '../http/http-message.ts';
import { originForm, pathOf } from '../http/request-target.ts';
import type { ServerState } from './server-state.ts';

/** Those that something is served by. */
export const METHODS = 'GET, HEAD, POST, PUT, DELETE, OPTIONS';

/** @returns false when the request is for something else. */
export function answerProbe(request: HttpRequest, response: HttpResponse, state: ServerState): boolean {
  const path = pathOf(request);
  if (path !== '/healthz' && path !== '/readyz') return false;
  if (!isReading(request, response, path)) return true;
  if (path === '/healthz') {
    // A process that answers is alive; one that recovers for long must not be killed for it.
    sendJson(response, 200, { status: 'alive' });
  } else {
    const { readiness, recovery, isReady } = state;
    const body = { status: readiness, ...(recovery === undefined ? {} : { recovery }) };
    sendJson(response, isReady ? 200 : 503, body);
  }
  return true;
}

/** Whether a request for something that is only read does read it; if not, it is answered. */
export function isReading(request: HttpRequest, response: HttpResponse, path: string): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return true;
  sendJson(response, 405, { message: `${path} answers GET` }, { allow: 'GET, HEAD' });
  return false;
}

/** Answers what has no path: `OPTIONS *`, and targets that make no sense. @returns false when there is one. */
export function answerWithoutPath(request: HttpRequest, response: HttpResponse): boolean {
  if (request.url === '*' && request.method === 'OPTIONS') {
    response.writeHead(204, { allow: METHODS });
    response.end();
    return true;
  }
  if (originForm(request.url) !== undefined) return false;
  const message = 'the request target is neither a path nor a URL of a host and a path';
  sendJson(response, 400, { code: 'invalid_argument', message });
  return true;
}

/** Nothing is served at the path. gRPC has its own form of saying so, which is not an HTTP status. */
export function answerUnknownPath(request: HttpRequest, response: HttpResponse): void {
  const path = pathOf(request).slice(0, serverFixed.pathCharactersMax);
  const message = `nothing is served at ${path}; /v1/openapi.json tells of REST, and gRPC reflection of services`;
  const { headers } = request;
  if (grpcDoorOf(headers) !== undefined) {
    response.writeHead(200, {
      'content-type': headers['content-type'] ?? '',
      'grpc-status': '12',
      'grpc-message': encodeGrpcMessage(message),
    });
    response.end();
  } else {
    sendJson(response, 404, { code: 'unimplemented', message });
  }
}

/** A call that came in no form of one of the protocols, by the status that Connect gives it, which alone tells little. */
export function answerWrongForm(response: HttpResponse, status: 405 | 415, isStream: boolean): void {
  if (status === 405) {
    sendJson(response, status, { code: 'unimplemented', message: 'a call is a POST' }, { allow: 'POST' });
    return;
  }
  const types = isStream
    ? 'application/connect+json, application/connect+proto'
    : 'application/json, application/proto';
  const message = `the content-type of this call is one of ${types}, application/grpc, application/grpc-web`;
  sendJson(response, status, { code: 'invalid_argument', message });
}

/** What went wrong before a call could be understood. */
export function sendJson(
  response: HttpResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
  response.end(`${JSON.stringify(body)}\n`);
}
