/** Files of TLS that do not fit are told apart from those that do, before a server uses them. */
import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { type TlsMaterial, checkTlsFiles } from '../../../src/server/tls/tls-material.ts';
import { Authority, selfSigned } from '../../support/certificates.ts';

const authority = new Authority();
const identity = authority.server();

function check({ cert = identity.cert, key = identity.key, clientCa = '' }): TlsMaterial {
  return checkTlsFiles({
    cert: Buffer.from(cert),
    key: Buffer.from(key),
    clientCa: clientCa === '' ? undefined : Buffer.from(clientCa),
  });
}

test('a certificate and its key are taken, with what the certificate says', () => {
  const [notBefore, notAfter] = [new Date('2026-01-02T00:00:00Z'), new Date('2061-01-02T00:00:00Z')];
  expect(check(authority.server({ notBefore, notAfter }))).toMatchObject({
    subject: 'CN=localhost',
    beginTimeMs: notBefore.getTime(),
    expireTimeMs: notAfter.getTime(),
  });
});

test('a certificate without a subject is told by its alternative names', () => {
  const { subject } = check(authority.server({ commonNames: [] }));
  expect(subject).toBe('DNS:localhost, IP Address:127.0.0.1');
});

test('a chain expires with the first of it', () => {
  const notAfter = new Date('2027-01-02T00:00:00Z');
  const intermediate = selfSigned({ commonNames: ['intermediate'], isAuthority: true, notAfter });
  const server = authority.server({ notAfter: new Date('2061-01-02T00:00:00Z') });
  const { expireTimeMs } = check({ ...server, cert: server.cert + intermediate.cert });
  expect(expireTimeMs).toBe(notAfter.getTime());
});

test('the key of another certificate is refused, also one of another kind', () => {
  expect(() => check({ key: authority.server().key })).toThrow(
    /^--tls-cert and --tls-key: expected a certificate and its key in PEM form: .*key values mismatch/,
  );
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  expect(() => check({ key: rsa.export({ type: 'pkcs8', format: 'pem' }).toString() })).toThrow(
    '--tls-cert and --tls-key: the key is not that of the certificate',
  );
});

test('what is no certificate or no key is refused', () => {
  for (const files of [{ cert: '' }, { key: '' }, { cert: 'x' }, { key: identity.cert }]) {
    expect(() => check(files)).toThrow(
      /^--tls-cert and --tls-key: expected a certificate and its key in PEM form: /,
    );
  }
  const half = identity.cert.slice(0, identity.cert.length / 2);
  expect(() => check({ cert: half })).toThrow(/^--tls-cert and --tls-key: expected/);
});

test('authorities of clients are certificates, each of them', () => {
  const { cert } = authority.identity;
  const broken = cert.replace(/\n.{8}/, '\nAAAAAAAA');
  expect(check({ clientCa: `# ours\n${cert}# theirs\n${cert}` })).toMatchObject({ subject: 'CN=localhost' });
  for (const clientCa of ['x', identity.key, cert + broken, broken + cert, cert + cert.slice(0, 200)]) {
    expect(() => check({ clientCa }), clientCa).toThrow(
      /^--tls-client-ca: expected certificates of authorities in PEM form: /,
    );
  }
});
