/**
 * Certificates for tests: of an authority that is made anew, of any validity and with any names, well formed or odd. Written in DER by
 * hand (X.690, RFC 5280), since neither Node nor every openssl makes one that has expired.
 */
import { type KeyObject, createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface CertificateOptions {
  readonly commonNames?: readonly (string | Buffer)[];
  readonly dnsNames?: readonly string[];
  readonly uris?: readonly string[];
  readonly ipAddresses?: readonly Buffer[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** What it may be used for; left out: anything. */
  readonly usages?: readonly ('clientAuth' | 'serverAuth')[];
  readonly isAuthority?: boolean;
}

/** In PEM form. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

const dayMs = 24 * 60 * 60 * 1000;

export function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * dayMs);
}

export class Authority {
  readonly identity: Identity;
  readonly #name: string;
  readonly #key: KeyObject;

  constructor(name = 'test authority', options: CertificateOptions = {}) {
    this.#name = name;
    const identity = selfSigned({ commonNames: [name], isAuthority: true, ...options });
    this.identity = identity;
    this.#key = createPrivateKey(identity.key);
  }

  /** For a server of this machine. */
  server(options: CertificateOptions = {}): Identity {
    return this.issue({
      commonNames: ['localhost'],
      dnsNames: ['localhost'],
      ipAddresses: [Buffer.from([127, 0, 0, 1])],
      ...options,
    });
  }

  issue(options: CertificateOptions): Identity {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    return {
      cert: certificate(options, distinguishedName([this.#name]), publicKey, this.#key),
      key: pemOf(privateKey),
    };
  }
}

export function selfSigned(options: CertificateOptions): Identity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const issuer = distinguishedName(options.commonNames ?? []);
  return { cert: certificate(options, issuer, publicKey, privateKey), key: pemOf(privateKey) };
}

function pemOf(privateKey: KeyObject): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function certificate(
  options: CertificateOptions,
  issuer: Buffer,
  publicKey: KeyObject,
  issuerKey: KeyObject,
): string {
  const { commonNames = [], notBefore = daysFromNow(-1), notAfter = daysFromNow(30) } = options;
  const ecdsaWithSha256 = sequence(objectId(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
  const version3 = element(0xa0, element(0x02, Buffer.from([2])));
  const toBeSigned = sequence(
    version3,
    element(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    issuer,
    sequence(time(notBefore), time(notAfter)),
    distinguishedName(commonNames),
    publicKey.export({ type: 'spki', format: 'der' }),
    element(0xa3, sequence(...extensions(options))),
  );
  const signature = sign('sha256', toBeSigned, issuerKey);
  const der = sequence(toBeSigned, ecdsaWithSha256, bitString(signature));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function extensions(options: CertificateOptions): Buffer[] {
  const { dnsNames = [], uris = [], ipAddresses = [], usages, isAuthority = false } = options;
  const basicConstraints = isAuthority ? sequence(element(0x01, Buffer.from([0xff]))) : sequence();
  const made = [extension([0x55, 0x1d, 0x13], basicConstraints)];
  const names = [
    ...dnsNames.map((name) => element(0x82, Buffer.from(name, 'latin1'))),
    ...uris.map((uri) => element(0x86, Buffer.from(uri, 'latin1'))),
    ...ipAddresses.map((address) => element(0x87, address)),
  ];
  if (names.length > 0) made.push(extension([0x55, 0x1d, 0x11], sequence(...names)));
  if (usages !== undefined) {
    const serverAuth = objectId(0x2b, 6, 1, 5, 5, 7, 3, 1);
    const clientAuth = objectId(0x2b, 6, 1, 5, 5, 7, 3, 2);
    const ids = usages.map((usage) => (usage === 'clientAuth' ? clientAuth : serverAuth));
    made.push(extension([0x55, 0x1d, 0x25], sequence(...ids)));
  }
  return made;
}

function extension(id: readonly number[], value: Buffer): Buffer {
  return sequence(objectId(...id), element(0x04, value));
}

function distinguishedName(commonNames: readonly (string | Buffer)[]): Buffer {
  const commonName = objectId(0x55, 0x04, 0x03);
  const parts = commonNames.map((name) =>
    element(0x31, sequence(commonName, element(0x0c, Buffer.from(name as string)))),
  );
  return sequence(...parts);
}

/** Years beyond 2049 have another form. */
function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return date.getUTCFullYear() < 2050
    ? element(0x17, Buffer.from(digits.slice(2)))
    : element(0x18, Buffer.from(digits));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts));
}

function objectId(...bytes: readonly number[]): Buffer {
  return element(0x06, Buffer.from(bytes));
}

function bitString(bytes: Buffer): Buffer {
  return element(0x03, Buffer.concat([Buffer.from([0]), bytes]));
}

function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  return Buffer.concat([Buffer.from([tag, ...encodedLength(length)]), content]);
}

/** In as few bytes as it takes: Go takes no others. */
function encodedLength(length: number): readonly number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}
