/** What `createClient` takes. */
import type { TlsOptions } from './connection/socket.ts';
import type { ClientTransport } from './calls/client-transport.ts';

export interface ClientOptions {
  /** `host:port`, `host` (port 7379), `[::1]:port`, or one of these after `http://` or, for TLS, `https://`. */
  readonly address: string;
  /** True: with TLS, checked against the certificates that Node trusts. With options: as they say. */
  readonly tls?: boolean | TlsOptions;
  /** The time that a call may take, its retries included. Default 10000. */
  readonly deadlineMs?: number;
  /**
   * How often a call that is safe to repeat is tried again at most. Left out: as often as its deadline allows; 0: never,
   * for programs that would rather hear of each failure at once.
   */
  readonly retries?: number;
  /** Another way to the server than HTTP/2 to `address`, such as a transport of Connect of your own. */
  readonly transport?: ClientTransport;
}
