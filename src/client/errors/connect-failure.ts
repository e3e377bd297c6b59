/** A connection could not be made, so that nothing was sent over it. */

/** Why, as far as that is certain. */
export type ConnectFailureKind =
  /** Anything that may pass. */
  | 'failed'
  /** The client speaks plain text, and what answers there speaks TLS. */
  | 'peerHasTls'
  /** The client speaks TLS, and what answers there does not. */
  | 'peerHasNoTls'
  /** The server speaks TLS, but did not agree on HTTP/2 in its handshake (ALPN). */
  | 'peerHasNoHttp2'
  /** The server's certificate comes from an authority that the client does not trust. */
  | 'unknownAuthority'
  /** The server's certificate is wrong in another way: it is for another name, or out of date. */
  | 'notTrusted'
  /** The server takes no connection without a certificate of the client. */
  | 'certificateWanted'
  /** The server does not take the client's certificate. */
  | 'certificateRefused'
  /** The options of TLS can't be used: they hold no certificate, or a key that is of another. */
  | 'unusableTls';

/** What a program that can't connect has to set otherwise. */
export type MisconfigurationKind = Exclude<ConnectFailureKind, 'failed'>;

export class ConnectFailure extends Error {
  override readonly name = 'ConnectFailure';
  readonly kind: ConnectFailureKind;

  constructor(kind: ConnectFailureKind, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.kind = kind;
  }
}

/**
 * Stands among the causes of the client's error: what is wrong, in a message without advice. The advice comes from
 * where the configuration is known: that of the command is another than that of a program.
 */
export class Misconfiguration extends Error {
  override readonly name = 'Misconfiguration';
  readonly kind: MisconfigurationKind;

  constructor(kind: MisconfigurationKind, message: string, cause: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

export function misconfigurationOf(error: Error): Misconfiguration | undefined {
  for (const cause of causesOf(error)) if (cause instanceof Misconfiguration) return cause;
  return undefined;
}

/** The errors that led to one, the nearest first. */
export function* causesOf(error: Error): Generator<Error> {
  // The bound is for a chain that bites its own tail.
  for (
    let cause = error.cause, depth = 0;
    cause instanceof Error && depth < 10;
    cause = cause.cause, depth++
  ) {
    yield cause;
  }
}

/** What Node says when something answers a TLS handshake with what is no TLS. */
const noTlsCodes: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
]);

/** What Node says when the server ends the handshake since it has none of the protocols that it was offered. */
const noHttp2Codes: ReadonlySet<string> = new Set([
  'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
  'ERR_SSL_TLS_ALERT_NO_APPLICATION_PROTOCOL',
]);

/** Node gives failed checks of a certificate the names of OpenSSL, for example DEPTH_ZERO_SELF_SIGNED_CERT. */
const CERTIFICATE_CODE = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_|ERR_TLS_CERT_)/;

/** What Node says of a certificate whose issuer is not among those trusted. */
const unknownAuthorityCodes: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** What the server says of the client's certificate, by an alert that ends the handshake or comes right behind it. */
const WANTS_CERTIFICATE = /^ERR_SSL_.*ALERT_CERTIFICATE_REQUIRED$/;
const REFUSES_CERTIFICATE =
  /^ERR_SSL_.*ALERT_(?:(?:BAD|UNSUPPORTED)_CERTIFICATE|CERTIFICATE_(?:REVOKED|EXPIRED|UNKNOWN)|UNKNOWN_CA)$/;

/** Whether a code of Node tells that a certificate was refused, which ends the handshake. */
export function isCertificateCode(code: string): boolean {
  return CERTIFICATE_CODE.test(code);
}

/** The kind by the error of a socket. */
export function kindOf(error: unknown): ConnectFailureKind {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (noTlsCodes.has(code)) return 'peerHasNoTls';
  if (noHttp2Codes.has(code)) return 'peerHasNoHttp2';
  if (WANTS_CERTIFICATE.test(code)) return 'certificateWanted';
  if (REFUSES_CERTIFICATE.test(code)) return 'certificateRefused';
  if (unknownAuthorityCodes.has(code)) return 'unknownAuthority';
  return isCertificateCode(code) ? 'notTrusted' : 'failed';
}
