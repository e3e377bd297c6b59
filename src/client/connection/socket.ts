/** The sockets under a client's connections, in plain text or with TLS. */
import type { Socket } from 'node:net';
import { connect as connectPlain, isIP } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { client as limits } from '../../limits.ts';

/** How to check the server's certificate, and which one to show it. Everything as Node's `tls.connect` takes it. */
export interface TlsOptions {
  /** Certificates to trust, as PEM, in place of those that Node trusts. */
  readonly ca?: PemText | readonly PemText[];
  /** The client's own certificate, with those that lead to one that the server trusts, as PEM. */
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

type PemText = string | Uint8Array;

/** @internal */
export function openSocket(url: URL, tls: TlsOptions): Socket {
  const target = targetOf(url);
  if (url.protocol === 'http:') return connectPlain(target);
  return connectTls({
    ...target,
    ALPNProtocols: ['h2'],
    servername: serverName(target.host),
    // Node takes any bytes; its types say Buffer.
    ...(tls as ConnectionOptions),
  });
}

/**
 * Whether TLS is spoken there, which is certain when it is: the handshake succeeds, or is broken off by an alert. For a
 * server that has closed a connection of plain text, or answered with what is no HTTP/2: many do so without a word.
 */
export function hasTls(url: URL): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const target = targetOf(url);
  // Nothing is sent over it, so there is no certificate to check.
  const socket = connectTls({ ...target, servername: serverName(target.host), rejectUnauthorized: false });
  const timer = setTimeout(() => socket.destroy(), limits.tlsProbeMs);
  socket.once('secureConnect', () => resolve(true));
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(/^ERR_SSL_.*ALERT/.test(error.code ?? '')));
  socket.once('close', () => resolve(false));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}

function targetOf(url: URL): { readonly host: string; readonly port: number } {
  const isTls = url.protocol === 'https:';
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || (isTls ? 443 : 80)) };
}

/** TLS knows no addresses as names of servers. */
function serverName(host: string): string {
  return isIP(host) === 0 ? host : '';
}
