/**
 * Safe by default: on an address that other machines reach, a server starts only with a decision about access. What stands there
 * (root: `--root-password-file` is given, or the store has a user root, and does not hold access open):
 *
 *     TLS or --allow-plaintext   root   --allow-anonymous
 *     yes                        yes    any                 access is closed, passwords are safe on their way
 *     no                         yes    any                 refused: passwords could be read along
 *     any                        no     yes                 access is open, which the log says
 *     any                        no     no                  refused: all could do everything
 *
 * On a loopback address or a socket of this machine all of it is left to the operator. A start that is refused whatever the
 * store holds is so before the store is opened, since a recovery can take minutes; else before any call is served.
 */
import type { Logger } from 'pino';
import type { Access } from '../../access/access.ts';
import { type SecretFile, readSecretFile } from '../../secret-file.ts';
import { ROOT } from '../../access/records/open-hold.ts';
import { makeRoot, setRootPassword } from '../../access/root.ts';
import type { Disk } from '../../disk/disk.ts';
import { dataDirectory } from '../../store/directory/data-directory.ts';
import type { ServerConfig } from '../config/config.ts';
import { type ListenAddress, OptionError, formatAddress } from '../config/option-values.ts';
import { isLoopbackAddress } from '../config/loopback-address.ts';

export type StartConfig = Pick<ServerConfig, 'dataDir' | 'access' | 'cluster'>;

/** One of the addresses at which the server listens. */
export interface BoundAddress {
  /** As the system says. */
  readonly address: ListenAddress;
  readonly hasTls: boolean;
}

export class SafeStart {
  readonly #config: StartConfig;
  readonly #bounds: readonly BoundAddress[];
  /** Read once: it may be a pipe. */
  #rootPassword: Promise<SecretFile> | undefined;

  constructor(config: StartConfig, bounds: readonly BoundAddress[]) {
    this.#config = config;
    this.#bounds = bounds;
  }

  /** Rejects with an `OptionError` when the start is refused whatever the store holds. */
  async refuseEarly(disk: Disk): Promise<void> {
    const { dataDir, access, cluster } = this.#config;
    const withoutRoot = this.#refusal(false);
    // The store of a cluster may have users when the directory of its node is new.
    if (cluster === undefined && (await isStoreNew(disk, dataDir))) {
      if (withoutRoot !== undefined) throw new OptionError(withoutRoot);
      if (access.rootPasswordFile !== undefined) await this.#readRootPassword(access.rootPasswordFile);
    } else if (withoutRoot !== undefined && this.#refusal(true) !== undefined) {
      throw new OptionError(withoutRoot);
    }
  }

  /**
   * Makes root, durably, if that is asked for and it is not there; where access is held open, that closes it, with a password which is
   * known. The store is open, and no call is served yet.
   * Rejects with an `OptionError` when the start is refused.
   */
  async settle(access: Access, logger: Logger): Promise<void> {
    const { rootPasswordFile, allowAnonymous } = this.#config.access;
    const { isClosed: hasRoot, isHeldOpen } = access.table;
    const refusal = this.#refusal(hasRoot);
    if (refusal !== undefined) throw new OptionError(refusal);
    if (rootPasswordFile !== undefined && hasRoot) {
      logger.info({ rootPasswordFile }, 'there is a user root: --root-password-file is not used');
    } else if (rootPasswordFile !== undefined) {
      const { secret: password, mayAllRead } = await this.#readRootPassword(rootPasswordFile);
      if (mayAllRead) {
        logger.warn(
          { rootPasswordFile },
          'every user of this machine may read the file of the root password',
        );
      }
      await (isHeldOpen ? setRootPassword : makeRoot)(access, password);
      const method = isHeldOpen ? 'SetPassword' : 'CreateUser';
      const change = { event: 'access.changed', method, name: ROOT };
      const message = isHeldOpen
        ? 'access was held open and is closed, and the user root has the password of the file'
        : 'the user root was made';
      logger.info({ ...change, rootPasswordFile }, message);
    } else if (isHeldOpen) {
      logger.warn(
        'access is held open: all who reach the address may do everything until it is closed by AuthEnable',
      );
    } else if (allowAnonymous) {
      if (hasRoot) logger.warn('--allow-anonymous changes nothing: there is a user root');
      else logger.warn('access is open: all who reach the address may do everything');
    }
    if (access.table.isClosed && this.#bounds.some((bound) => isExposed(bound.address) && !bound.hasTls)) {
      logger.warn('passwords and tokens come without TLS: they can be read along');
    }
  }

