/** Certificates, passwords and tokens as the files that options name. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Authority } from '../../support/certificates.ts';
import { temporaryDirectory } from '../../support/test-server.ts';

export class SecretFiles {
  /** Of 127.0.0.1, for servers and clients, by the authority of `ca`. */
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  /** Of another authority, which has signed nothing here. */
  readonly strangeCa: string;
  readonly authorityPem: string;
  readonly #folder: string;

  private constructor(folder: string, authorityPem: string) {
    this.#folder = folder;
    this.authorityPem = authorityPem;
    this.cert = join(folder, 'cert.pem');
    this.key = join(folder, 'key.pem');
    this.ca = join(folder, 'ca.pem');
    this.strangeCa = join(folder, 'strange-ca.pem');
  }

  static async make(): Promise<SecretFiles> {
    const authority = new Authority();
    const files = new SecretFiles(await temporaryDirectory(), authority.identity.cert);
    const { cert, key } = authority.server({ usages: ['serverAuth', 'clientAuth'] });
    const stranger = new Authority('a stranger').identity.cert;
    await Promise.all([
      writeFile(files.cert, cert),
      writeFile(files.key, key, { mode: 0o600 }),
      writeFile(files.ca, authority.identity.cert),
      writeFile(files.strangeCa, stranger),
    ]);
    return files;
  }

  /** @returns the path of a file with this secret. */
  async secret(name: string, text: string): Promise<string> {
    const path = join(this.#folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  }
}
