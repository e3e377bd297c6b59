/** The sockets under a client's connections, in plain text or with TLS. */
import type { Socket } from 'node:net';
import { connect as connectPlain, isIP } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { systemClock } from '../../clock.ts';
import { client as limits } from '../../limits.ts';
import type { ServerAddress, TcpTarget } from './address.ts';

/** How to check the server's certificate, and which one to show it. Everything as Node's `tls.connect` takes it. */
export interface TlsOptions {
  /** Certificates to trust, as PEM, in place of those that Node trusts. */
  readonly ca?: PemText | readonly PemText[];
  /**
   * The client's own certificate, with those that lead to one that the server trusts, as PEM. To a server that takes certificates of
   * clients (`--tls-client-ca`) it says which user the client is, unless `credentials` do.
   */
  readonly cert?: PemText;
  /** The key of `cert`, as PEM. */
  readonly key?: PemText;
  /** Of `key`. */
  readonly passphrase?: string;
  /** The name that the server's certificate must be for. Default: the host of the address. */
  readonly servername?: string;
  /** False: any certificate will do. Default true. */
  readonly rejectUnauthorized?: boolean;
}

/**
 * Gives the options of the next connection, for certificates and keys that are replaced while the client runs. It is called for each
 * connection, and a call that is refused as `unauthenticated` is made again, once, over a new one.
 */
export type TlsSource = () => TlsOptions;

type PemText = string | Uint8Array;

/**
 * @internal
 * A socket that connects, or fails with an error of the system. One with TLS is connected when the two have agreed on
 * HTTP/2, or what they agreed on is seen by its `alpnProtocol`. Throws when the TLS options can't be used.
 */
export function openSocket({ isTls, target }: ServerAddress, tls: TlsOptions | TlsSource): Socket {
  if (!isTls || 'path' in target) return connectPlain({ ...target, noDelay: true });
  const options = typeof tls === 'function' ? tls() : tls;
  return connectTls({
    ...target,
    ALPNProtocols: ['h2'],
    servername: serverName(target.host),
    // Node takes any bytes; its types say Buffer.
    ...(options as ConnectionOptions),
  }).setNoDelay();
}

/**
 * @internal
 * Whether TLS is spoken there, which is certain when it is: the handshake succeeds, or is broken off by an alert. For a
 * server that has closed a connection of plain text, or answered with what is no HTTP/2: many do so without a word.
 */
export function hasTls(target: TcpTarget): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  // Nothing is sent over it, so there is no certificate to check.
  const socket = connectTls({ ...target, servername: serverName(target.host), rejectUnauthorized: false });
  const timer = systemClock.setTimer(limits.tlsProbeMs, () => socket.destroy());
  socket.once('secureConnect', () => resolve(true));
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(/^ERR_SSL_.*ALERT/.test(error.code ?? '')));
  socket.once('close', () => resolve(false));
  return promise.finally(() => {
    timer.cancel();
    socket.destroy();
  });
}

/** Node's TLS is loaded when it is used: with all its cryptography it takes as long to load as all of a command. */
function connectTls(options: ConnectionOptions): TLSSocket {
  return process.getBuiltinModule('node:tls').connect(options);
}

/** TLS knows no addresses as names of servers. */
function serverName(host: string): string {
  return isIP(host) === 0 ? host : '';
}
