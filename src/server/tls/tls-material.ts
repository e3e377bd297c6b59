/**
 * What TLS of a server is made of, checked as a whole before it is used: a certificate, its key, and the authorities of client
 * certificates. OpenSSL itself takes a key of another kind than the certificate's, and passes over what it can't read of authorities, and
 * then no handshake succeeds.
 */
import { X509Certificate, constants, createPrivateKey } from 'node:crypto';
import { type SecureContextOptions, createSecureContext } from 'node:tls';
import { subjectOf } from './certificate-subject.ts';

/** The contents of the files, in PEM form. */
export interface TlsFiles {
  /** The certificate, with its chain behind it. */
  readonly cert: Buffer;
  readonly key: Buffer;
  /** `undefined`: client certificates are not asked for. */
  readonly clientCa: Buffer | undefined;
}

export interface TlsMaterial extends TlsFiles {
  /** Of the certificate, for people (`subjectOf`). */
  readonly subject: string;
  readonly beginTimeMs: number;
  /** When the first of the certificate and its chain is over. */
  readonly expireTimeMs: number;
}

/** A file of TLS can't be read or used. The message names the option and says why. */
export class TlsFileError extends Error {
  override readonly name = 'TlsFileError';
}

/** Throws a `TlsFileError`. Whether it is the time for the certificate is not looked at. */
export function checkTlsFiles(files: TlsFiles): TlsMaterial {
  const { cert, key, clientCa } = files;
  const whose = '--tls-cert and --tls-key';
  const leaf = checked(`${whose}: expected a certificate and its key in PEM form`, () => {
    createSecureContext({ cert, key });
    return new X509Certificate(cert);
  });
  if (!leaf.checkPrivateKey(createPrivateKey(key))) {
    throw new TlsFileError(`${whose}: the key is not that of the certificate`);
  }
  const chain = checked('--tls-cert: expected certificates in PEM form', () => certificatesIn(cert));
  if (clientCa !== undefined) {
    const option = '--tls-client-ca: expected certificates of authorities in PEM form';
    const authorities = checked(option, () => certificatesIn(clientCa));
    if (authorities.length === 0) throw new TlsFileError(`${option}: there is none`);
  }
  return {
    ...files,
    subject: subjectOf(leaf),
    beginTimeMs: leaf.validFromDate.getTime(),
    expireTimeMs: Math.min(...[leaf, ...chain].map(({ validToDate }) => validToDate.getTime())),
  };
}

/**
 * Where clients show certificates no session is resumed: it would go on with what was checked when it began, though the certificate may
 * have expired since, or its authority be gone. That costs both sides together 1 ms of processor time for each connection.
 */
export function contextOptions({ cert, key, clientCa }: TlsFiles): SecureContextOptions {
  return {
    cert,
    key,
    minVersion: 'TLSv1.2',
    ...(clientCa === undefined ? {} : { ca: clientCa, secureOptions: constants.SSL_OP_NO_TICKET }),
  };
}

/** A block without its end, of a file that is being written, is none. */
function certificatesIn(pem: Buffer): X509Certificate[] {
  const block = /-----BEGIN ([A-Z0-9 ]*)CERTIFICATE-----[^-]*(?:-----END \1CERTIFICATE-----)?/g;
  return [...pem.toString('latin1').matchAll(block)].map(([text]) => new X509Certificate(text));
}

function checked<Result>(expected: string, check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    throw new TlsFileError(`${expected}: ${(error as Error).message}`, { cause: error });
  }
}
