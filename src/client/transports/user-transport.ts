/**
 * The transport that the client's user gave it. What turns calls into those of Connect is loaded with the first call: most
 * clients go over connections of their own, and start in half the time without it.
 */
import type { Transport } from '@connectrpc/connect';
import type { TraceHeaders } from '../../tracing/trace-context.ts';
import type { CallTransport } from '../calls/call-transport.ts';
import type { ClientTransport } from './client-transport.ts';
import type { ConnectTransport } from './connect-transport.ts';
import type { Method } from '../calls/method.ts';

export class UserTransport implements CallTransport {
  readonly address: string;
  /** Its connections are its owner's. */
  readonly isCertificateRenewable = false;
  readonly #transport: Transport;
  #loaded: Promise<ConnectTransport> | undefined;
  #authorization: string | undefined;
  #isClosed = false;

  constructor(address: string, transport: ClientTransport) {
    this.address = address;
    this.#transport = transport as Transport;
  }

  async unary<Request, Reply>(
    method: Method<Request, Reply>,
    request: Request,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    trace: TraceHeaders | undefined,
  ): Promise<Reply> {
    const connect = await this.#load();
    return connect.unary(method, request, timeoutMs, signal, trace);
  }

  async *stream<Request, Reply>(
    method: Method<Request, Reply>,
    request: Request,
    timeoutMs: number | undefined,
    signal: AbortSignal,
    trace: TraceHeaders | undefined,
  ): AsyncGenerator<Reply, void, undefined> {
    const connect = await this.#load();
    yield* connect.stream(method, request, timeoutMs, signal, trace);
  }

  authorize(value: string): void {
    this.#authorization = value;
    void this.#loaded?.then((connect) => connect.authorize(value));
  }

  renewCertificate(): void {}

  close(): void {
    this.#isClosed = true;
    void this.#loaded?.then((connect) => connect.close());
  }

  #load(): Promise<ConnectTransport> {
    this.#loaded ??= import('./connect-transport.ts').then(({ ConnectTransport }) => {
      const connect = new ConnectTransport(this.address, this.#transport);
      if (this.#authorization !== undefined) connect.authorize(this.#authorization);
      if (this.#isClosed) connect.close();
      return connect;
    });
    return this.#loaded;
  }
}
