/**
 * Passwords, kept as what scrypt makes of them (RFC 7914), which takes a thread of the pool some 50 ms and 16 MiB: so a guess
 * costs as much. A flood of logins must not take all threads, on which flushes depend, nor wait in memory without bound: few run
 * at once, a bounded number waits, and one more is refused.
 */
import { type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import type { PasswordHashShape } from '../../../gen/kelp/storage/v1/access_codec.ts';
import type { Random } from '../../clock.ts';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';

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
  readonly #waiting: (() => void)[] = [];
  #begunCount = 0;
  #runningCount = 0;
  /** What a user that does not exist is compared with, so that it takes as long. */
  readonly #noUser: PasswordHashShape;

  /** @param cost of new hashes; another one than the default is for tests. */
  constructor(random: Random, cost = COST) {
    this.#random = random;
    this.#cost = cost;
    this.#noUser = { ...this.#emptyHash(), hash: random.bytes(HASH_BYTES) };
  }

  get figures(): PasswordFigures {
    const { length } = this.#waiting;
    return { begunCount: this.#begunCount, runningCount: this.#runningCount, waitingCount: length };
  }

  /** Rejects with `limitReached` when too many wait. */
  async hash(password: string): Promise<PasswordHashShape> {
    const made = this.#emptyHash();
    return { ...made, hash: await this.#run(password, made) };
  }

  /** @param kept `undefined`: no such user, or one without a password; false, after as much work. */
  async verify(password: string, kept: PasswordHashShape | undefined): Promise<boolean> {
    const compared = kept ?? this.#noUser;
    const made = await this.#run(password, compared);
    return timingSafeEqual(made, compared.hash) && kept !== undefined;
  }

  async #run(password: string, form: PasswordHashShape): Promise<Buffer> {
    await this.#turn();
    try {
      return await scryptOf(password, form);
    } finally {
      this.#runningCount--;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    if (this.#runningCount >= fixed.passwordChecksMax) {
      if (this.#waiting.length >= fixed.passwordChecksWaitingMax) {
        throw new StoreError('limitReached', 'too many passwords are being checked; try again later');
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#runningCount++;
    this.#begunCount++;
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
