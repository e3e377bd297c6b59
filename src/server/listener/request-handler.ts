/**
 * What becomes of each HTTP request that is no plain gRPC, of either version: REST and calls go to their method, probes are answered,
 * the rest is told that there is nothing.
 */
import { type ConnectContext, answerCall } from '../connect/serve-call.ts';
import type { Metrics } from '../health/metrics.ts';
import { answerProbe, answerUnknownPath, answerWithoutPath } from '../health/probes.ts';
import type { ServerState } from '../health/server-state.ts';
import type { RestApi } from '../rest/rest-api.ts';
import type { HttpRequest, HttpResponse } from '../http/http-message.ts';

/** @returns whether it answers the request; it must not touch one that it leaves to others. */
export type RequestHandler = (request: HttpRequest, response: HttpResponse) => boolean;

export interface RequestContext extends ConnectContext {
  readonly state: ServerState;
  readonly metrics: Metrics;
  readonly rest: RestApi;
}

/** Handlers in the order in which they are asked; the last one answers everything. */
export function requestHandlers(context: RequestContext): readonly RequestHandler[] {
  return [
    answerWithoutPath,
    (request, response) => context.rest.answer(request, response),
    (request, response) => answerCall(request, response, context),
    (request, response) => answerProbe(request, response, context.state),
    (request, response) => context.metrics.answer(request, response),
    (request, response) => {
      answerUnknownPath(request, response);
      return true;
    },
  ];
}
