/**
 * What becomes of each HTTP request that is no plain gRPC, of either version: REST and calls go to their method, probes are answered,
 * the rest is told that there is nothing.
 */
import { type ConnectContext, answerCall } from '../connect/serve-call.ts';
import type { ConsolePages } from '../console/console-pages.ts';
import type { MetricsEndpoint } from '../health/metrics-endpoint.ts';
import { answerProbe, answerUnknownPath, answerWithoutPath } from '../health/probes.ts';
import type { ServerState } from '../health/server-state.ts';
import type { RestApi } from '../rest/rest-api.ts';
import type { Scripts } from '../scripts/scripts.ts';
import { grpcCode } from '../../grpc-code.ts';
import { grpcDoorOf } from '../http/grpc-message.ts';
import type { HttpRequest, HttpResponse } from '../http/http-message.ts';
import { meterReply } from '../http/meter-reply.ts';
import { pathOf } from '../http/request-target.ts';

/** @returns whether it answers the request; it must not touch one that it leaves to others. */
export type RequestHandler = (request: HttpRequest, response: HttpResponse) => boolean;

export interface RequestContext extends ConnectContext {
  readonly state: ServerState;
  readonly metrics: MetricsEndpoint;
  readonly rest: RestApi;
  readonly scripts: Scripts;
  readonly console: ConsolePages;
}

/** Handlers in the order in which they are asked; the last one answers everything. */
export function requestHandlers(context: RequestContext): readonly RequestHandler[] {
  const { meters } = context.calls;
  const meterByPath = new Map(
    ['healthz', 'readyz', 'metrics'].map((name) => [`/${name}`, meters.of('http', name)]),
  );
  const otherMeter = meters.of('http', 'other');
  const metered = (request: HttpRequest, response: HttpResponse): false => {
    const path = pathOf(request);
    const meter = meterByPath.get(path);
    const door = meter === undefined && path !== '' ? grpcDoorOf(request.headers) : undefined;
    if (door === undefined) meterReply(response, meter ?? otherMeter);
    else meterReply(response, meters.of(door, 'other'), { code: grpcCode.Unimplemented, usesStatus: false });
    return false;
  };
  return [
    (request, response) => context.rest.answer(request, response),
    (request, response) => answerCall(request, response, context),
    (request, response) => context.scripts.answer(request, response),
    // What follows is no call.
    metered,
    answerWithoutPath,
    (request, response) => answerProbe(request, response, context.state),
    (request, response) => context.metrics.answer(request, response),
    (request, response) => context.console.answer(request, response),
    (request, response) => {
      answerUnknownPath(request, response);
      return true;
    },
  ];
}
