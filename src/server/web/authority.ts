/** Hosts as requests name them (RFC 9110, section 7.2), and which of them can be no other machine. */

export interface Authority {
  /** In lower case, without the dot that may end it; an IPv6 address is in brackets, and every address in its usual form. */
  readonly name: string;
  /** `undefined`: that of the scheme. */
  readonly port: number | undefined;
}

const AUTHORITY = /^(\[[0-9a-f:.]+\]|[^\s:/?#@\\%[\],]+)(?::(\d{0,5}))?$/i;

/** `undefined` for what is no host with perhaps a port. */
export function parseAuthority(text: string): Authority | undefined {
  const [, host = '', port = ''] = AUTHORITY.exec(text) ?? [];
  if (host === '' || !URL.canParse(`http://${host}`)) return undefined;
  const name = new URL(`http://${host}`).hostname.replace(/\.$/, '');
  return name === '' ? undefined : { name, port: port === '' ? undefined : Number(port) };
}

/** Names and addresses that mean the machine itself to every browser (RFC 6761, section 6.3), so that no page has them from afar. */
export function isLoopbackName(name: string): boolean {
  return /^(?:(?:.+\.)?localhost|127\.\d+\.\d+\.\d+|\[::1\]|\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\])$/.test(
    name,
  );
}
