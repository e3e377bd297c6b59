/**
 * A client that has shown who it is, and what it may do now. A login outlives changes of access: each check looks whether the table
 * is still the one that it was found by, and else finds it again. So a user, a password or a token that is gone ends what was
 * begun with it, and a role that is taken away ends what it allowed, in open watches and on kept connections too.
 */
import { StoreError } from '../../errors.ts';
import type { AccessTable } from '../access-table.ts';
import { MissingLogin } from './refused-login.ts';
import { type Rights, allRights } from '../rights/rights.ts';

export interface Login {
  /** Of the user; empty while access is open. */
  readonly userName: string;
  /** Throws `unauthenticated` when the login is over. */
  readonly rights: Rights;
  /** From when on it is over by itself, by the wall clock; 0: never. */
  readonly expireTimeMs: number;
  /** From when on what was shown for it is not taken again, by the wall clock; what was begun goes on. Left out: it always is. */
  readonly shownUntilMs?: number | undefined;
}

/** What a login rests on. */
export interface Ground {
  readonly userName: string;
  /** Whether it still stands; asked again after each change of access. */
  readonly isCurrent: () => boolean;
  /** From when on it does not, by the wall clock; 0: never. */
  readonly expireTimeMs: number;
  readonly shownUntilMs?: number;
}

export class GroundedLogin implements Login {
  readonly #table: AccessTable;
  readonly #ground: Ground;
  readonly #nowMs: () => number;
  #generation = -1;
  #rights: Rights | undefined;

  constructor(table: AccessTable, ground: Ground, nowMs: () => number) {
    this.#table = table;
    this.#ground = ground;
    this.#nowMs = nowMs;
  }

  get userName(): string {
    return this.#ground.userName;
  }

  get expireTimeMs(): number {
    return this.#ground.expireTimeMs;
  }

  get shownUntilMs(): number | undefined {
    return this.#ground.shownUntilMs;
  }

  get rights(): Rights {
    const { userName, isCurrent, expireTimeMs } = this.#ground;
    if (this.#generation !== this.#table.generation) {
      this.#generation = this.#table.generation;
      this.#rights = isCurrent() ? this.#table.rightsOf(userName) : undefined;
    }
    if (this.#rights === undefined || (expireTimeMs !== 0 && this.#nowMs() >= expireTimeMs))
      throw loginOver();
    return this.#rights;
  }
}

/** Before a door has said whose call it is: nothing is allowed. */
export const noLogin: Login = {
  userName: '',
  expireTimeMs: 0,
  get rights(): Rights {
    throw new StoreError('unauthenticated', 'it is not known whose call this is');
  },
};

/** Of who shows nothing: everything is allowed while access is open, and nothing once it is closed. */
export class AnonymousLogin implements Login {
  readonly userName = '';
  readonly expireTimeMs = 0;
  readonly #table: AccessTable;

  constructor(table: AccessTable) {
    this.#table = table;
  }

  get rights(): Rights {
    if (this.#table.isClosed) {
      throw new MissingLogin();
    }
    return allRights;
  }
}

function loginOver(): StoreError {
  return new StoreError('unauthenticated', 'the credentials are not valid any more');
}
