/**
 * What a client's certificate says of it. It is read once for each connection, when the handshake is done, and noted for the object
 * that all requests of the connection share: so what asks for it costs a look-up, and connections without one cost nothing.
 *
 * Only certificates that were checked are noted (`client-check.ts`): each name was signed by an authority of `--tls-client-ca`.
 */
import type { X509Certificate } from 'node:crypto';

export interface ClientCertificate {
  /** The common names of the subject, then the URIs, then the DNS names of the SAN, each in the order of the certificate. */
  readonly names: readonly string[];
  /** From when on it is not valid, by the wall clock. */
  readonly expireTimeMs: number;
}

const certificateByConnection = new WeakMap<object, ClientCertificate>();

/** @param connection the `socket` of a request of either version of HTTP, the `connection` of a stream of HTTP/2. */
export function clientCertificateOf(connection: object): ClientCertificate | undefined {
  return certificateByConnection.get(connection);
}

export function noteClientCertificate(connection: object, certificate: ClientCertificate): void {
  certificateByConnection.set(connection, certificate);
}

export function readClientCertificate(certificate: X509Certificate): ClientCertificate {
  const { CN: commonName = [] } = certificate.toLegacyObject().subject as { CN?: string | string[] };
  const alternatives = alternativeNames(certificate.subjectAltName ?? '');
  const ofKind = (kind: string): string[] =>
    alternatives.filter((each) => each.kind === kind).map(({ name }) => name);
  const names = [commonName, ofKind('URI'), ofKind('DNS')].flat();
  return { names, expireTimeMs: certificate.validToDate.getTime() };
}

interface AlternativeName {
  readonly kind: string;
  readonly name: string;
}

/**
 * Reads the text that Node makes of a SAN, `DNS:a.example, URI:"spiffe://x/a%2C b"`: a name stands in it as a string of JSON when it has a
 * comma, a quote or anything else that could pass for more than one name (CVE-2021-44532). A text of another form has no names.
 */
function alternativeNames(text: string): AlternativeName[] {
  const one = /([A-Za-z0-9 ]+):(?:("(?:[^"\\]|\\.)*")|([^",]*))(?:, |$)/y;
  const names: AlternativeName[] = [];
  while (one.lastIndex < text.length) {
    const match = one.exec(text);
    if (match === null) return [];
    const [, kind = '', quoted, plain = ''] = match;
    names.push({ kind, name: quoted === undefined ? plain : (JSON.parse(quoted) as string) });
  }
  return names;
}
