/** Files of TLS that are replaced in all the ways there are, at a time that the test decides. */
import { execFile } from 'node:child_process';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import type { Timer } from '../../../src/clock.ts';
import { serverFixed } from '../../../src/limits.ts';
import { createLogger } from '../../../src/server/logging/logger.ts';
import { readTlsFiles, type TlsPaths } from '../../../src/server/tls/tls-files.ts';
import { type TlsMaterial, checkTlsFiles } from '../../../src/server/tls/tls-material.ts';
import { TlsRenewal } from '../../../src/server/tls/tls-renewal.ts';
import { Authority, type Identity } from '../../support/certificates.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { TestLog, temporaryDirectory } from '../../support/test-server.ts';

const READ = 'the TLS files were read again';
const SAME = 'the TLS files are as they were';
const UNUSABLE = 'the TLS files are not usable: those from before stay, and it is tried again';

const authority = new Authority();
const dayMs = 24 * 60 * 60 * 1000;

/** Tells of each timer that is set: the look before it is over. */
class ClockOfLooks extends ManualClock {
  #timerSet = Promise.withResolvers<void>();

  override setTimer(delayMs: number, callback: () => void): Timer {
    this.#timerSet.resolve();
    return super.setTimer(delayMs, callback);
  }

  /** The time for a look comes, and it is done. */
  async look(): Promise<void> {
    this.#timerSet = Promise.withResolvers();
    this.advance(serverFixed.tlsFilesCheckMs);
    await this.#timerSet.promise;
  }
}

class RenewalUnderTest {
  readonly clock = new ClockOfLooks(Date.now());
  readonly log = new TestLog();
  /** What was taken into use, in order. */
  readonly used: TlsMaterial[] = [];
  readonly renewal: TlsRenewal;

  constructor(paths: TlsPaths, material: TlsMaterial) {
    this.renewal = new TlsRenewal({
      paths,
      material,
      use: (renewed) => this.used.push(renewed),
      logger: createLogger({ level: 'info', format: 'json' }, this.log),
      clock: this.clock,
    });
    this.renewal.start();
    onTestFinished(() => this.renewal.stop());
  }

  static async of(paths: TlsPaths): Promise<RenewalUnderTest> {
    return new RenewalUnderTest(paths, checkTlsFiles(await readTlsFiles(paths)));
  }

  get usedCertificates(): string[] {
    return this.used.map(({ cert }) => cert.toString());
  }

  get messages(): unknown[] {
    return this.log.lines.map(({ msg }) => msg).slice(1);
  }
}

async function folder(identity: Identity, clientCa?: string): Promise<TlsPaths> {
  const directory = await temporaryDirectory();
  const path = (name: string): string => join(directory, name);
  await writeFile(path('tls.crt'), identity.cert);
  await writeFile(path('tls.key'), identity.key);
  if (clientCa !== undefined) await writeFile(path('ca.crt'), clientCa);
  return {
    certPath: path('tls.crt'),
    keyPath: path('tls.key'),
    clientCaPath: clientCa === undefined ? undefined : path('ca.crt'),
  };
}

