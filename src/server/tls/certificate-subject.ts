/** Whose a certificate is, for people, in one line. */
import type { X509Certificate } from 'node:crypto';

/**
 * Its subject; where that is empty, as authorities leave it who name a server by its DNS names alone (RFC 5280, section 4.1.2.6), its
 * alternative names. Empty: it has neither.
 */
export function subjectOf(certificate: X509Certificate): string {
  // Node's types know no certificate without one, nor one whose subject can't be read.
  const subject = certificate.subject as string | undefined;
  return (subject ?? certificate.subjectAltName ?? '').replaceAll('\n', ', ');
}
