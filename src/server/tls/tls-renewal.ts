/**
 * Keeps the TLS of a server as its files are, without a restart: they are read again on demand (SIGHUP), and looked at every few seconds,
 * by what is in them. So it does not matter how they are replaced: written in place, renamed over, or by a link that leads elsewhere, as
 * Kubernetes does, on whatever file system.
 *
 * - Only files that fit together are used; until then those from before stay, and it is tried again. A certificate is written before
 *   its key or behind it, so files that do not fit are told when two looks in a row have found the same ones, and once; on demand
 *   at once.
 * - Open connections, and handshakes under way, stay as they are.
 * - A look is over before the next one begins.
 */
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock, Timer } from '../../clock.ts';
import { serverFixed } from '../../limits.ts';
import { type TlsPaths, areSameFiles, readTlsFilesAgain } from './tls-files.ts';
import { type TlsFiles, type TlsMaterial, checkTlsFiles } from './tls-material.ts';

export interface TlsRenewalOptions {
  readonly paths: TlsPaths;
  /** What is in use. */
  readonly material: TlsMaterial;
  /** Takes other material into use. */
  readonly use: (material: TlsMaterial) => void;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Of a certificate: before its time, within it, near its end, beyond it. */
type Age = 'early' | 'valid' | 'late' | 'over';

const warningByAge: { readonly [age in Age]: string | undefined } = {
  early: 'the TLS certificate is not valid yet',
  valid: undefined,
  late: 'the TLS certificate expires soon',
  over: 'the TLS certificate has expired',
};

export class TlsRenewal {
  readonly #options: TlsRenewalOptions;
  #material: TlsMaterial;
  #timer: Timer | undefined;
  #isStopped = false;
  /** The look that goes on, ... */
  #looking: Promise<void> = Promise.resolve();
  /** ... and the one that was asked for and has not begun. */
  #asked: Promise<void> | undefined;
  /** As it was looked at last. */
  #age: Age = 'valid';
  /** What the last look found that can't be used, and whether it was told. */
  #fault: { readonly id: string; isTold: boolean } | undefined;

  constructor(options: TlsRenewalOptions) {
    this.#options = options;
    this.#material = options.material;
  }

  /** Of the certificate in use, or of its chain if that is earlier; by the wall clock. */
  get expireTimeMs(): number {
    return this.#material.expireTimeMs;
  }

  /** Begins to look after the files. */
  start(): void {
    this.#options.logger.info(factsOf(this.#material), 'the TLS files were read');
    this.#warn();
    this.#arm();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Reads the files at once; resolves when what is in them is in use, or the log says why it is not. Never rejects. */
  renew(): Promise<void> {
    this.#asked ??= this.#after(() => {
      this.#asked = undefined;
      return this.#look(true);
    });
    return this.#asked;
  }

  #arm(): void {
    if (this.#isStopped) return;
    this.#timer = this.#options.clock.setTimer(serverFixed.tlsFilesCheckMs, () => {
      void this.#after(() => this.#look(false)).then(() => this.#arm());
    });
  }

  #after(look: () => Promise<void>): Promise<void> {
    this.#looking = this.#looking.then(look);
    return this.#looking;
  }

  async #look(isAsked: boolean): Promise<void> {
    const { paths, logger, use } = this.#options;
    let files: TlsFiles | undefined;
    try {
      files = await readTlsFilesAgain(paths, this.#material);
      if (this.#isStopped) return;
      if (areSameFiles(files, this.#material)) {
        if (isAsked) logger.info(factsOf(this.#material), 'the TLS files are as they were');
      } else {
        const material = checkTlsFiles(files);
        use(material);
        this.#material = material;
        this.#age = 'valid';
        logger.info(factsOf(material), 'the TLS files were read again');
      }
      this.#fault = undefined;
    } catch (error) {
      this.#failed(error as Error, files, isAsked);
    }
    this.#warn();
  }

  #failed({ message }: Error, files: TlsFiles | undefined, isAsked: boolean): void {
    const id = `${message}\n${files === undefined ? '' : digestOf(files)}`;
    const isSeenBefore = this.#fault?.id === id;
    if (!isSeenBefore) this.#fault = { id, isTold: false };
    const fault = this.#fault;
    if (fault === undefined || !(isAsked || (isSeenBefore && !fault.isTold))) return;
    fault.isTold = true;
    this.#options.logger.error(
      { reason: message },
      'the TLS files are not usable: those from before stay, and it is tried again',
    );
  }

  /** Once for each certificate and age. */
  #warn(): void {
    const { logger, clock } = this.#options;
    const age = ageOf(this.#material, clock.nowMs());
    if (age === this.#age) return;
    this.#age = age;
    const warning = warningByAge[age];
    if (warning !== undefined) logger.warn(factsOf(this.#material), warning);
  }
}

function ageOf({ beginTimeMs, expireTimeMs }: TlsMaterial, nowMs: number): Age {
  if (nowMs >= expireTimeMs) return 'over';
  if (nowMs < beginTimeMs) return 'early';
  return nowMs < expireTimeMs - serverFixed.certificateWarningMs ? 'valid' : 'late';
}

function factsOf({ subject, beginTimeMs, expireTimeMs }: TlsMaterial): object {
  return {
    subject,
    validFrom: new Date(beginTimeMs).toISOString(),
    expires: new Date(expireTimeMs).toISOString(),
  };
}

function digestOf({ cert, key, clientCa = Buffer.alloc(0) }: TlsFiles): string {
  const hash = createHash('sha256');
  for (const file of [cert, key, clientCa]) hash.update(`${file.length} `).update(file);
  return hash.digest('base64');
}
