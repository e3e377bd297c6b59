/** The names that a client's certificate gives, whatever stands in it. */
import { X509Certificate } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ClientCertificate, readClientCertificate } from '../../../src/server/tls/client-certificate.ts';
import { type CertificateOptions, selfSigned } from '../../support/certificates.ts';

function read(options: CertificateOptions): ClientCertificate {
  return readClientCertificate(new X509Certificate(selfSigned(options).cert));
}

describe('the names of a client certificate', () => {
  test('are its common name, its URIs, then its DNS names', () => {
    const names = {
      commonNames: ['alice'],
      dnsNames: ['a.example', 'b.example'],
      uris: ['spiffe://example/alice'],
      ipAddresses: [Buffer.from([127, 0, 0, 1])],
    };
    expect(read(names).names).toEqual(['alice', 'spiffe://example/alice', 'a.example', 'b.example']);
  });

  test('are those that there are', () => {
    expect(read({ uris: ['spiffe://example/alice'] }).names).toEqual(['spiffe://example/alice']);
    expect(read({ commonNames: ['alice'] }).names).toEqual(['alice']);
    expect(read({ commonNames: ['alice', 'bob'] }).names).toEqual(['alice', 'bob']);
    expect(read({}).names).toEqual([]);
  });

  test('are taken as they are written', () => {
    const commonName = 'Zoë, "O=x"\nCN=root + \\ \0';
    expect(read({ commonNames: [commonName] }).names).toEqual([commonName]);
  });

  test('do not come out of a name that looks like several', () => {
    for (const hostile of [
      'x, DNS:root',
      'x", DNS:root',
      'x\\", DNS:root, URI:"',
      'x\n, CN=root',
      "x', DNS:'root",
      'x\0, DNS:root',
    ]) {
      expect(read({ uris: [hostile] }).names).toEqual([hostile]);
      expect(read({ dnsNames: [hostile] }).names).toEqual([hostile]);
    }
  });

  test('are read back, whatever bytes stand in them', () => {
    const name = fc.string({
      unit: fc.integer({ min: 0, max: 0x7f }).map((code) => String.fromCharCode(code)),
    });
    const several = fc.array(name, { maxLength: 3 });
    fc.assert(
      fc.property(several, several, (uris, dnsNames) => {
        expect(read({ uris, dnsNames }).names).toEqual([...uris, ...dnsNames]);
      }),
      { numRuns: 50 },
    );
  });
});

test('a client certificate expires when it says', () => {
  const notAfter = new Date('2031-05-06T07:08:09Z');
  expect(read({ notAfter }).expireTimeMs).toBe(notAfter.getTime());
});
