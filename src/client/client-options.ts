/** What `createClient` takes. */
import type { Credentials, CredentialsSource } from './calls/credentials.ts';
import type { Consistency } from './messages/types.ts';
import type { TlsOptions, TlsSource } from './connection/socket.ts';
import type { ClientTransport } from './transports/client-transport.ts';

export interface ClientOptions {
  /**
   * Of the server, or else give `addresses`: `host:port`, `host` (port 7379), `[::1]:port`, or one of these after `http://` or, for TLS, `https://`; or `unix:PATH`, the
   * file of a socket on this machine.
   */
  readonly address?: string;
  /**
   * Several servers that have the same store, in place of `address`: 1 to 16 addresses, all with TLS or all without. Calls go to one of them,
   * and to the next when that one can't be reached, starts, stops, or does not know the writer of its cluster; watches, scans and leases
   * under `keepAlive` go on there.
   */
  readonly addresses?: readonly string[];
  /**
   * True: with TLS, checked against the certificates that Node trusts. With options: as they say. A function gives those of each new
   * connection.
   */
  readonly tls?: boolean | TlsOptions | TlsSource;
  /**
   * Who the client is to the server: a user with its password, a token, or a function that gives one of these, also by a promise.
   * A function is called before the first call, and its result used for all that follow; when the server does not take it any
   * more (`unauthenticated`) it is called again, once for all calls that were refused. If it gives others these are made again, once
   * each, and streams go on. Left out: the client shows none, but for the client certificate of `tls`.
   */
  readonly credentials?: Credentials | CredentialsSource;
  /**
   * True: `credentials` may be sent without TLS to another machine, where everyone on the way can read them and use them. Default
   * false: such a client is refused. To a loopback address and a `unix:` socket they may go in any case; what a `transport` of your own
   * does with them is yours to see to.
   */
  readonly allowPlaintextCredentials?: boolean;
  /** The time that a call may take, its retries included. Default 10000. */
  readonly deadlineMs?: number;
  /**
   * How often a call that is safe to repeat is tried again at most, behind a pause. Left out: as often as its deadline allows; 0:
   * never, for programs that would rather hear of each failure at once. With `addresses` each of them is tried before that counts.
   */
  readonly retries?: number;
  /** How new what is read must be where a read does not say it: see `ReadCallOptions`. Default `linearizable`. */
  readonly consistency?: Consistency;
  /** The revision that a server must have come to for a read that names none: see `ReadCallOptions`. Default: any. */
  readonly minRevision?: number;
  /**
   * The connections for calls to a server, and as many for watches and other streams. A second one is made when the server takes no more
   * calls at once on the first (1000, unless it is told otherwise), and so on; a call beyond the last one fails with
   * `limitReached`. Default 16.
   */
  readonly connectionsMax?: number;
  /**
   * Whether calls on single keys (`get`, `put`, `delete`, `increment`, `touch`, `exists`) that are made in one turn of the event
   * loop may travel together, which costs both sides less. Default true. False: each goes by itself, say where a proxy passes
   * streams on only when they have ended. Over a `transport` of your own each does anyway.
   */
  readonly pipeline?: boolean;
  /** Another way to the server than HTTP/2 to `address`, such as a transport of Connect of your own. */
  readonly transport?: ClientTransport;
}
