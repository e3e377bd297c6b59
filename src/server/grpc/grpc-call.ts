/**
 * One call of plain gRPC on a stream of HTTP/2, from its head to its end, whatever its method: it counts among the calls under
 * way, has a time to send its request in and perhaps a deadline, and fails by a status.
 *
 *     reading --> running --> answered --> closed
 *        |           |                        ^
 *        +-----------+------------------------+    the client gone, the connection lost
 *
 *     reading    the request comes; the time for it runs
 *     running    the method is at work; the deadline runs if there is one, and while a message of a stream of requests comes,
 *                the time for that
 *     answered   the status is sent, by the method's end or by a failure; nothing that happens changes it, but the deadline runs
 *                on until all of the reply has gone out: what the client has not read by then is dropped (RST_STREAM)
 *     closed     the stream is over, and the call has left the table
 */
import type { Tracer } from '@opentelemetry/api';
import type { Logger } from 'pino';
import type { Login } from '../../access/login/login.ts';
import type { ErrorCode } from '../../http2/contract/error-code.ts';
import { errorCode } from '../../http2/contract/error-code.ts';
import type { RequestHead } from '../../http2/contract/fields.ts';
import type { ClosedBy, ServerStream, StreamHandler } from '../../http2/contract/stream.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import type { ServerLimits } from '../../limits.ts';
import { rpcSystem } from '../../tracing/attributes.ts';
import type { Logins } from '../access/logins.ts';
import { type CallError, deadlineError, tooSlowError } from '../calls/call-error.ts';
import type { Call, Peer, ShownCredentials } from '../calls/call.ts';
import type { Dialect } from '../calls/dialect.ts';
import type { CallTable } from '../calls/call-table.ts';
import type { ClusterDoors } from '../cluster/cluster-doors.ts';
import { type Deadlines, Timed } from '../../deadlines.ts';
import { type GrpcCode, grpcCode, nameOfCode } from '../../grpc-code.ts';
import { isUnforeseen, outcomeOf } from '../calls/outcome.ts';
import type { CallMeter } from '../metrics/calls/call-meter.ts';
import type { TurnTime } from '../metrics/calls/turn-times.ts';
import type { ServerState } from '../health/server-state.ts';
import type { Method } from '../services/method.ts';
import { traceHeadersIn } from '../tracing/parent-context.ts';
import { RpcKind } from '../tracing/rpc-kind.ts';
import { failedReply, failedTrailers } from './status.ts';

export interface GrpcContext {
  /** `undefined` until it is open. */
  readonly store: () => KvStore | undefined;
  readonly state: ServerState;
  readonly logins: Logins;
  readonly calls: CallTable;
  readonly deadlines: Deadlines;
  readonly limits: Pick<ServerLimits, 'requestTimeoutMs'>;
  readonly logger: Logger;
  /** `undefined`: the server is alone. */
  readonly cluster?: ClusterDoors | undefined;
}

/** What a call is for. */
export interface Called {
  /** For the log. */
  readonly name: string;
  readonly meter: CallMeter;
  /** Of a foreign API. */
  readonly dialect?: Dialect | undefined;
}

/** What a span has to know of a method. */
interface AnyMethod {
  readonly kind: Method['kind'];
  /** As `kelp.v1.KvService/Get`. */
  readonly name: string;
}

interface CallTimes {
  readonly isStream: boolean;
  /** How long it takes says how fast the server is; left out: unless it is a stream. */
  readonly isTimed?: boolean;
  /** How long the client waits; `undefined`: for ever. */
  readonly timeoutMs: number | undefined;
  /** How long the request may take to come. */
  readonly requestTimeoutMs?: number;
}

export abstract class GrpcCall extends Timed implements StreamHandler {
  protected readonly call: Call;
  protected readonly stream: ServerStream;
  /** The head of the reply is sent. */
  protected hasHead = false;
  /** The status is sent, or never will be. */
  protected isAnswered = false;
  readonly #context: GrpcContext;
  readonly #called: Called;
  /** In which it began, if its duration is measured. */
  readonly #turn: TurnTime | undefined;
  /** For the log, if it tells of every call. */
  readonly #startMs: number | undefined;
  /** What ends next: the time for the request, or the deadline. */
  #isRequestTimed = true;
  /** That whose call this is was found; `undefined`: it is known. */
  #loggingIn: Promise<void> | undefined = undefined;
  /** What has come meanwhile. */
  #unconsumedBytes = 0;
  /** By the monotonic clock, if it is behind the time for the request. */
  #deadlineMs: number | undefined = undefined;

