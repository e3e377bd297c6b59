/**
 * Which method a request of gRPC is for, found once for each head and kept in its `memo`: a client that calls again sends the
 * same bytes again, and the connection gives the same head.
 *
 * Plain gRPC is for this folder alone, whatever it asks for: `application/grpc` or `application/grpc+proto`, not compressed. All
 * else, such as gRPC-Web, JSON and compressed requests, is for the handlers of requests (`undefined`), and so are the services
 * that are Connect's: health and reflection.
 */
import { type RequestHead, fieldOf } from '../../http2/contract/fields.ts';
import type { BodyWriter } from '../../http2/contract/stream.ts';
import { StoreError } from '../../errors.ts';
import { serverFixed } from '../../limits.ts';
import { CallError } from '../calls/call-error.ts';
import { grpcTimeoutMs } from '../calls/deadline.ts';
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
import type { ServedService } from '../services/services.ts';

/** A method at its path; `kind` is that of the method. */
export type ServedMethod =
  Served<UnaryMethod> | Served<ServerStreamMethod> | ServedPush | Served<BidiStreamMethod>;

interface AtPath<AMethod extends Method> {
  readonly kind: AMethod['kind'];
  readonly method: AMethod;
  /** For the log, as `kelp.v1.KvService/Get`. */
  readonly name: string;
  readonly requestBytesMax: number;
}

/** It makes its messages itself. */
export type ServedPush = AtPath<PushStreamMethod>;

export interface Served<AMethod extends Exclude<Method, PushStreamMethod>> extends AtPath<AMethod> {
  /** Writes a reply with its prefix. */
  readonly writer: BodyWriter<unknown>;
}

/** What becomes of a request. */
export type Route =
  | {
      readonly served: ServedMethod;
      /** How long the client waits; `undefined`: for ever. */
      readonly timeoutMs: number | undefined;
      readonly refusal: undefined;
    }
  | { readonly served: undefined; readonly name: string; readonly refusal: CallError | StoreError };

export class Routes {
  readonly #servedByPath = new Map<string, ServedMethod>();
  readonly #isElsewhere: (path: string) => boolean;

  /** @param isElsewhere whether a path that is no method of `services` is served by others. */
  constructor(services: readonly ServedService[], isElsewhere: (path: string) => boolean) {
    this.#isElsewhere = isElsewhere;
    for (const { desc, methods, requestBytesMax } of services) {
      for (const method of methods) {
        const name = `${desc.typeName}/${method.desc.name}`;
        const atPath = { kind: method.kind, method, name, requestBytesMax };
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
    if (served === undefined) return this.#isElsewhere(path) ? undefined : unknownMethod(path);
    const timeout = fieldOf(head.fields, 'grpc-timeout');
    if (timeout === undefined) return { served, timeoutMs: undefined, refusal: undefined };
    const timeoutMs = grpcTimeoutMs(timeout);
    if (timeoutMs === undefined) {
      const refusal = new StoreError(
        'invalidArgument',
        `protocol error: invalid grpc timeout value: ${timeout}`,
      );
      return { served: undefined, name: served.name, refusal };
    }
    // No timer can be set for as long: it is as good as none.
    const isBeyond = timeoutMs > serverFixed.deadlineMsMax;
    return { served, timeoutMs: isBeyond ? undefined : timeoutMs, refusal: undefined };
  }
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

function unknownMethod(path: string): Route {
  const name = path.slice(0, serverFixed.pathCharactersMax);
  const message = `nothing is served at ${name}; services are listed by gRPC reflection`;
  return { served: undefined, name, refusal: new CallError('unimplemented', message) };
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
