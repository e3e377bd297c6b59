/** Addresses of servers as people write them; what can't be one is refused with an example. */
import { formatUnixAddress, parseUnixAddress } from '../../unix-address.ts';
import { KelpError } from '../errors/error.ts';

export interface ServerAddress {
  /** As messages name it: scheme, host and port as a URL without a path, or `unix:PATH`. */
  readonly text: string;
  readonly isTls: boolean;
  /** Whether what is sent there does not leave this machine, for sure. */
  readonly isLocal: boolean;
  /** What requests name the server by. */
  readonly authority: string;
  readonly target: TcpTarget | { readonly path: string };
}

export interface TcpTarget {
  readonly host: string;
  readonly port: number;
}

/** The port that a server listens on unless it is told another. */
const DEFAULT_PORT = '7379';

/** Where a server is that listens on all interfaces, as with an address without a host. */
const DEFAULT_HOST = '127.0.0.1';

/** As a URL writes it, in one form. Names that end in `localhost` are left out: not every resolver keeps them here. */
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/;

/**
 * Reads an address: `host`, `host:port`, `[::1]:port`, or one of these after `http://` or `https://`; or `unix:PATH`, the
 * file of a socket on this machine. Without a host, `:port`, it is this machine: what `kelp serve --listen` takes, a client
 * of it takes too.
 */
export function parseAddress(address: string, isTls: boolean): ServerAddress {
  const unix = parseUnixAddress(address);
  if (unix !== undefined) {
    if ('wrong' in unix) throw badAddress(address, `it ${unix.wrong}`);
    if (isTls) throw badAddress(address, 'TLS is asked for, but a socket of this machine is without');
    return {
      text: formatUnixAddress(unix.path),
      isTls: false,
      isLocal: true,
      authority: 'localhost',
      target: unix,
    };
  }
  const url = new URL(parseOrigin(address, isTls));
  const hasTls = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    text: url.origin,
    isTls: hasTls,
    isLocal: LOOPBACK.test(host),
    authority: url.host,
    target: { host, port: Number(url.port || (hasTls ? 443 : 80)) },
  };
}

/**
 * Reads the addresses of servers that have the same store. With TLS are all of them or none: else what is meant for one by the options of TLS
 * and by credentials would go to another in plain text.
 */
export function parseAddresses(addresses: readonly string[], isTls: boolean): ServerAddress[] {
  const parsed: ServerAddress[] = [];
  for (const address of addresses) {
    const next = parseAddress(address, isTls);
    const first = parsed[0] ?? next;
    if (next.isTls !== first.isTls) {
      const [secure, plain] = next.isTls ? [next, first] : [first, next];
      throw badAddresses(`${secure.text} is with TLS and ${plain.text} without; they must be alike`);
    }
    if (parsed.some(({ text }) => text === next.text)) throw badAddresses(`${next.text} is there twice`);
    parsed.push(next);
  }
  return parsed;
}

function parseOrigin(address: string, isTls: boolean): string {
  const hasScheme = address.includes('://');
  let url: URL;
  try {
    const written = hasScheme ? address : `${isTls ? 'https' : 'http'}://${address}`;
    url = new URL(written.replace(/:\/\/(?=:\d)/, `://${DEFAULT_HOST}`));
  } catch {
    throw badAddress(address, 'it can not be read');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw badAddress(address, 'its scheme is unknown');
  if (url.protocol === 'http:' && isTls)
    throw badAddress(address, 'TLS is asked for, but http:// is without');
  if (url.username !== '' || url.password !== '') throw badAddress(address, 'it holds a user or password');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw badAddress(address, 'it holds a path');
  if (url.port !== '') return url.origin;
  // `URL` drops a port that is the default one of its scheme.
  if (/:(80|443)\/?$/.test(address)) return url.origin;
  return `${url.protocol}//${url.hostname}:${DEFAULT_PORT}`;
}

function badAddresses(why: string): KelpError {
  return new KelpError('invalidArgument', `addresses: ${why}`, undefined);
}

function badAddress(address: string, why: string): KelpError {
  return new KelpError(
    'invalidArgument',
    `address is "${address}", but ${why}; give it like 127.0.0.1:7379, https://kelp.example:7379 or unix:/run/kelp.sock`,
    undefined,
  );
}