async function renameOver(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

test.each([
  ['written in place', writeFile],
  ['renamed over', renameOver],
] as const)('files that are %s are in use after a look', async (_, replace) => {
  const paths = await folder(authority.server());
  const { renewal, clock, log, used, usedCertificates } = await RenewalUnderTest.of(paths);
  await clock.look();
  expect(usedCertificates).toEqual([]);
  expect(log.lines).toMatchObject([
    { level: 'info', msg: 'the TLS files were read', subject: 'CN=localhost' },
  ]);

  const notAfter = new Date('2040-01-02T03:04:05Z');
  const next = authority.server({ commonNames: ['next'], notAfter });
  await replace(paths.certPath, next.cert);
  await replace(paths.keyPath, next.key);
  await clock.look();

  expect(used.map(({ cert, key }) => [cert.toString(), key.toString()])).toEqual([[next.cert, next.key]]);
  expect(log.lines.at(-1)).toMatchObject({
    level: 'info',
    msg: READ,
    subject: 'CN=next',
    expires: '2040-01-02T03:04:05.000Z',
  });
  expect(renewal.expireTimeMs).toBe(notAfter.getTime());
  await clock.look();
  expect(used.length).toBe(1);
});

test('a link that leads to another folder, as Kubernetes mounts secrets, is in use after a look', async () => {
  const [before, after] = [authority.server(), authority.server()];
  const directory = await temporaryDirectory();
  const mount = async (name: string, identity: Identity): Promise<void> => {
    await mkdir(join(directory, name));
    await writeFile(join(directory, name, 'tls.crt'), identity.cert);
    await writeFile(join(directory, name, 'tls.key'), identity.key);
    await symlink(name, join(directory, '..data_tmp'));
    await rename(join(directory, '..data_tmp'), join(directory, '..data'));
  };
  await mount('..1', before);
  for (const name of ['tls.crt', 'tls.key']) await symlink(join('..data', name), join(directory, name));
  const paths = {
    certPath: join(directory, 'tls.crt'),
    keyPath: join(directory, 'tls.key'),
    clientCaPath: undefined,
  };
  const renewed = await RenewalUnderTest.of(paths);

  await mount('..2', after);
  await rm(join(directory, '..1'), { recursive: true });
  await renewed.clock.look();

  expect(renewed.usedCertificates).toEqual([after.cert]);
});

test('other authorities of clients alone are in use after a look', async () => {
  const [before, after] = [new Authority(), new Authority()];
  const paths = await folder(authority.server(), before.identity.cert);
  const { clock, used } = await RenewalUnderTest.of(paths);
  await writeFile(paths.clientCaPath ?? '', before.identity.cert + after.identity.cert);
  await clock.look();
  expect(used.map(({ clientCa }) => clientCa?.toString())).toEqual([
    before.identity.cert + after.identity.cert,
  ]);
});

test('a certificate whose key comes a little later is used with it, and nothing is said of the time between', async () => {
  const paths = await folder(authority.server());
  const renewed = await RenewalUnderTest.of(paths);
  const next = authority.server();
  await writeFile(paths.certPath, next.cert.slice(0, 100));
  await renewed.clock.look();
  await writeFile(paths.certPath, next.cert);
  await renewed.clock.look();
  expect(renewed.used).toEqual([]);
  await writeFile(paths.keyPath, next.key);
  await renewed.clock.look();
  expect(renewed.usedCertificates).toEqual([next.cert]);
  expect(renewed.messages).toEqual([READ]);
});

test.each([
  ['the key of another certificate', 'keyPath', authority.server().key, /key values mismatch/],
  ['a certificate that is none', 'certPath', 'none', /^--tls-cert and --tls-key: expected/],
  ['authorities that are none', 'clientCaPath', 'none', /^--tls-client-ca: expected/],
  ['a file that is too long', 'keyPath', ' '.repeat(serverFixed.tlsFileBytesMax + 1), /is longer than/],
  ['a file that is gone', 'keyPath', undefined, /^--tls-key: can't read .*ENOENT/],
] as const)(
  '%s leaves what is in use, is told once, and is over when it is mended',
  async (_, which, text, reason) => {
    const identity = authority.server();
    const paths = await folder(identity, authority.identity.cert);
    const path = paths[which] ?? '';
    const renewed = await RenewalUnderTest.of(paths);
    if (text === undefined) await rm(path);
    else await writeFile(path, text);
    for (let count = 0; count < 5; count++) await renewed.clock.look();
    expect(renewed.messages).toEqual([UNUSABLE]);
    expect(renewed.log.lines.at(-1)).toMatchObject({
      level: 'error',
      reason: expect.stringMatching(reason) as string,
    });
    expect(renewed.used).toEqual([]);

    const next = authority.server();
    await writeFile(paths.certPath, next.cert);
    await writeFile(paths.keyPath, next.key);
    await writeFile(paths.clientCaPath ?? '', authority.identity.cert);
    await renewed.clock.look();
    expect(renewed.usedCertificates).toEqual([next.cert]);
  },
);

test('files that are asked to be read again are so at once, and each answer is told', async () => {
  const paths = await folder(authority.server());
  const renewed = await RenewalUnderTest.of(paths);
  const { renewal } = renewed;
  await renewal.renew();
  expect(renewed.messages).toEqual([SAME]);

  await writeFile(paths.keyPath, 'none');
  await renewal.renew();
  await renewal.renew();
  expect(renewed.messages).toEqual([SAME, UNUSABLE, UNUSABLE]);

  const next = authority.server();
  await writeFile(paths.certPath, next.cert);
  await writeFile(paths.keyPath, next.key);
  await Promise.all([renewal.renew(), renewal.renew(), renewal.renew()]);
  expect(renewed.messages).toEqual([SAME, UNUSABLE, UNUSABLE, READ]);
  expect(renewed.used.length).toBe(1);
});

test('a key that came through a pipe stays, and holds up no look', async () => {
  const identity = authority.server();
  const paths = await folder(identity);
  await rm(paths.keyPath);
  await promisify(execFile)('mkfifo', [paths.keyPath]);
  const [renewed] = await Promise.all([RenewalUnderTest.of(paths), writeFile(paths.keyPath, identity.key)]);
  const next = authority.server();

  await writeFile(paths.certPath, next.cert);
  await renewed.renewal.renew();
  expect(renewed.log.lines.at(-1)).toMatchObject({ reason: expect.stringContaining('mismatch') as string });

  await writeFile(paths.certPath, identity.cert);
  await renewed.renewal.renew();
  expect(renewed.messages).toEqual([UNUSABLE, SAME]);
});

test('what is stopped looks no more', async () => {
  const paths = await folder(authority.server());
  const renewed = await RenewalUnderTest.of(paths);
  const next = authority.server();
  await writeFile(paths.certPath, next.cert);
  await writeFile(paths.keyPath, next.key);
  const asked = renewed.renewal.renew();
  renewed.renewal.stop();
  await asked;
  renewed.clock.advance(10 * serverFixed.tlsFilesCheckMs);
  await renewed.renewal.renew();
  expect(renewed.used).toEqual([]);
});

test('a certificate is warned of once as it comes near its end, and once when it is over', async () => {
  const nowMs = Date.now();
  const at = (days: number): Date => new Date(nowMs + days * dayMs);
  const paths = await folder(authority.server({ notAfter: at(15) }));
  const renewed = await RenewalUnderTest.of(paths);
  await renewed.clock.look();
  expect(renewed.messages).toEqual([]);
  for (let day = 0; day < 20; day++) {
    renewed.clock.jump(dayMs);
    await renewed.clock.look();
  }
  const [soon, over] = ['the TLS certificate expires soon', 'the TLS certificate has expired'];
  expect(renewed.messages).toEqual([soon, over]);
  expect(renewed.log.lines.slice(1)).toMatchObject([{ level: 'warn' }, { level: 'warn' }]);

  const early = authority.server({ notBefore: at(25), notAfter: at(35) });
  await writeFile(paths.certPath, early.cert);
  await writeFile(paths.keyPath, early.key);
  await renewed.clock.look();
  expect(renewed.messages).toEqual([soon, over, READ, 'the TLS certificate is not valid yet']);
  renewed.clock.jump(6 * dayMs);
  await renewed.clock.look();
  expect(renewed.messages.at(-1)).toBe(soon);
});
