/**
 * An HTTP interface over the store: a table of operations by path and method, for both versions of HTTP.
 *
 * The way of a request: path and method lead to an operation (404, 405); a place among the calls under way; the state of the
 * server; the parameters; the body; then the operation (`operation.ts`), which has one object for all of it, the `RestCall`.
 * What is wrong is a problem (`problem.ts`), in the form of the interface.
 */
import type { Logger } from 'pino';
import { StoreError, assert } from '../../errors.ts';
import { nameOfCode } from '../../grpc-code.ts';
import { type ServerLimits, serverFixed } from '../../limits.ts';
import type { Logins } from '../access/logins.ts';
import { CallError } from '../calls/call-error.ts';
import type { ClusterDoors } from '../cluster/cluster-doors.ts';
import { forwardedTo } from '../http/forward-request.ts';
import { freshnessOf } from '../services/freshness.ts';
import type { CallMeter } from '../metrics/calls/call-meter.ts';
import type { Door } from '../metrics/calls/routes.ts';
import { type ServerState, refusalIn } from '../health/server-state.ts';
import type { HttpRequest, HttpResponse } from '../http/http-message.ts';
import type { RequestOrder } from '../http/request-order.ts';
import { originForm } from '../http/request-target.ts';
import type { BodyLimit } from './body-reader.ts';
import type { CallEnd } from './call-end.ts';
import type { BodyRules, Operation } from './operation.ts';
import { type Problem, problemJson, problemType } from './problem.ts';
import { demandIn, readQuery } from './query.ts';
import { type CallAbout, RestCall, type RestCallContext } from './rest-call.ts';
import { RestError } from './rest-error.ts';
import { type Resource, type Route, Router, allowedAt } from './router.ts';

export interface RestApiContext extends Pick<RestCallContext, 'store' | 'calls' | 'deadlines'> {
  readonly state: ServerState;
  readonly logins: Logins;
  /** One for all doors of a server. */
  readonly order: RequestOrder;
  readonly limits: Pick<ServerLimits, 'requestTimeoutMs'>;
  readonly logger: Logger;
  /** `undefined`: the server is alone. */
  readonly cluster?: ClusterDoors | undefined;
}

export interface RestApiOptions {
  /** As which metrics count its calls. */
  readonly door: Door;
  readonly operations: readonly Operation[];
  /** All paths that begin so are the interface's: one that is not served is a problem of its. Left out: it is for others. */
  readonly ownPrefix?: string;
  /** Writes errors; left out: as problem details. */
  readonly writeProblem?: (call: RestCall, problem: Problem) => void;
}

const SLASH = 0x2f;

type Counted = Pick<CallAbout, 'name' | 'meter'>;

export class RestApi {
  readonly #router: Router<Operation>;
  readonly #ownPrefix: string | undefined;
  readonly #context: RestApiContext;
  readonly #callContext: RestCallContext;
  readonly #countedByOperation: ReadonlyMap<Operation, Counted>;
  /** Of what is no operation. */
  readonly #otherMeter: CallMeter;

