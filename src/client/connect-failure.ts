/** A connection could not be made, so that nothing was sent over it. */

/** Why, as far as that is certain. */
export type ConnectFailureKind =
  /** Anything that may pass. */
  | 'failed'
  /** The client speaks plain text, and what answers there speaks TLS. */
  | 'peerHasTls'
  /** The client speaks TLS, and what answers there does not. */
  | 'peerHasNoTls'
  /** The server's certificate is not one that the client trusts. */
  | 'notTrusted';

export class ConnectFailure extends Error {
  override readonly name = 'ConnectFailure';
  readonly kind: ConnectFailureKind;

  constructor(kind: ConnectFailureKind, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.kind = kind;
  }
}

/** What Node says when something answers a TLS handshake with what is no TLS. */
const noTlsCodes: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
]);

/** Node gives failed checks of a certificate the names of OpenSSL, for example DEPTH_ZERO_SELF_SIGNED_CERT. */
const CERTIFICATE_CODE = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_|ERR_TLS_CERT_)/;

/** The kind by the error of a socket. */
export function kindOf(error: unknown): ConnectFailureKind {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (noTlsCodes.has(code)) return 'peerHasNoTls';
  return CERTIFICATE_CODE.test(code) ? 'notTrusted' : 'failed';
}