  constructor(
    context: GrpcContext,
    stream: ServerStream,
    called: Called,
    {
      isStream,
      isTimed = !isStream,
      timeoutMs,
      requestTimeoutMs = context.limits.requestTimeoutMs,
    }: CallTimes,
  ) {
    super();
    this.#context = context;
    this.#called = called;
    this.#turn = isTimed ? context.calls.meters.turns.current : undefined;
    this.#startMs = context.logger.isLevelEnabled('debug') ? performance.now() : undefined;
    this.stream = stream;
    this.call = context.calls.open(this, isStream);
    called.meter.begin();
    if (timeoutMs !== undefined && timeoutMs <= requestTimeoutMs) {
      this.#isRequestTimed = false;
      context.deadlines.set(this, timeoutMs);
    } else {
      if (timeoutMs !== undefined) this.#deadlineMs = performance.now() + timeoutMs;
      context.deadlines.set(this, requestTimeoutMs);
    }
  }

  /**
   * It is part of a trace. A stream of requests is only if its client says so: it lasts, and what a batch of it asks for has spans
   * of its own.
   * @param head of its request.
   * @param served `undefined`: there is no such method.
   */
  beginSpan(tracer: Tracer, head: RequestHead, served: AnyMethod | undefined): void {
    if (this.call.isClosed) return;
    const headers = traceHeadersIn(head.fields);
    if (headers === undefined && served?.kind === 'bidiStream') return;
    this.call.beginSpan(tracer, headers, () => new RpcKind(rpcSystem.GRPC, served?.name));
  }

  /** In a cluster: the client that another node has passed it on for. */
  isPassedOnFor(client: Peer | undefined): void {
    this.call.passedOnFor = client;
  }

  /** What its client has shown, in a cluster. */
  shows(shown: ShownCredentials): void {
    this.call.shown = shown;
  }

  /** It is for everybody, and counts as a stranger's. */
  beginForAll(): void {
    try {
      this.call.lastsForStranger();
    } catch (error) {
      this.begin(Promise.reject(error));
    }
  }