  constructor(
    { door, operations, ownPrefix, writeProblem = sendProblem }: RestApiOptions,
    context: RestApiContext,
  ) {
    const { logger, store, calls, deadlines, limits } = context;
    this.#router = new Router(operations);
    this.#ownPrefix = ownPrefix;
    this.#context = context;
    const { meters } = calls;
    this.#otherMeter = meters.of(door, 'other');
    this.#countedByOperation = new Map(
      operations.map((each) => [
        each,
        { name: `${each.method} ${each.template}`, meter: meters.of(door, each.countsAs) },
      ]),
    );
    this.#callContext = {
      store,
      calls,
      deadlines,
      requestTimeoutMs: limits.requestTimeoutMs,
      writeProblem,
      onUnforeseen: (method, error) => logger.error({ method, err: error }, 'a call failed unexpectedly'),
      onEnd: logger.isLevelEnabled('debug') ? (end) => logEnd(end, logger) : undefined,
    };
  }

  /** @returns false when the request is for something else. */
  answer(request: HttpRequest, response: HttpResponse): boolean {
    const { url = '' } = request;
    const target = url.charCodeAt(0) === SLASH ? url : (originForm(url) ?? '');
    const queryAt = target.indexOf('?');
    const path = queryAt < 0 ? target : target.slice(0, queryAt);
    const route = this.#router.find(path);
    if (route !== undefined) {
      this.#answerRoute(route, queryAt < 0 ? '' : target.slice(queryAt + 1), request, response);
      return true;
    }
    if (this.#ownPrefix === undefined || !path.startsWith(this.#ownPrefix)) return false;
    this.#refuse(`* ${this.#ownPrefix}*`, request, response, pathNotFound(path));
    return true;
  }

  #answerRoute(
    { resource, parameter }: Route<Operation>,
    query: string,
    request: HttpRequest,
    response: HttpResponse,
  ): void {
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
    const operation = resource.operationByMethod.get(method);
    if (operation === undefined) return this.#answerOtherMethod(resource, request, response);
    const counted = this.#countedByOperation.get(operation);
    assert(counted !== undefined, 'an operation that is found is one of the table');
    const { isStream = false, isProbe = false, writeProblem } = operation;
    const call = this.#open(request, response, { ...counted, parameter, isStream, isProbe, writeProblem });
    if (call === undefined) return;
    this.#context.order.run(request, response, () => this.#logIn(operation, call, query));
  }

  /** Finds out whose call it is, and begins it. */
  #logIn(operation: Operation, call: RestCall, query: string): void {
    try {
      const refusal = operation.needsNoStore === true ? undefined : refusalIn(this.#context.state);
      if (refusal !== undefined) throw refusal;
      const { cluster } = this.#context;
      if (cluster !== undefined && this.#isForwarded(cluster, operation, call)) return;
      const client = cluster && this.#context.logins.passedOnFor((name) => call.header(name), call.peer);
      call.call.passedOnFor = client;
      const login = this.#context.logins.of(call.request.headers.authorization, client ?? call.peer);
      if (!(login instanceof Promise)) {
        call.call.login = login;
        return this.#begin(operation, call, query);
      }
      void call.call.logIn(login).then(
        () => this.#begin(operation, call, query),
        (error: unknown) => this.#withoutLogin(operation, call, query, error),
      );
    } catch (error) {
      this.#withoutLogin(operation, call, query, error);
    }
  }

  /** Throws what it is refused with. */
  #isForwarded(cluster: ClusterDoors, { runsAt }: Operation, call: RestCall): boolean {
    const { request, peer } = call;
    if (runsAt === 'here') return false;
    const shown = this.#context.logins.shownBy(request.headers.authorization, peer);
    const to = forwardedTo(cluster, runsAt, shown, request);
    if (to !== undefined) call.forward(to);
    return to !== undefined;
  }

  /** What is for everybody is also for those whose credentials are wrong. */
  #withoutLogin(operation: Operation, call: RestCall, query: string, error: unknown): void {
    if (operation.needs === 'open') this.#begin(operation, call, query);
    else call.fail(error);
  }

  #begin(operation: Operation, call: RestCall, query: string): void {
    // While a password was checked, its client may have gone.
    if (call.isClosed) return;
    const { body } = operation;
    try {
      if (operation.needs !== 'open')
        this.#context.logins.check(call.call.login, call.call.client ?? call.peer);
      call.readPathKey();
      const given = readQuery(operation.query, query);
      if (body !== undefined) checkAllowed(operation, call, given);
      if (body === undefined) {
        checkNoBody(call.request);
        if (mayHaveBody(call.request)) call.readBody(NO_BODY, () => this.#run(operation, call, given));
        else this.#run(operation, call, given);
      } else {
        checkBodyForm(body, call.request);
        call.readBody(body, () => this.#run(operation, call, given));
      }
    } catch (error) {
      call.fail(error);
    }
  }

  #run(operation: Operation, call: RestCall, query: object): void {
    const { cluster } = this.#context;
    if (cluster === undefined || operation.runsAt !== 'caughtUp') return run(operation, call, query);
    try {
      const freshness = freshnessOf(demandIn(query));
      const waiting = cluster.gate.passIn(call.call, freshness, () => call.store.visibleRevision);
      if (waiting === undefined) return run(operation, call, query);
      waiting.then(
        () => run(operation, call, query),
        (error: unknown) => call.fail(error),
      );
    } catch (error) {
      call.fail(error);
    }
  }

  #answerOtherMethod(resource: Resource<Operation>, request: HttpRequest, response: HttpResponse): void {
    const name = `* ${resource.template}`;
    const allow = ['allow', allowedAt(resource)];
    if (request.method === 'OPTIONS') {
      this.#open(request, response, this.#other(name))?.sendHead(204, allow);
      return;
    }
    const method = (request.method ?? '').slice(0, serverFixed.pathCharactersMax);
    const message = `${resource.template} has no method ${method}; it has ${allowedAt(resource)}`;
    this.#refuse(name, request, response, new RestError('methodNotAllowed', message, allow));
  }

  #refuse(name: string, request: HttpRequest, response: HttpResponse, error: Error): void {
    this.#open(request, response, this.#other(name))?.fail(error);
  }

  #other(name: string): CallAbout {
    return { name, meter: this.#otherMeter, parameter: '', isStream: false, isProbe: false };
  }

  /** @returns `undefined`: it is one too many, and was answered. */
  #open(request: HttpRequest, response: HttpResponse, about: CallAbout): RestCall | undefined {
    const { calls } = this.#context;
    const hasRoom = about.isProbe || calls.makeRoom();
    const call = new RestCall(this.#callContext, request, response, about);
    if (hasRoom) return call;
    call.fail(calls.fullError());
    return undefined;
  }
}

