/**
 * A method of an API: how its request is read, what it does, and how its reply is written, by the generated codecs. Each
 * method is written once, as a function over the generated shapes, in which 64-bit integers are numbers; it knows no
 * protocol. gRPC's lane reads and writes where the bytes lie (`grpc/`), all other protocols go through `connect/bridge.ts`.
 *
 * What a request can't be is `invalidArgument` and names the field. A reply is charged to its call before its bytes are
 * made, and where the call writes, before the write takes effect.
 *
 * No method is without a rule of what its caller must be allowed (`Needs`), which is asked before it runs, in the same piece of
 * code: by the method itself, so that no door can leave it out. Those that go on are asked again after each change of access.
 */
import type {
  DescMessage,
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
} from '@bufbuild/protobuf';
import type { StoreError } from '../../errors.ts';
import type { Login } from '../../access/login/login.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { WireError, wireErrorText } from '../../wire/wire-error.ts';
import type { Call } from '../calls/call.ts';
import type { RunsAt } from '../cluster/cluster-doors.ts';
import type { CallSpan } from '../tracing/call-span.ts';
import { malformedRequestError } from '../calls/call-error.ts';
import { checkBinaryParts } from '../calls/request-parts.ts';
import { largeIntegerError } from './large-integer.ts';
import { type ReadDemand, checkReadDemand } from './read-demand.ts';

/** How a request is read, and a reply written: functions of `gen/`. */
export interface Codecs<Request = unknown, Reply = unknown> {
  /** What it returns may have views of the buffer. */
  read(buffer: Buffer, start: number, end: number): Request;
  /** Throws for a request that is so wrong that its parts are not worth a look. */
  check?(buffer: Buffer, start: number, end: number): void;
  /** Messages within the request that are read each by itself: a malformed one says nothing against the others. */
  readonly readsApart?: DescMessage;
  sizeOf(reply: Reply): number;
  /** Writes a reply whose size was asked for so that it ends before `end`. */
  prepend(reply: Reply, buffer: Buffer, end: number): number;
}

/** A method that answers one request by one reply. */
export interface UnaryMethod<Request = unknown, Reply = unknown> {
  readonly kind: 'unary';
  readonly desc: DescMethodUnary;
  readonly codecs: Codecs<Request, Reply>;
  /** At the writer, since it changes something: then its reply waits for the log. */
  readonly runsAt: RunsAt;
  /** Of a method that reads: whether a request of it changes something all the same; `undefined`: none does. */
  readonly mayChange?: ((request: unknown) => boolean) | undefined;
  /** It waits before it runs, so that bytes of the request must stay as they are until its promise settles. */
  readonly keepsRequest?: boolean;
  /**
   * Bytes of the request must stay as they are until this returns, not until its promise settles.
   * Throws or rejects with a StoreError or CallError.
   */
  run(store: KvStore, request: Request, call: Call): Reply | Promise<Reply>;
}

/** A method that answers one request by replies, until `signal` is aborted or it has no more. */
export interface ServerStreamMethod<Request = unknown, Reply = unknown> {
  readonly kind: 'serverStream';
  readonly desc: DescMethodServerStreaming;
  readonly codecs: Codecs<Request, Reply>;
  readonly runsAt: RunsAt;
  /** It waits before it runs, and gives the memory of its request back by itself (`Call.requestRead`). */
  readonly keepsRequest?: boolean;
  /**
   * Bytes of the request must stay as they are until this returns; what is kept of them is copied, since their memory is given
   * back then. No memory is taken before a reply is asked for. The next one is asked for when the one before is written.
   */
  run(store: KvStore, request: Request, call: Call, signal: AbortSignal): AsyncIterable<Reply>;
}

/** A method that answers one request by messages that it makes itself, when they come: several calls may be sent the same. */
export interface PushStreamMethod<Request = unknown> {
  readonly kind: 'pushStream';
  readonly desc: DescMethodServerStreaming;
  readonly codecs: Pick<Codecs<Request>, 'read'>;
  readonly runsAt: RunsAt;
  /** As of a `ServerStreamMethod`. */
  readonly keepsRequest?: boolean;
  /**
   * Nothing is sent before the first `goOn`. Bytes of the request must stay as they are until this returns; what is kept of them
   * is copied, since their memory counts no more. Throws a StoreError or CallError.
   */
  open(store: KvStore, request: Request, call: Call, outlet: ReplyOutlet): PushedReplies;
}

