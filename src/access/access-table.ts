/**
 * Who may do what, as it is durable, put together for the checks of calls: the records of users, roles and tokens by name, the
 * rights of each user, and tokens by the hash of their secret. It follows the store: who has changed records says which, once the
 * change is durable.
 *
 * `generation` is another number after each change. What was found by a table is good for as long as that is the same, so a
 * check costs one comparison (`login.ts`).
 */
import type {
  RoleRecordShape,
  TokenRecordShape,
  UserRecordShape,
} from '../../gen/kelp/storage/v1/access_codec.ts';
import type { Seam } from '../store/seam.ts';
import { type AccessKind, accessKind, isHoldKey, parseAccessKey } from './records/access-keys.ts';
import { checkAllAccess, readRecord, roles, tokens, users } from './records/access-records.ts';
import { ROOT, isHeldOpen } from './records/open-hold.ts';
import { type Rights, allRights, rightsOf } from './rights/rights.ts';

/** A token whose record is current. */
export interface NamedToken {
  readonly name: string;
  readonly record: TokenRecordShape;
}

export class AccessTable {
  readonly #seam: Pick<Seam, 'readVisible'>;
  readonly #userByName = new Map<string, UserRecordShape>();
  readonly #roleByName = new Map<string, RoleRecordShape>();
  readonly #tokenByName = new Map<string, TokenRecordShape>();
  readonly #tokenByHash = new Map<string, NamedToken>();
  /** Made when they are first asked for, and again after a change of the user or of a role that it has. */
  readonly #rightsByUser = new Map<string, Rights>();
  readonly #listeners = new Set<() => void>();
  #generation = 0;
  #isHeldOpen: boolean;
  #isClosed: boolean;

  /** Throws `damaged` when a record can't be understood: what it would allow is not known. */
  constructor(seam: Pick<Seam, 'readVisible'>) {
    this.#seam = seam;
    seam.readVisible(checkAllAccess);
    for (const [name, record] of seam.readVisible(users)) this.#userByName.set(name, record);
    for (const [name, record] of seam.readVisible(roles)) this.#roleByName.set(name, record);
    for (const [name, record] of seam.readVisible(tokens)) this.#setToken(name, record);
    this.#isHeldOpen = seam.readVisible(isHeldOpen);
    this.#isClosed = this.#isClosedNow;
  }

  /** Another number after each change. */
  get generation(): number {
    return this.#generation;
  }

  /** Whether nothing is allowed that no role allows; else everybody may do everything. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether access is open although there is a user root. */
  get isHeldOpen(): boolean {
    return this.#isHeldOpen;
  }

  user(name: string): UserRecordShape | undefined {
    return this.#userByName.get(name);
  }

  role(name: string): RoleRecordShape | undefined {
    return this.#roleByName.get(name);
  }

  get roleNames(): readonly string[] {
    return [...this.#roleByName.keys()];
  }

  get userNames(): readonly string[] {
    return [...this.#userByName.keys()];
  }

  /** The rights of a user; `undefined`: there is no such user. */
  rightsOf(name: string): Rights | undefined {
    const user = this.#userByName.get(name);
    if (user === undefined) return undefined;
    let rights = this.#rightsByUser.get(name);
    if (rights === undefined) {
      rights = name === ROOT ? allRights : rightsOf(user.roles.flatMap((role) => this.#grantsOf(role)));
      this.#rightsByUser.set(name, rights);
    }
    return rights;
  }

  /** @param hash the SHA-256 of its secret, in hexadecimal digits. */
  tokenByHash(hash: string): NamedToken | undefined {
    return this.#tokenByHash.get(hash);
  }

  /** Called after each change: for what was allowed and goes on. @returns what ends that. */
  onChange(listen: () => void): () => void {
    this.#listeners.add(listen);
    return () => void this.#listeners.delete(listen);
  }

  /**
   * Reads records that were changed again. The change has just become visible: so it lies in memory with each engine, above the newest
   * checkpoint, which holds only what was durable before it began. No file is read that could fail, or be waited for.
   */
  refresh(changedKeys: readonly Uint8Array[]): void {
    this.#seam.readVisible((view) => {
      for (const key of changedKeys) {
        if (isHoldKey(key)) {
          this.#isHeldOpen = view.read(key) !== undefined;
          continue;
        }
        const parsed = parseAccessKey(key);
        if (parsed !== undefined) this.#set(parsed.kind, parsed.name, view.read(key)?.value);
      }
    });
    this.#isClosed = this.#isClosedNow;
    this.#generation++;
    for (const listen of this.#listeners) listen();
  }

  get #isClosedNow(): boolean {
    return !this.#isHeldOpen && this.#userByName.has(ROOT);
  }

  #grantsOf(role: string): RoleRecordShape['grants'] {
    return this.#roleByName.get(role)?.grants ?? [];
  }

  #set(kind: AccessKind, name: string, value: Uint8Array | undefined): void {
    if (kind === accessKind.user) {
      setOrDelete(this.#userByName, name, readRecord(kind, name, value));
      this.#rightsByUser.delete(name);
    } else if (kind === accessKind.role) {
      setOrDelete(this.#roleByName, name, readRecord(kind, name, value));
      this.#forgetRightsBy(name);
    } else this.#setToken(name, readRecord(kind, name, value));
  }

  #forgetRightsBy(role: string): void {
    for (const userName of this.#rightsByUser.keys()) {
      const isOf = this.#userByName.get(userName)?.roles.includes(role) ?? true;
      if (isOf) this.#rightsByUser.delete(userName);
    }
  }

  #setToken(name: string, record: TokenRecordShape | undefined): void {
    const before = this.#tokenByName.get(name);
    if (before !== undefined) this.#tokenByHash.delete(hexOf(before.hash));
    setOrDelete(this.#tokenByName, name, record);
    if (record !== undefined) this.#tokenByHash.set(hexOf(record.hash), { name, record });
  }
}

function setOrDelete<Item>(map: Map<string, Item>, name: string, item: Item | undefined): void {
  if (item === undefined) map.delete(name);
  else map.set(name, item);
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
