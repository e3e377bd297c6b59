/**
 * Addresses of sockets on this machine that a file stands for, as server and client take them: `unix:PATH`. An absolute path may
 * stand behind two slashes more, as gRPC writes it.
 */

const SCHEME = 'unix:';

/** What Linux and macOS have room for in the name of a socket, but for the zero byte at its end; the rest is cut unsaid. */
const PATH_BYTES_MAX = process.platform === 'darwin' ? 103 : 107;

/** @returns `undefined` for an address of another kind; `wrong` is the rest of a sentence that begins with "it". */
export function parseUnixAddress(
  address: string,
): { readonly path: string } | { readonly wrong: string } | undefined {
  if (!address.startsWith(SCHEME)) return undefined;
  const path = address.slice(SCHEME.length).replace(/^\/\/(?=\/)/, '');
  if (path === '') return { wrong: 'has no path behind unix:' };
  if (path.includes('\0')) return { wrong: 'has a zero byte in its path' };
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) {
    return { wrong: `has a path of more than ${PATH_BYTES_MAX} bytes, which the system would cut` };
  }
  return { path };
}

export function formatUnixAddress(path: string): string {
  return SCHEME + path;
}
