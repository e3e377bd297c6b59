/**
 * Web pages are no clients by accident: a browser sends requests for any page to any address that it reaches, this server among
 * them. What comes by two rules is refused before anything runs, whatever it asks for:
 *
 * - **Origin.** A request of a page (it has an `Origin`) must come from the server's own host, or from an origin that is allowed.
 *   Its own is the host that the request was sent to, with the same port; the scheme counts only over TLS, since without it a proxy
 *   may have ended TLS. What is no single origin, and `null`, is foreign.
 * - **Host.** On a loopback address a request must name a host that is of this machine for sure: `localhost` and names that end
 *   in it, a loopback address, the machine's own name, the host of `--listen`, or that of an allowed origin. Else a page of any
 *   domain could have its name lead here, and be its own origin (DNS rebinding). A request without a host comes from no browser.
 *   Sockets of files have no rule for the host.
 *
 * Who allows every origin (`*`) has no rule left.
 */
import { ANY_ORIGIN, originOf } from '../config/web-origins.ts';
import { isLoopbackAddress } from '../config/loopback-address.ts';
import { type Authority, isLoopbackName, parseAuthority } from './authority.ts';

export interface GuardOptions {
  /** As `parseOrigins` gives them. */
  readonly corsOrigins: readonly string[];
  /** Further names and addresses of this machine; an empty one is none. */
  readonly ownHosts: readonly string[];
}

export interface GuardedRequest {
  /** Of `Host`, `:authority` or an absolute target; empty: there is none. */
  readonly authority: string;
  /** All values of `Origin`; `undefined`: there is none. */
  readonly origin: string | undefined;
  readonly connection: GuardedConnection;
}

export interface GuardedConnection {
  /** Of the server's end; empty: it has none. */
  readonly localAddress: string;
  readonly isTls: boolean;
}

/** What the text of a refusal repeats of a request. */
const SHOWN_CHARACTERS_MAX = 200;

export class WebGuard {
  readonly #allowsAll: boolean;
  readonly #origins: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<string>;
  /** The host of the last request that passed: most clients name the same again and again. */
  #passedAuthority = '';

  constructor({ corsOrigins, ownHosts }: GuardOptions) {
    this.#allowsAll = corsOrigins.includes(ANY_ORIGIN);
    this.#origins = new Set(corsOrigins);
    const authorities = [
      ...ownHosts.map((host) => (host.includes(':') ? `[${host}]` : host)),
      ...corsOrigins.map((origin) => origin.replace(/^.*:\/\//, '')),
    ];
    const names = authorities.map((text) => parseAuthority(text)?.name);
    this.#hosts = new Set(names.filter((name) => name !== undefined));
  }

  /** @returns why the request is refused, and what to do; `undefined` when it may go on. */
  refusalOf({ authority, origin, connection }: GuardedRequest): string | undefined {
    if (this.#allowsAll) return undefined;
    if (isLoopbackAddress(connection.localAddress) && !this.#isOwn(authority)) return foreignHost(authority);
    if (origin === undefined || this.allows(origin)) return undefined;
    return isSameHost(origin, authority, connection.isTls) ? undefined : foreignOrigin(origin);
  }

  /** Whether pages of this origin may call from elsewhere. */
  allows(origin: string): boolean {
    return this.#allowsAll || this.#origins.has(originOf(origin) ?? '');
  }

  #isOwn(authority: string): boolean {
    if (authority === '' || authority === this.#passedAuthority) return true;
    const name = parseAuthority(authority)?.name;
    if (name === undefined || !(isLoopbackName(name) || this.#hosts.has(name))) return false;
    this.#passedAuthority = authority;
    return true;
  }
}

function isSameHost(origin: string, authority: string, isTls: boolean): boolean {
  const [, scheme = '', rest = ''] = /^(https?):\/\/(.*)$/i.exec(origin) ?? [];
  const isSecure = scheme.toLowerCase() === 'https';
  if (isTls && !isSecure) return false;
  const [page, host] = [parseAuthority(rest), parseAuthority(authority)];
  if (page === undefined || host === undefined || page.name !== host.name) return false;
  const portOf = ({ port }: Authority): number => port ?? (isSecure ? 443 : 80);
  return portOf(page) === portOf(host);
}

function foreignHost(authority: string): string {
  const name = parseAuthority(authority)?.name;
  const allow = name === undefined ? '' : `, or start the server with --cors-origin https://${shown(name)}`;
  return (
    `the server was reached at a loopback address by the foreign host ${quoted(authority)}: a web page may have ` +
    `had its own name lead here. Call it as localhost, have the proxy before it set Host to localhost${allow}`
  );
}

function foreignOrigin(origin: string): string {
  const allowed = originOf(origin);
  const how =
    allowed === undefined
      ? 'to let them, serve them from an origin of their own and start the server with --cors-origin and that origin'
      : `to let them, start the server with --cors-origin ${shown(allowed)}`;
  return `web pages of the origin ${quoted(origin)} may not call this server; ${how}`;
}

function quoted(text: string): string {
  return JSON.stringify(shown(text));
}

function shown(text: string): string {
  return text.slice(0, SHOWN_CHARACTERS_MAX);
}
