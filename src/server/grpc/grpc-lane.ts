/**
 * Plain gRPC straight on the streams of HTTP/2: every method of the table, unary and streaming, and every refusal. No request
 * and response objects, no headers objects, no chain of generators: through the handlers for all protocols a call costs
 * many times as much (docs/decisions/0014).
 */
import { type Login, noLogin } from '../../access/login/login.ts';
import { type RequestHead, fieldOf } from '../../http2/contract/fields.ts';
import type { ServerStream, StreamHandler } from '../../http2/contract/stream.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { recoveringError } from '../calls/call-error.ts';
import type { Peer } from '../calls/call.ts';
import { refusalIn } from '../health/server-state.ts';
import { ForwardedCall } from './forwarded-call.ts';
import type { GrpcCall, GrpcContext } from './grpc-call.ts';
import { passedOn, shownIn } from './passing.ts';
import { PushStreamCall } from './push-stream-call.ts';
import { RefusedCall } from './refused-call.ts';
import type { Routes, ServedMethod } from './routes.ts';
import { BidiStreamCall, ServerStreamCall } from './stream-call.ts';
import { UnaryCall } from './unary-call.ts';

/** @returns `undefined` for what is not plain gRPC. */
export type GrpcLane = (stream: ServerStream, head: RequestHead) => StreamHandler | undefined;

export function grpcLane(context: GrpcContext, routes: Routes): GrpcLane {
  const { tracer } = context.calls.traces;
  return (stream, head) => {
    const route = routes.of(head);
    if (route === undefined) return undefined;
    const { calls, state } = context;
    if (route.served === undefined) {
      return traced(new RefusedCall(context, route, stream, route.refusal), head, undefined);
    }
    const { served, timeoutMs } = route;
    const store = context.store();
    const refusal = refusalIn(state) ?? (calls.makeRoom() ? undefined : calls.fullError());
    // A store that can't be opened ends the server.
    if (refusal !== undefined || store === undefined) {
      const takesStream = served.kind === 'bidiStream';
      const call = new RefusedCall(context, served, stream, refusal ?? recoveringError(), takesStream);
      return traced(call, head, served);
    }
    const { cluster } = context;
    if (cluster !== undefined) {
      const passing = passedOn(cluster, context.logins, served, head, stream, route);
      if (passing instanceof Error) {
        const takesStream = served.kind === 'bidiStream';
        return traced(new RefusedCall(context, served, stream, passing, takesStream), head, served);
      }
      if (passing !== undefined) {
        return traced(new ForwardedCall(context, served, stream, timeoutMs, passing), head, served);
      }
    }
    let login: Login | Promise<Login>;
    let client: Peer | undefined;
    try {
      if (cluster !== undefined) {
        client = context.logins.passedOnFor((name) => fieldOf(head.fields, name), stream.connection);
      }
      login = served.isOpen
        ? noLogin
        : context.logins.ofHead(route.login, head, client ?? stream.connection, served.dialect);
    } catch (error) {
      const takesStream = served.kind === 'bidiStream';
      return traced(new RefusedCall(context, served, stream, error as Error, takesStream), head, served);
    }
    const call = traced(newCall(store, served, stream, timeoutMs), head, served);
    call.isPassedOnFor(client);
    if (cluster !== undefined) call.shows(shownIn(context.logins, served, head, stream));
    if (served.isOpen) call.beginForAll();
    else call.begin(login);
    return call;
  };

  function newCall(
    store: KvStore,
    served: ServedMethod,
    stream: ServerStream,
    timeoutMs: number | undefined,
  ): GrpcCall {
    switch (served.kind) {
      case 'unary':
        return new UnaryCall(context, store, served, stream, timeoutMs);
      case 'serverStream':
        return new ServerStreamCall(context, store, served, stream, timeoutMs);
      case 'pushStream':
        return new PushStreamCall(context, store, served, stream, timeoutMs);
      case 'bidiStream':
        return new BidiStreamCall(context, store, served, stream, timeoutMs);
    }
  }

  function traced<ACall extends GrpcCall>(
    call: ACall,
    head: RequestHead,
    served: ServedMethod | undefined,
  ): ACall {
    if (tracer !== undefined) call.beginSpan(tracer, head, served);
    return call;
  }
}
