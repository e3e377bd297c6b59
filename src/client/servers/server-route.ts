/**
 * The way of one call, or of one stream that goes on, over the servers of a client: each server is tried once, the current one first, then
 * there is a pause (`caller.ts`), and each may be tried again. A server that names the writer of its cluster sends the call there, where
 * the client knows it.
 */
import { ErrorReason } from '../../../gen/kelp/v1/errors_codec.ts';
import { grpcCode } from '../../grpc-code.ts';
import type { Route } from '../calls/call-transport.ts';
import { CallFailure } from '../errors/call-failure.ts';
import type { Server, Servers } from './servers.ts';

/** One try of a call at a server. */
export interface ServerTry {
  readonly server: Server;
  /** Of the server, when the try began. */
  readonly generation: number;
}

export class ServerRoute implements Route {
  readonly #servers: Servers;
  /** Since the last pause. */
  readonly #tried = new Set<Server>();
  #hasFailed = false;
  /** What a server named as the writer. */
  #writer: Server | undefined;

  constructor(servers: Servers) {
    this.#servers = servers;
  }

  get goesElsewhere(): boolean {
    return this.#servers.next(this.#tried) !== undefined;
  }

  get restMs(): number {
    return this.#servers.restMs;
  }

  paused(): void {
    this.#tried.clear();
  }

  /** Chooses the server for a try. Throws a `CallFailure` when all rest. */
  begin(): ServerTry {
    const server = this.#untriedWriter ?? this.#servers.next(this.#tried) ?? this.#again();
    if (server === undefined) throw this.#restingFailure();
    this.#writer = undefined;
    this.#tried.add(server);
    return { server, generation: server.generation };
  }

  served({ server }: ServerTry): void {
    this.#servers.served(server, this.#hasFailed);
  }

  /** Notes how a try failed. */
  failed({ server, generation }: ServerTry, failure: CallFailure): void {
    failure.address = server.address;
    this.#hasFailed = true;
    this.#writer = this.#writerNamedBy(failure);
    if (isOfServer(failure)) this.#servers.failed(server, generation, failure);
  }

  get #untriedWriter(): Server | undefined {
    const writer = this.#writer;
    return writer !== undefined && writer.restMs === 0 && !this.#tried.has(writer) ? writer : undefined;
  }

  /** A try that needs no pause, as one with other credentials, may be at the same server. */
  #again(): Server | undefined {
    this.#tried.clear();
    return this.#servers.next(this.#tried);
  }

  #writerNamedBy({ detail }: CallFailure): Server | undefined {
    if (detail?.info.case !== 'notWriter') return undefined;
    const { writerAddress } = detail.info.value;
    if (writerAddress === '') return undefined;
    return this.#servers.all.find(({ address }) => address.endsWith(`//${writerAddress}`));
  }

  #restingFailure(): CallFailure {
    const { failure } = this.#servers;
    const {
      code = grpcCode.Unavailable,
      message = 'no server is available',
      detail,
      address,
    } = failure ?? {};
    const told = new CallFailure(code, message, { cause: failure, detail, isUnprocessed: true });
    told.address = address;
    return told;
  }
}

/** Whether others would fail there, too. What a server explains is about the call, but for its being about to start or to end. */
function isOfServer({ code, detail }: CallFailure): boolean {
  switch (detail?.reason) {
    case ErrorReason.NOT_WRITER:
    case ErrorReason.STORAGE_FAILED:
    case ErrorReason.READ_ONLY:
      return false;
    default:
      return code === grpcCode.Unavailable;
  }
}