  /** Whether access may be opened while the server runs: a start with it open would not be refused. */
  get mayOpen(): boolean {
    const { allowAnonymous } = this.#config.access;
    return allowAnonymous || !this.#bounds.some(({ address }) => isExposed(address));
  }

  /** Why the server must not serve; `undefined`: it may. */
  #refusal(hasRoot: boolean): string | undefined {
    for (const bound of this.#bounds) {
      const refusal = this.#refusalOf(bound, hasRoot);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  #refusalOf({ address, hasTls }: BoundAddress, hasRoot: boolean): string | undefined {
    const { access } = this.#config;
    if (!isExposed(address)) return undefined;
    const isSafeOnItsWay = hasTls || access.allowPlaintext;
    if (hasRoot || access.rootPasswordFile !== undefined) {
      return isSafeOnItsWay ? undefined : readAlong(address, hasRoot && access.allowAnonymous);
    }
    return access.allowAnonymous ? undefined : undecided(address, isSafeOnItsWay);
  }

  #readRootPassword(path: string): Promise<SecretFile> {
    this.#rootPassword ??= readSecretFile(path, 'password').catch((error: Error) => {
      throw new OptionError(`--root-password-file: ${error.message}`, { cause: error });
    });
    return this.#rootPassword;
  }
}

function undecided(bound: ListenAddress, isSafeOnItsWay: boolean): string {
  const tls = isSafeOnItsWay
    ? ''
    : ', with --tls-cert and --tls-key or, where no one can read along, --allow-plaintext';
  return (
    `other machines reach ${formatAddress(bound)}, and nothing says who may do what there. Either close access: ` +
    `--root-password-file names a file with the password of the user root, unless the store has one${tls}. Or let all do ` +
    `everything: --allow-anonymous. Or listen on 127.0.0.1. ${inEnvironment}`
  );
}

function readAlong(bound: ListenAddress, isAnonymousAsked: boolean): string {
  const why = isAnonymousAsked ? ', since the store has a user root,' : '';
  return (
    `other machines reach ${formatAddress(bound)}, and without TLS the passwords and tokens that${why} clients need could be ` +
    `read along. Either give a certificate: --tls-cert and --tls-key. Or, behind a proxy that ends TLS or where no one can ` +
    `read along: --allow-plaintext. Or listen on 127.0.0.1. ${inEnvironment}`
  );
}

const inEnvironment =
  'In the environment: KELP_ROOT_PASSWORD_FILE, KELP_TLS_CERT, KELP_TLS_KEY, KELP_ALLOW_PLAINTEXT=true, KELP_ALLOW_ANONYMOUS=true';

function isExposed(bound: ListenAddress): boolean {
  return 'host' in bound && !isLoopbackAddress(bound.host);
}

/** Whether it is plain that there is no store yet, and so no user. */
async function isStoreNew(disk: Disk, dataDir: string): Promise<boolean> {
  const { log, snapshots } = dataDirectory(dataDir);
  try {
    const paths = (await disk.list(dataDir)).map((name) => `${dataDir}/${name}`);
    return !paths.includes(log) && !paths.includes(snapshots);
  } catch {
    // The store tells what is wrong as it is opened.
    return false;
  }
}
