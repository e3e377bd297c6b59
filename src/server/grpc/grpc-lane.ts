/**
 * Plain gRPC straight on the streams of HTTP/2: every method of the table, unary and streaming, and every refusal. No request
 * and response objects, no headers objects, no chain of generators: through the handlers for all protocols a call costs
 * many times as much (docs/decisions/0014).
 */
import type { RequestHead } from '../../http2/contract/fields.ts';
import type { ServerStream, StreamHandler } from '../../http2/contract/stream.ts';
import { recoveringError } from '../calls/call-error.ts';
import { refusalIn } from '../health/server-state.ts';
import type { GrpcContext } from './grpc-call.ts';
import { PushStreamCall } from './push-stream-call.ts';
import { RefusedCall } from './refused-call.ts';
import type { Routes } from './routes.ts';
import { BidiStreamCall, ServerStreamCall } from './stream-call.ts';
import { UnaryCall } from './unary-call.ts';

/** @returns `undefined` for what is not plain gRPC. */
export type GrpcLane = (stream: ServerStream, head: RequestHead) => StreamHandler | undefined;

export function grpcLane(context: GrpcContext, routes: Routes): GrpcLane {
  return (stream, head) => {
    const route = routes.of(head);
    if (route === undefined) return undefined;
    const { calls, state } = context;
    if (route.served === undefined) return new RefusedCall(context, route, stream, route.refusal);
    const { served, timeoutMs } = route;
    const store = context.store();
    const refusal = refusalIn(state) ?? (calls.makeRoom() ? undefined : calls.fullError());
    // A store that can't be opened ends the server.
    if (refusal !== undefined || store === undefined) {
      const takesStream = served.kind === 'bidiStream';
      return new RefusedCall(context, served, stream, refusal ?? recoveringError(), takesStream);
    }
    switch (served.kind) {
      case 'unary':
        return new UnaryCall(context, store, served, stream, timeoutMs);
      case 'serverStream':
        return new ServerStreamCall(context, store, served, stream, timeoutMs);
      case 'pushStream':
        return new PushStreamCall(context, store, served, stream, timeoutMs);
      case 'bidiStream': {
        const call = new BidiStreamCall(context, store, served, stream, timeoutMs);
        call.begin();
        return call;
      }
    }
  };
}