  /** @param login whose call it is. A promise of that may reject with what the call fails with. */
  begin(login: Login | Promise<Login>): void {
    if (!(login instanceof Promise)) {
      this.call.login = login;
      return;
    }
    // The reader charges what comes to the call.
    this.stream.accountForBody();
    this.#loggingIn = this.call.logIn(login).then(() => {
      this.#loggingIn = undefined;
      if (!this.isAnswered) this.stream.consumed(this.#unconsumedBytes);
    });
    // What still comes of a request that is no user's is not kept.
    this.#loggingIn.catch((error: unknown) => this.fail(error));
  }

  /** What has come is kept. Its client may send as much again, once it is known whose call it is. */
  protected consumed(bytes: number): void {
    if (this.#loggingIn === undefined) this.stream.consumed(bytes);
    else this.#unconsumedBytes += bytes;
  }

  /** Whether it is not known yet whose call this is: then `loggedIn` is waited for before it runs. */
  protected get isLoggingIn(): boolean {
    return this.#loggingIn !== undefined;
  }

  /** Runs what needs to know whose call this is. What it throws fails the call. */
  protected whenLoggedIn(run: () => void): void {
    if (this.#loggingIn === undefined) this.#attempt(run);
    else
      void this.#loggingIn.then(
        () => this.#attempt(run),
        (error: unknown) => this.fail(error),
      );
  }

  #attempt(run: () => void): void {
    // While it was waited for the call may have come to its end.
    if (this.isAnswered) return;
    try {
      run();
    } catch (error) {
      this.fail(error);
    }
  }

  get peer(): Peer {
    return this.stream.connection;
  }

  abstract data(buffer: Buffer, from: number, to: number, isLast: boolean): void;
  abstract end(): void;
  abstract drained(): void;

  closed(code: ErrorCode, _by: ClosedBy): void {
    this.isAnswered = true;
    this.#context.deadlines.cancel(this);
    this.call.close();
    const { meter } = this.#called;
    meter.endUntimed(this.call.outcome ?? grpcCode.Canceled);
    if (this.#turn !== undefined) this.#context.calls.meters.turns.ended(meter.durations, this.#turn);
    if (this.#startMs !== undefined) this.#log(code, performance.now() - this.#startMs);
  }

  override expire(): void {
    if (this.#isRequestTimed) this.fail(tooSlowError(this.#context.limits.requestTimeoutMs));
    else if (this.stream.queuedBytes === 0) this.fail(deadlineError());
    else this.#breakOff(deadlineError());
  }

  /** gRPC maps this code of HTTP/2 to RESOURCE_EXHAUSTED. */
  cut(): void {
    this.isAnswered = true;
    this.stream.reset(errorCode.ENHANCE_YOUR_CALM);
  }

  refuse(error: unknown): void {
    if (this.stream.queuedBytes > 0) this.fail(error);
  }

  /** Bytes of bodies, for the metrics. */
  protected received(bytes: number): void {
    this.#called.meter.receivedBytes += bytes;
    this.call.rate?.countBytes(bytes);
  }

  protected sent(bytes: number): void {
    this.#called.meter.sentBytes += bytes;
    this.call.rate?.countBytes(bytes);
  }

  /** A message of a stream of requests has begun to come: the time for it runs, until `requestDone`. */
  protected requestBegun(): void {
    if (this.#isRequestTimed || this.isAnswered) return;
    const { requestTimeoutMs } = this.#context.limits;
    if (this.#deadlineMs === undefined) {
      // One that is set is no further away than the time for a request.
      if (this.list !== undefined) return;
    } else if (this.#deadlineMs - performance.now() <= requestTimeoutMs) {
      return;
    }
    this.#isRequestTimed = true;
    this.#context.deadlines.set(this, requestTimeoutMs);
  }

  /** The request, or a message of a stream of them, has come, or none is begun: only the deadline runs on. */
  protected requestDone(): void {
    if (!this.#isRequestTimed) return;
    this.#isRequestTimed = false;
    if (this.#deadlineMs === undefined) this.#context.deadlines.cancel(this);
    else this.#context.deadlines.set(this, this.#deadlineMs - performance.now());
  }

  /** Ends the call by a status that is not OK, unless it has ended. */
  protected fail(error: unknown): void {
    if (this.isAnswered) return;
    const outcome = outcomeOf(this.#toldAs(error));
    this.answered(outcome.code);
    if (isUnforeseen(error)) {
      this.#context.logger.error({ method: this.#called.name, err: error }, 'a call failed unexpectedly');
    }
    this.call.abort(error);
    // A request that still comes is not wanted any more, which the stream tells the client by itself.
    if (this.hasHead) this.stream.end(failedTrailers(outcome));
    else this.stream.respond(failedReply(outcome), true);
  }

  #toldAs(error: unknown): unknown {
    const { dialect } = this.#called;
    return dialect === undefined ? error : dialect.toError(error);
  }

  /** What follows is the last of the reply. A deadline ends with the stream, which is now unless the reply waits for its reader. */
  protected answered(outcome: GrpcCode): void {
    this.isAnswered = true;
    this.call.outcome = outcome;
    this.requestDone();
  }

  /** A status would stand behind what the client does not read. */
  #breakOff(error: CallError): void {
    if (!this.isAnswered) this.call.outcome = outcomeOf(error).code;
    this.isAnswered = true;
    this.call.abort(error);
    this.stream.reset(errorCode.CANCEL);
  }

  #log(code: ErrorCode, tookMs: number): void {
    const ms = Math.round(tookMs * 1000) / 1000;
    const { outcome } = this.call;
    const noAnswer = code === errorCode.NO_ERROR ? 'Refused' : 'Canceled';
    const name = outcome === undefined ? noAnswer : nameOfCode(outcome);
    const line = { method: this.#called.name, code: name, status: 200, ms, ...this.call.logged };
    this.#context.logger.debug(line, 'call');
  }
}
