/** What the calls on users, roles and tokens take and give. */
import type { DeletedRange } from '../../api.ts';
import type { CallOptions } from './types.ts';

/**
 * What a grant lets do: `write` is to write and delete without being told what was there before, which takes `read` too, as an
 * increment does; `admin` is what is for operators: backups, snapshots, compaction, users and roles, and no keys.
 */
export type Permission = 'read' | 'write' | 'readwrite' | 'admin';

/**
 * The keys that a grant is for: `key`, or all that begin with `prefix`, or from `start` (inclusive) to `end` (exclusive), of
 * which one may be left out. Nothing stands for all keys but `{ all: true }`: a member that is empty or `undefined` is refused,
 * since it may come of a variable that was not set.
 */
export type GrantedKeys = DeletedRange;

/** A grant of a role, such as `{ permission: 'read', prefix: 'config/' }` or `{ permission: 'admin' }`. */
export type Grant =
  ({ readonly permission: Exclude<Permission, 'admin'> } & GrantedKeys) | { readonly permission: 'admin' };

export interface Role {
  readonly name: string;
  readonly grants: readonly Grant[];
}

export interface User {
  readonly name: string;
  /** The names of its roles, in the order in which they were given. */
  readonly roles: readonly string[];
  /** Whether it has one; a user without comes by tokens or client certificates. */
  readonly hasPassword: boolean;
  /** When it was made, since 1970-01-01 UTC. */
  readonly createTimeMs: number;
}

/** A token as it is listed: its secret is told once, by `createToken`. */
export interface Token {
  readonly name: string;
  /** The user whose rights it has. */
  readonly user: string;
  /** When it was made, since 1970-01-01 UTC. */
  readonly createTimeMs: number;
  /** From when on it is not valid; 0: never. */
  readonly expireTimeMs: number;
}

/** Who the caller is to the server. */
export interface WhoAmI {
  /** Empty while access is open. */
  readonly user: string;
  /** The names of its roles. */
  readonly roles: readonly string[];
  /** Whether calls need credentials. */
  readonly isClosed: boolean;
}

export interface CreateUserOptions extends CallOptions {
  /** At most 1024 bytes as UTF-8. Left out: it has none, and comes by tokens or client certificates. */
  readonly password?: string;
  /** The names of its roles, at most 100. */
  readonly roles?: readonly string[];
}

export interface SetPasswordOptions extends CallOptions {
  /** Whose it is. Left out: the caller's own, which takes no role. */
  readonly user?: string;
}

export interface CreateTokenOptions extends CallOptions {
  /** Whose rights it has. Left out: the caller's. */
  readonly user?: string;
  /** How long it is valid. Left out: until it is deleted. */
  readonly ttlMs?: number;
}
