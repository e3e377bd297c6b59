/** Addresses of servers as people write them, made into URLs; what can't be one is refused with an example. */
import { KelpError } from '../errors/error.ts';

/** The port that a server listens on unless it is told another. */
const DEFAULT_PORT = '7379';

/** Where a server is that listens on all interfaces, as with an address without a host. */
const DEFAULT_HOST = '127.0.0.1';

/**
 * Reads an address: `host`, `host:port`, `[::1]:port`, or one of these after `http://` or `https://`. Without a host,
 * `:port`, it is this machine: what `kelp serve --listen` takes, a client of it takes too.
 * @returns scheme, host and port as a URL without a path.
 */
export function parseAddress(address: string, isTls: boolean): string {
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

function badAddress(address: string, why: string): KelpError {
  return new KelpError(
    'invalidArgument',
    `address is "${address}", but ${why}; give it like 127.0.0.1:7379 or https://kelp.example:7379`,
    undefined,
  );
}
