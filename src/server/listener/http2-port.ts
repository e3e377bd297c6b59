/**
 * The connections of HTTP/2: what the guard of web pages refuses ends here, plain gRPC goes to its lane, all other requests to the handlers of both versions. Decided for each
 * stream, since a proxy mixes protocols on one connection.
 *
 * A connection that has reached its age takes no new request, its calls have a grace to finish in, and then it is closed: so
 * that clients behind a load balancer spread over its servers again.
 */
import type { Socket } from 'node:net';
import type { Clock, Random } from '../../clock.ts';
import { errorCode } from '../../http2/contract/error-code.ts';
import { ServerConnection, type ServerConnectionOptions } from '../../http2/connection/server-connection.ts';
import type { RequestHead } from '../../http2/contract/fields.ts';
import type { RequestReceiver, ServerStream, StreamHandler } from '../../http2/contract/stream.ts';
import { StoreError } from '../../errors.ts';
import { type ServerLimits, limitName, serverFixed } from '../../limits.ts';
import { type Deadlines, Timed } from '../../deadlines.ts';
import type { CallTable } from '../calls/call-table.ts';
import { outcomeOf } from '../calls/outcome.ts';
import type { GrpcLane } from '../grpc/grpc-lane.ts';
import { failedReply } from '../grpc/status.ts';
import { isGrpcType } from '../http/grpc-message.ts';
import type { HttpRequest, HttpResponse } from '../http/http-message.ts';
import { http2Exchange } from '../http/http2-message.ts';
import { clientCertificateOf, noteClientCertificate } from '../tls/client-certificate.ts';
import type { PageRefusal } from '../web/page-refusal.ts';

export type Http2Limits = Pick<
  ServerLimits,
  'streamsPerConnectionMax' | 'headerBytesMax' | 'handshakeTimeoutMs' | 'maxConnectionAgeMs'
>;

export interface Http2PortOptions {
  readonly pageRefusal: PageRefusal;
  readonly grpcLane: GrpcLane;
  /** Answers what the lane leaves. */
  readonly handle: (request: HttpRequest, response: HttpResponse) => void;
  readonly calls: CallTable;
  readonly limits: Http2Limits;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly random: Random;
}

export class Http2Port {
  readonly #options: Http2PortOptions;
  readonly #connectionOptions: ServerConnectionOptions;
  readonly #ageByConnection = new Map<ServerConnection, Age>();
  readonly #onEmpty = new Set<() => void>();
  readonly #receiver: RequestReceiver = (stream, head) => this.#receive(stream, head);
  #isStopping = false;

  constructor(options: Http2PortOptions) {
    this.#options = options;
    this.#connectionOptions = {
      ...connectionOptions(options.limits, options.clock),
      headTooLong: refusalOfLongHeads(options.limits.headerBytesMax),
      onClosed: (connection) => this.#forget(connection),
    };
  }

  /** Takes a connection over, with what was `unshift`ed to its socket. */
  take(socket: Socket): void {
    const connection = new ServerConnection(socket, this.#connectionOptions, this.#receiver);
    const certificate = clientCertificateOf(socket);
    if (certificate !== undefined) noteClientCertificate(connection, certificate);
    const { deadlines, limits, random } = this.#options;
    const age = new Age(connection, deadlines);
    this.#ageByConnection.set(connection, age);
    if (this.#isStopping) connection.shutdown();
    else if (limits.maxConnectionAgeMs > 0) deadlines.set(age, spread(limits.maxConnectionAgeMs, random));
  }

  /** Takes no new request; each connection is closed when its last one is answered. */
  shutdown(): void {
    this.#isStopping = true;
    for (const connection of this.#ageByConnection.keys()) connection.shutdown();
  }

  /** Resolves when there is no connection. */
  async empty(): Promise<void> {
    if (this.#ageByConnection.size > 0) await new Promise<void>((resolve) => this.#onEmpty.add(resolve));
  }

  #receive(stream: ServerStream, head: RequestHead): StreamHandler {
    const { pageRefusal, grpcLane, calls, handle } = this.#options;
    // The lane notes something in each head that gets as far: one that has come before need not be looked at again.
    const refusal = head.memo === undefined ? pageRefusal.ofHead(head, stream.connection) : undefined;
    if (refusal !== undefined) {
      return http2Exchange(stream, head, calls, (request, response) =>
        pageRefusal.answer(request, response, refusal),
      );
    }
    return grpcLane(stream, head) ?? http2Exchange(stream, head, calls, handle);
  }

  #forget(connection: ServerConnection): void {
    const age = this.#ageByConnection.get(connection);
    if (age !== undefined) this.#options.deadlines.cancel(age);
    this.#ageByConnection.delete(connection);
    if (this.#ageByConnection.size > 0) return;
    for (const resolve of this.#onEmpty) resolve();
    this.#onEmpty.clear();
  }
}

/** What connections of the server have in common, whatever becomes of their requests. */
export function connectionOptions(
  limits: Pick<Http2Limits, 'streamsPerConnectionMax' | 'headerBytesMax' | 'handshakeTimeoutMs'>,
  clock: Clock,
): Omit<ServerConnectionOptions, 'onClosed'> {
  return {
    clock,
    concurrentStreamsMax: limits.streamsPerConnectionMax,
    headerListBytesMax: limits.headerBytesMax,
    handshakeTimeoutMs: limits.handshakeTimeoutMs,
    streamWindowBytes: serverFixed.streamWindowBytes,
    connectionWindowBytes: serverFixed.connectionWindowBytes,
    isConnectionWindowHeld: true,
  };
}

/** gRPC has a status of its own, and its clients take that of HTTP for something unknown. */
function refusalOfLongHeads(headerBytesMax: number): NonNullable<ServerConnectionOptions['headTooLong']> {
  const message =
    `the headers of the call, its metadata, count more than ${headerBytesMax} bytes, with 32 for each ` +
    `(${limitName('headerBytesMax')})`;
  const reply = failedReply(outcomeOf(new StoreError('limitReached', message)));
  return (contentType) => (isGrpcType(contentType) ? reply : undefined);
}

/** First of its age, then of the grace. */
class Age extends Timed {
  readonly #connection: ServerConnection;
  readonly #deadlines: Deadlines;
  #isOver = false;

  constructor(connection: ServerConnection, deadlines: Deadlines) {
    super();
    this.#connection = connection;
    this.#deadlines = deadlines;
  }

  override expire(): void {
    if (this.#isOver) {
      this.#connection.goaway(errorCode.NO_ERROR, 'the connection has reached its greatest age');
    } else {
      this.#isOver = true;
      this.#connection.shutdown('the connection has reached its greatest age');
      this.#deadlines.set(this, serverFixed.connectionAgeGraceMs);
    }
  }
}

/** A tenth more or less, so that connections that were opened together do not end together. */
function spread(ageMs: number, random: Random): number {
  const [byte = 0] = random.bytes(1);
  return ageMs * (0.9 + (0.2 * byte) / 255);
}
