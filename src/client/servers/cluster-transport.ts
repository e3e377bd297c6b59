/**
 * Calls to several servers that have the same store: a transport to each, and the choice among them. It makes one try of a call, at one
 * server; a call that is tried again says by its route where it was.
 */
import { grpcCode } from '../../grpc-code.ts';
import type { TraceHeaders } from '../../tracing/trace-context.ts';
import type { CallTransport, Route } from '../calls/call-transport.ts';
import type { Method } from '../calls/method.ts';
import type { Pace } from '../calls/pace.ts';
import { CallFailure } from '../errors/call-failure.ts';
import { ServerRoute, type ServerTry } from './server-route.ts';
import { Servers } from './servers.ts';

/** Makes the transport to one of the servers. @param onDoubt to be called when a call has waited there in vain, and nothing has come. */
export type MakeTransport = (onDoubt: () => void) => CallTransport;

export class ClusterTransport implements CallTransport {
  readonly address: string;
  readonly isCertificateRenewable: boolean;
  readonly #servers: Servers;

  constructor(makers: readonly MakeTransport[], pace: Pace) {
    const transports = makers.map((make, index) => make(() => this.#doubt(index)));
    this.address = transports.map(({ address }) => address).join(', ');
    this.isCertificateRenewable = transports.some((each) => each.isCertificateRenewable);
    this.#servers = new Servers(transports, pace);
  }

  newRoute(): ServerRoute {
    return new ServerRoute(this.#servers);
  }

  async unary<Request, Reply>(
    method: Method<Request, Reply>,
    request: Request,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    trace: TraceHeaders | undefined,
    given?: Route,
  ): Promise<Reply> {
    const route = this.#routeOf(given);
    const attempt = route.begin();
    const { transport } = attempt.server;
    try {
      const reply = await transport.unary(method, request, timeoutMs, signal, trace);
      route.served(attempt);
      return reply;
    } catch (reason) {
      noteFailure(route, attempt, reason, signal);
      throw reason;
    }
  }

  async *stream<Request, Reply>(
    method: Method<Request, Reply>,
    request: Request,
    timeoutMs: number | undefined,
    signal: AbortSignal,
    trace: TraceHeaders | undefined,
    given?: Route,
  ): AsyncGenerator<Reply, void, undefined> {
    const route = this.#routeOf(given);
    const attempt = route.begin();
    const { transport } = attempt.server;
    let hasBegun = false;
    try {
      for await (const reply of transport.stream(method, request, timeoutMs, signal, trace)) {
        if (!hasBegun) route.served(attempt);
        hasBegun = true;
        yield reply;
      }
    } catch (reason) {
      noteFailure(route, attempt, reason, signal);
      throw reason;
    }
  }

  authorize(value: string): void {
    for (const { transport } of this.#servers.all) transport.authorize(value);
  }

  renewCertificate(): void {
    for (const { transport } of this.#servers.all) transport.renewCertificate();
  }

  close(): void {
    for (const { transport } of this.#servers.all) transport.close();
  }

  #routeOf(given: Route | undefined): ServerRoute {
    return given instanceof ServerRoute ? given : this.newRoute();
  }

  #doubt(index: number): void {
    const server = this.#servers.all[index];
    if (server === undefined) return;
    const failure = new CallFailure(grpcCode.Unavailable, 'it has not answered for a while');
    failure.address = server.address;
    this.#servers.failed(server, server.generation, failure);
  }
}

function noteFailure(
  route: ServerRoute,
  attempt: ServerTry,
  reason: unknown,
  signal: AbortSignal | undefined,
): void {
  if (reason instanceof CallFailure && signal?.aborted !== true) route.failed(attempt, reason);
}
