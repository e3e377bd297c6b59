/**
 * Whose call it is that a node has passed on: its client's address, and the names of that one's certificate, as far as they go with
 * the call itself. What a client has shown in its header `authorization` goes on as it came.
 *
 * The writer believes them of a node alone, which shows by its token (`--peer-token-file`) that it may do everything here; what a client
 * says in these fields is neither passed on nor believed.
 */
import { isIP } from 'node:net';
import type { Field } from '../../http2/contract/fields.ts';
import type { Peer } from '../calls/call.ts';
import {
  type ClientCertificate,
  clientCertificateOf,
  noteClientCertificate,
} from '../tls/client-certificate.ts';

/** Stands in a request that a node has passed on: it is not passed on once more. */
export const FORWARDED_HEADER = 'kelp-forwarded';

/** By what a node tells the writer of the client: by itself alone, never as a client says. */
export const NODE_TOKEN_HEADER = 'kelp-node-token';
export const FORWARDED_FOR_HEADER = 'kelp-forwarded-for';
export const FORWARDED_CERTIFICATE_HEADER = 'kelp-forwarded-certificate';

/** @param token of this node; `undefined`: it can't show that it is one. @param client the connection that the call came over. */
export function clientFields(token: string | undefined, client: Peer | undefined): readonly Field[] {
  const address = client?.remoteAddress ?? '';
  const certificate = client && clientCertificateOf(client);
  if (token === undefined || (address === '' && certificate === undefined)) return [];
  return [
    [NODE_TOKEN_HEADER, token],
    ...(address === '' ? [] : [[FORWARDED_FOR_HEADER, address] as const]),
    ...(certificate === undefined
      ? []
      : [[FORWARDED_CERTIFICATE_HEADER, certificateText(certificate)] as const]),
  ];
}

/**
 * The client of a call that was passed on; `undefined`: it was not, or not by a node that shows so.
 * @param field gives a header of the request.
 */
export function forwardedClient(
  field: (name: string) => string | undefined,
  isNode: (token: string) => boolean,
): Peer | undefined {
  if (field(FORWARDED_HEADER) === undefined) return undefined;
  const token = field(NODE_TOKEN_HEADER);
  if (token === undefined || !isNode(token)) return undefined;
  return clientOf(field(FORWARDED_FOR_HEADER) ?? '', field(FORWARDED_CERTIFICATE_HEADER));
}

/** A client as a node tells of it. @param address '': it has none. */
export function clientOf(address: string, certificate: string | undefined): Peer {
  const client: Peer = { remoteAddress: isIP(address) === 0 ? '' : address };
  const read = certificate === undefined ? undefined : certificateIn(certificate);
  if (read !== undefined) noteClientCertificate(client, read);
  return client;
}

/** Fit for a header and for a word of Redis. */
export function certificateText({ names, expireTimeMs }: ClientCertificate): string {
  return Buffer.from(JSON.stringify([expireTimeMs, ...names]), 'utf8').toString('base64url');
}

/** `undefined`: it is none. */
function certificateIn(text: string): ClientCertificate | undefined {
  try {
    const [expireTimeMs, ...names] = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown[];
    const isRight = typeof expireTimeMs === 'number' && names.every((name) => typeof name === 'string');
    return isRight ? { expireTimeMs, names } : undefined;
  } catch {
    return undefined;
  }
}
