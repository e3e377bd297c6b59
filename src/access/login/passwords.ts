/**
 * Passwords, kept as what scrypt makes of them (RFC 7914), which takes a thread of the pool some 50 ms and 16 MiB: so a guess
 * costs as much. A flood of logins must not take all threads, on which flushes depend, nor wait in memory without bound: few run
 * at once, a bounded number waits, and who comes next is decided in a line (`login-line.ts`).
 */
import { type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import type { PasswordHashShape } from '../../../gen/kelp/storage/v1/access_codec.ts';
import type { Clock, Random } from '../../clock.ts';
import { LoginLine, type LoginPeer } from './login-line.ts';

const HASH_BYTES = 32;
const SALT_BYTES = 16;
/** 16 MiB: OWASP's "Password Storage Cheat Sheet" has this among its equivalent choices, with p = 5. */
const COST = 2 ** 14;
const BLOCK_SIZE = 8;
const PARALLELIZATION = 5;

export interface PasswordFigures {
  /** All that scrypt has run for, or runs. */
  readonly begunCount: number;
  readonly runningCount: number;
  readonly waitingCount: number;
}

export class Passwords {
  readonly #random: Random;
  readonly #cost: number;
  readonly #line: LoginLine;
  #begunCount = 0;
  /** What a user that does not exist is compared with, so that it takes as long. */
  readonly #noUser: PasswordHashShape;

  /** @param cost of new hashes; another one than the default is for tests. */
  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }, cost = COST) {
    this.#random = random;
    this.#line = new LoginLine(clock);
    this.#cost = cost;
    this.#noUser = { ...this.#emptyHash(), hash: random.bytes(HASH_BYTES) };
  }

  get figures(): PasswordFigures {
    const { runningCount, waitingCount } = this.#line;
    return { begunCount: this.#begunCount, runningCount, waitingCount };
  }

  /** Rejects with `limitReached` when too many wait. */
  async hash(password: string): Promise<PasswordHashShape> {
    const made = this.#emptyHash();
    const peer = { connection: {}, network: '' };
    return { ...made, hash: await this.#run(peer, password, made, () => true) };
  }

  /**
   * Rejects with `limitReached` when too many wait.
   * @param kept `undefined`: no such user, or one without a password; false, after as much work.
   */
  async verify(password: string, kept: PasswordHashShape | undefined, peer?: LoginPeer): Promise<boolean> {
    const compared = kept ?? this.#noUser;
    const isRight = (made: Buffer): boolean => timingSafeEqual(made, compared.hash) && kept !== undefined;
    const from = peer ?? { connection: {}, network: '' };
    return isRight(await this.#run(from, password, compared, isRight));
  }

  async #run(
    peer: LoginPeer,
    password: string,
    form: PasswordHashShape,
    isRight: (made: Buffer) => boolean,
  ): Promise<Buffer> {
    await this.#line.enter(peer);
    this.#begunCount++;
    let isFailed = false;
    try {
      const made = await scryptOf(password, form);
      isFailed = !isRight(made);
      return made;
    } finally {
      this.#line.leave(peer, isFailed);
    }
  }

  #emptyHash(): PasswordHashShape {
    return {
      salt: this.#random.bytes(SALT_BYTES),
      hash: Buffer.alloc(HASH_BYTES),
      cost: this.#cost,
      blockSize: BLOCK_SIZE,
      parallelization: PARALLELIZATION,
    };
  }
}

function scryptOf(password: string, form: PasswordHashShape): Promise<Buffer> {
  const { salt, hash, cost, blockSize, parallelization } = form;
  const options: ScryptOptions = {
    N: cost,
    r: blockSize,
    p: parallelization,
    maxmem: 256 * blockSize * (cost + parallelization),
  };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, hash.length, options, (error, made) =>
      error === null ? resolve(made) : reject(error),
    );
  });
}
