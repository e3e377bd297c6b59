/**
 * Which method a request of gRPC is for, found once for each head and kept in its `memo`: a client that calls again sends the
 * same bytes again, and the connection gives the same head.
 *
 * Plain gRPC is for this folder alone, whatever it asks for: `application/grpc` or `application/grpc+proto`, not compressed. All
 * else, such as gRPC-Web, JSON and compressed requests, is for the handlers of requests (`undefined`), and so are the services
 * that are Connect's: health and reflection.
 */
import { type Field, type RequestHead, fieldOf } from '../../http2/contract/fields.ts';
import type { BodyWriter } from '../../http2/contract/stream.ts';
import { StoreError } from '../../errors.ts';
import { serverFixed } from '../../limits.ts';
import type { LoginMemo } from '../access/logins.ts';
import { CallError } from '../calls/call-error.ts';
import { grpcTimeoutMs } from '../calls/deadline.ts';
import type { CallMeter } from '../metrics/calls/call-meter.ts';
import type { CallMeters } from '../metrics/calls/call-meters.ts';
import { methodNameOf } from '../metrics/calls/routes.ts';
import { originForm } from '../http/request-target.ts';
import { PREFIX_BYTES, writePrefix } from '../services/envelope.ts';
import type {
  BidiStreamMethod,
  Codecs,
  Method,
  PushStreamMethod,
  ServerStreamMethod,
  UnaryMethod,
} from '../services/method.ts';
import type { Called } from './grpc-call.ts';
import type { ServedService } from '../services/services.ts';

/** A method at its path; `kind` is that of the method. */
export type ServedMethod =
  Served<UnaryMethod> | Served<ServerStreamMethod> | ServedPush | Served<BidiStreamMethod>;

interface AtPath<AMethod extends Method> extends Called {
  readonly kind: AMethod['kind'];
  readonly method: AMethod;
  readonly requestBytesMax: number;
  /** It is for everybody. */
  readonly isOpen: boolean;
}

/** It makes its messages itself. */
export type ServedPush = AtPath<PushStreamMethod>;

export interface Served<AMethod extends Exclude<Method, PushStreamMethod>> extends AtPath<AMethod> {
  /** Writes a reply with its prefix. */
  readonly writer: BodyWriter<unknown>;
}

/** A head as it goes to the writer of a cluster. */
export interface PassedOn {
  readonly address: string;
  readonly fields: readonly Field[];
}

/** What becomes of a request. */
export type Route =
  | {
      readonly served: ServedMethod;
      /** How long the client waits; `undefined`: for ever. */
      readonly timeoutMs: number | undefined;
      readonly refusal: undefined;
      /** Of those who send this head. */
      readonly login: LoginMemo;
      /** How it is passed on to the writer of a cluster, once it was. */
      passedOn: PassedOn | undefined;
    }
  | (Called & { readonly served: undefined; readonly refusal: CallError | StoreError });

export class Routes {
  readonly #servedByPath = new Map<string, ServedMethod>();
  readonly #isElsewhere: (path: string) => boolean;
  /** Of what is not known. */
  readonly #otherMeter: CallMeter;

  /** @param isElsewhere whether a path that is no method of `services` is served by others. */
  constructor(
    services: readonly ServedService[],
    meters: CallMeters,
    isElsewhere: (path: string) => boolean,
  ) {
    this.#isElsewhere = isElsewhere;
    this.#otherMeter = meters.of('grpc', 'other');
    for (const { desc, methods, requestBytesMax, dialect } of services) {
      for (const method of methods) {
        const name = `${desc.typeName}/${method.desc.name}`;
        const meter = meters.of('grpc', methodNameOf(method.desc));
        const isOpen = dialect?.openMethods.has(method.desc) === true;
        const atPath = { kind: method.kind, method, name, meter, requestBytesMax, dialect, isOpen };
        const served =
          method.kind === 'pushStream' ? atPath : { ...atPath, writer: new MessageWriter(method.codecs) };
        this.#servedByPath.set(`/${name}`, served as ServedMethod);
      }
    }
  }

  /** @returns `undefined` for what is not plain gRPC. */
  of(head: RequestHead): Route | undefined {
    head.memo ??= { route: this.#find(head) } satisfies Memo;
    return (head.memo as Memo).route;
  }

  #find(head: RequestHead): Route | undefined {
    if (!isPlain(head)) return undefined;
    const path = originForm(head.path)?.split('?', 1)[0];
    if (path === undefined) return undefined;
    const served = this.#servedByPath.get(path);
    if (served === undefined) return this.#isElsewhere(path) ? undefined : this.#unknownMethod(path);
    const timeout = fieldOf(head.fields, 'grpc-timeout');
    if (timeout === undefined) return found(served, undefined);
    const timeoutMs = grpcTimeoutMs(timeout);
    if (timeoutMs === undefined) {
      const refusal = new StoreError(
        'invalidArgument',
        `protocol error: invalid grpc timeout value: ${timeout}`,
      );
      const { name, meter, dialect } = served;
      return { served: undefined, name, meter, dialect, refusal };
    }
    // No timer can be set for as long: it is as good as none.
    const isBeyond = timeoutMs > serverFixed.deadlineMsMax;
    return found(served, isBeyond ? undefined : timeoutMs);
  }

  #unknownMethod(path: string): Route {
    const name = path.slice(0, serverFixed.pathCharactersMax);
    const message = `nothing is served at ${name}; services are listed by gRPC reflection`;
    const refusal = new CallError('unimplemented', message);
    return { served: undefined, name, meter: this.#otherMeter, refusal };
  }
}

function found(served: ServedMethod, timeoutMs: number | undefined): Route {
  const login = { login: undefined, table: undefined, generation: 0 };
  return { served, timeoutMs, refusal: undefined, login, passedOn: undefined };
}

interface Memo {
  readonly route: Route | undefined;
}

function isPlain({ method, fields }: RequestHead): boolean {
  const contentType = fieldOf(fields, 'content-type');
  if (contentType !== 'application/grpc' && contentType !== 'application/grpc+proto') return false;
  const encoding = fieldOf(fields, 'grpc-encoding');
  return method === 'POST' && (encoding === undefined || encoding === 'identity');
}

/** Writes a message with the prefix that gRPC puts before it: a byte of flags, four of the length. */
class MessageWriter implements BodyWriter<unknown> {
  readonly #codecs: Codecs;

  constructor(codecs: Codecs) {
    this.#codecs = codecs;
  }

  write(reply: unknown, buffer: Buffer, start: number, end: number): void {
    writePrefix(buffer, start, end - start - PREFIX_BYTES);
    this.#codecs.prepend(reply, buffer, end);
  }
}