/** Runs an operation; what it throws or rejects with is the reply. */
function run(operation: Operation, call: RestCall, query: object): void {
  try {
    takeOperation(operation, call);
    call.checkAllowed = () => checkAllowed(operation, call, query);
    call.checkAllowed();
    const running = operation.run(call, query);
    if (running instanceof Promise) void answerLater(committed(running, operation, call), call);
  } catch (error) {
    call.fail(error);
  }
}

function checkAllowed({ needs, isStream }: Operation, call: RestCall, query: object): void {
  if (needs === 'open') return;
  call.call.asked(call.name, () => {
    if (isStream === true) call.call.keepAllowed((login) => needs(login, call, query));
    else needs(call.call.login, call, query);
  });
}

/** Of a watch the events are not counted (`services/limited.ts`). */
function takeOperation({ needs, isStream, isProbe }: Operation, { call }: RestCall): void {
  if (needs === 'open' || isProbe === true) return;
  call.rate?.takeOperations(1);
  if (isStream !== true) call.rate?.countItsBytes();
}

/** For the trace of a call, if it is part of one, the wait of a write for the log has a span. */
function committed(running: Promise<void>, { method }: Operation, { call }: RestCall): Promise<void> {
  return call.span === undefined || method === 'GET' ? running : call.span.commit(running);
}

async function answerLater(running: Promise<void>, call: RestCall): Promise<void> {
  call.call.beginWork();
  try {
    await running;
  } catch (error) {
    call.fail(error);
  }
  call.call.endWork();
}

export function sendProblem(call: RestCall, problem: Problem): void {
  const headers = ['content-type', problemType, 'cache-control', 'no-store', ...problem.headers];
  // RFC 9110, section 15.5.9. In HTTP/2 the stream ends alone.
  if (problem.status === 408 && call.request.httpVersion.startsWith('1.'))
    headers.push('connection', 'close');
  call.send(problem.status, headers, problemJson(problem));
}

function pathNotFound(path: string): RestError {
  const quoted = path.slice(0, serverFixed.pathCharactersMax);
  const hint = quoted.startsWith('/v1/keys/') ? '; a slash in a key is written %2F' : '';
  return new RestError('pathNotFound', `nothing is served at ${quoted}${hint}`);
}

/** A body that nothing reads could be meant as a condition. */
function checkNoBody({ headers, method = '' }: HttpRequest): void {
  const length = headers['content-length'];
  if ((length === undefined || Number(length) === 0) && headers['transfer-encoding'] === undefined) return;
  throw noBodyTaken(method);
}

/** Whether a request of HTTP/2 that announces no body could have one all the same, and what it writes depend on it. */
function mayHaveBody({ httpVersion, method, headers }: HttpRequest): boolean {
  return httpVersion === '2.0' && method === 'DELETE' && headers['content-length'] === undefined;
}

const NO_BODY: BodyLimit = { bytesMax: 0, refusal: () => noBodyTaken('DELETE') };

function noBodyTaken(method: string): StoreError {
  return new StoreError('invalidArgument', `${method} takes no body here`);
}

/** What is stored are the bytes as they come, so nothing may be told of them that would be lost. */
function checkBodyForm({ types }: BodyRules, { headers }: HttpRequest): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new RestError('unsupportedMediaType', 'the body is compressed; send it as it is', [
      'accept-encoding',
      'identity',
    ]);
  }
  const transfer = headers['transfer-encoding'];
  if (transfer !== undefined && transfer.toLowerCase() !== 'chunked') {
    throw new CallError(
      'unimplemented',
      'the body is encoded for its transfer; send it as it is, or in chunks',
    );
  }
  if (headers['content-range'] !== undefined) {
    throw new StoreError(
      'invalidArgument',
      'a part of a value can not be written (content-range); send all of it',
    );
  }
  if (types === undefined) return;
  const [head = ''] = (headers['content-type'] ?? types[0]).split(';', 1);
  const type = head.trim().toLowerCase();
  if (types.includes(type)) return;
  const given = type.slice(0, serverFixed.pathCharactersMax);
  throw new RestError(
    'unsupportedMediaType',
    `the body has the content-type ${given || '""'}; send it as ${types.join(' or ')}`,
  );
}

function logEnd({ name, code, status, tookMs, logged }: CallEnd, logger: Logger): void {
  const ms = Math.round(tookMs * 1000) / 1000;
  logger.debug({ method: name, code: nameOfCode(code), status, ms, ...logged }, 'call');
}
