/**
 * Which connections may go on where client certificates are asked for. A client may come without one, and then shows a password or a
 * token. One that it sends must be valid: were it let in as if it had sent none, its calls would be refused for want of credentials, and
 * nothing would say what is wrong with those that it has. OpenSSL checks the certificate in the handshake; Node acts on that only where
 * every client needs one, so it is looked at here.
 */
import type { TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import { serverFixed } from '../../limits.ts';
import { RareLine } from '../logging/rare-line.ts';
import { subjectOf } from './certificate-subject.ts';
import { noteClientCertificate, readClientCertificate } from './client-certificate.ts';

/** Codes of OpenSSL, as Node names them. */
const reasonByCode: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it, or one of its chain, has expired',
  CERT_NOT_YET_VALID: 'it, or one of its chain, is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'no authority of --tls-client-ca has signed it',
  UNABLE_TO_GET_ISSUER_CERT: 'its chain is not whole',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'no authority of --tls-client-ca has signed it',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'no authority of --tls-client-ca has signed it',
  CERT_SIGNATURE_FAILURE: 'no authority of --tls-client-ca has signed it',
  INVALID_PURPOSE: 'it is not for clients',
};

export class ClientCheck {
  readonly #line: RareLine;

  constructor(logger: Logger) {
    this.#line = new RareLine(logger, serverFixed.refusedClientLogMs);
  }

  /** The handshake is done. @returns why the connection is refused; `undefined`: it may go on. */
  refusalOf(socket: TLSSocket): string | undefined {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return undefined;
    if (socket.authorized) {
      noteClientCertificate(socket, readClientCertificate(certificate));
      return undefined;
    }
    // Node's types say that it is an error; it is the code.
    const code = String(socket.authorizationError);
    const reason = reasonByCode[code] ?? code;
    this.#line.tell(
      {
        remoteAddress: socket.remoteAddress,
        reason,
        subject: subjectOf(certificate).slice(0, serverFixed.loggedSubjectCharactersMax),
      },
      'a client came with a certificate that is not valid',
    );
    return `the client certificate is not valid: ${reason}`;
  }
}