/** Where a method sends its messages to. */
export interface ReplyOutlet {
  /**
   * Sends a message with its prefix (`envelope.ts`), whose bytes never change.
   * @returns false: nothing more is to be sent before `goOn`. It is called when this message is written.
   */
  send(message: Buffer): boolean;
  /** Ends the replies, by an error unless that is undefined. Once the call has ended otherwise this does nothing. */
  finish(error: unknown): void;
}

export interface PushedReplies {
  /** More may be sent, and what was sent is written. */
  goOn(): void;
  /** The call is over, as its `abortReason` says: the replies are to be ended, by `finish` once nothing is under way. */
  stop(): void;
}

/** A method that answers requests while more of them come. */
export interface BidiStreamMethod<Request = unknown, Reply = unknown> {
  readonly kind: 'bidiStream';
  readonly desc: DescMethodBiDiStreaming;
  readonly codecs: Codecs<Request, Reply>;
  readonly runsAt: RunsAt;
  /** Bytes of a request must stay as they are until the next one is asked for. */
  run(
    store: KvStore,
    requests: AsyncIterable<UnreadRequest<Request>>,
    call: Call,
    signal: AbortSignal,
  ): AsyncIterable<Reply>;
}

/** A request of a stream, whole as it came. Its method reads it when it has the time for that. */
export class UnreadRequest<Request = unknown> {
  readonly #method: BidiStreamMethod<Request>;
  readonly #bytes: Buffer;

  constructor(method: BidiStreamMethod<Request>, bytes: Buffer) {
    this.#method = method;
    this.#bytes = bytes;
  }

  /** In bytes. */
  get length(): number {
    return this.#bytes.length;
  }

  /** As they came. They stay until the next one is asked for. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Throws `invalidArgument` and `limitReached`. */
  read(): Request {
    return readRequest(this.#method, this.#bytes, 0, this.#bytes.length) as Request;
  }
}

/** What a call needs; throws `permissionDenied`, `unauthenticated`, and `invalidArgument` for what can't be asked for. */
export type Needs<Request> = (login: Login, request: Request, store: KvStore) => void;

/**
 * What a call that goes on needs, found once by its request, of whose bytes nothing is kept; asked when it begins and again
 * after each change of access.
 */
export type LastingNeeds<Request> = (request: Request) => (login: Login) => void;

export type StreamMethod = ServerStreamMethod | BidiStreamMethod;
export type Method = UnaryMethod | PushStreamMethod | StreamMethod;

/** All methods of a service, by their names in code. */
export type MethodsOf<Service extends DescService> = { readonly [name in keyof Service['method']]: Method };

/** One that reads the state. */
export function unary<Request, Reply>(
  desc: DescMethodUnary,
  codecs: Codecs<Request, Reply>,
  needs: Needs<Request>,
  run: UnaryMethod<Request, Reply>['run'],
): UnaryMethod<Request, Reply> {
  return {
    kind: 'unary',
    desc,
    codecs,
    runsAt: 'caughtUp',
    mayChange: changesOf(desc),
    run: allowed(desc, needs, run),
  };
}

/** What fields of a request change something, if it has such. */
interface ChangingFields {
  readonly refreshTtl?: boolean;
  readonly destination?: string;
  readonly destinationBytes?: Uint8Array;
}

function changesOf({ input }: DescMethodUnary): ((request: unknown) => boolean) | undefined {
  if (!input.fields.some(({ name }) => name === 'refresh_ttl' || name === 'destination')) return undefined;
  return (request) => {
    const { refreshTtl, destination, destinationBytes } = request as ChangingFields;
    return refreshTtl === true || (destination ?? '') !== '' || (destinationBytes?.length ?? 0) > 0;
  };
}

/** One that any node answers alike. */
export function unaryAnywhere<Request, Reply>(
  desc: DescMethodUnary,
  codecs: Codecs<Request, Reply>,
  needs: Needs<Request>,
  run: UnaryMethod<Request, Reply>['run'],
): UnaryMethod<Request, Reply> {
  return { ...unaryHere(desc, codecs, needs, run), runsAt: 'anywhere' };
}

/** One that is about this process. */
export function unaryHere<Request, Reply>(
  desc: DescMethodUnary,
  codecs: Codecs<Request, Reply>,
  needs: Needs<Request>,
  run: UnaryMethod<Request, Reply>['run'],
): UnaryMethod<Request, Reply> {
  return { kind: 'unary', desc, codecs, runsAt: 'here', run: allowed(desc, needs, run) };
}

/** One that reads the store, whose request says how new what it reads must be. */
export function unaryRead<Request extends ReadDemand, Reply>(
  desc: DescMethodUnary,
  codecs: Codecs<Request, Reply>,
  needs: Needs<Request>,
  run: UnaryMethod<Request, Reply>['run'],
): UnaryMethod<Request, Reply> {
  return unary(desc, codecs, needs, (store, request, call) => {
    checkReadDemand(store, request);
    return run(store, request, call);
  });
}

export function unaryWrite<Request, Reply>(
  desc: DescMethodUnary,
  codecs: Codecs<Request, Reply>,
  needs: Needs<Request>,
  run: (store: KvStore, request: Request, call: Call) => Promise<Reply>,
): UnaryMethod<Request, Reply> {
  return { kind: 'unary', desc, codecs, runsAt: 'writer', run: allowed(desc, needs, run) };
}

export function serverStream<Request, Reply>(
  desc: DescMethodServerStreaming,
  codecs: Codecs<Request, Reply>,
  runsAt: RunsAt,
  needs: LastingNeeds<Request>,
  run: ServerStreamMethod<Request, Reply>['run'],
): ServerStreamMethod<Request, Reply> {
  return {
    kind: 'serverStream',
    desc,
    codecs,
    runsAt,
    run(store, request, call, signal) {
      call.asked(nameOf(desc), () => call.keepAllowed(needs(request)));
      return run(store, request, call, signal);
    },
  };
}

export function pushStream<Request>(
  desc: DescMethodServerStreaming,
  codecs: Pick<Codecs<Request>, 'read'>,
  needs: LastingNeeds<Request>,
  open: PushStreamMethod<Request>['open'],
): PushStreamMethod<Request> {
  return {
    kind: 'pushStream',
    desc,
    codecs,
    runsAt: 'caughtUp',
    open(store, request, call, outlet) {
      call.asked(nameOf(desc), () => call.keepAllowed(needs(request)));
      return open(store, request, call, outlet);
    },
  };
}

/** @param needs for the stream itself; what a request of it needs, `run` asks. */
export function bidiStream<Request, Reply>(
  desc: DescMethodBiDiStreaming,
  codecs: Codecs<Request, Reply>,
  runsAt: RunsAt,
  needs: (login: Login) => void,
  run: BidiStreamMethod<Request, Reply>['run'],
): BidiStreamMethod<Request, Reply> {
  return {
    kind: 'bidiStream',
    desc,
    codecs,
    runsAt,
    run(store, requests, call, signal) {
      call.asked(nameOf(desc), () => call.keepAllowed(needs));
      return run(store, requests, call, signal);
    },
  };
}

function allowed<Request, Result>(
  desc: DescMethod,
  needs: Needs<Request>,
  run: (store: KvStore, request: Request, call: Call) => Result,
): (store: KvStore, request: Request, call: Call) => Result {
  return (store, request, call) => {
    try {
      needs(call.login, request, store);
    } catch (error) {
      call.denied(nameOf(desc), error);
      throw error;
    }
    return run(store, request, call);
  };
}

/** As `KvService/Get`. */
export function nameOf({ name, parent }: DescMethod): string {
  return `${parent.name}/${name}`;
}

/** Runs a unary method for a call that has a span: its wait for the log has one, too. */
export function runTraced(
  method: UnaryMethod,
  store: KvStore,
  request: unknown,
  call: Call,
  span: CallSpan,
): unknown {
  const reply = method.run(store, request, call);
  const isWrite = method.runsAt === 'writer' || method.mayChange?.(request) === true;
  return isWrite && reply instanceof Promise ? span.commit(reply) : reply;
}

/** Reads the request of a method that lies from `start` to `end`. Throws `invalidArgument` and `limitReached`. */
export function readRequest(
  {
    desc,
    codecs,
  }: {
    readonly desc: { readonly input: DescMessage };
    readonly codecs: Pick<Codecs, 'read' | 'check' | 'readsApart'>;
  },
  bytes: Buffer,
  start: number,
  end: number,
): unknown {
  codecs.check?.(bytes, start, end);
  checkBinaryParts(desc.input, bytes, start, end, codecs.readsApart);
  try {
    return codecs.read(bytes, start, end);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw unreadableError(desc.input, bytes, start, end, error);
  }
}

/** What a request from `start` to `end` is refused with that reading failed for. */
export function unreadableError(
  input: DescMessage,
  bytes: Buffer,
  start: number,
  end: number,
  { code, offset }: WireError,
): StoreError {
  const largeInteger =
    code === 'integerTooLarge' ? largeIntegerError(input, bytes, start, end, offset) : undefined;
  return largeInteger ?? malformedRequestError(input.typeName, wireErrorText(code, offset - start));
}
