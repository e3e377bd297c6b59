/**
 * `AclUsers`: the users of the store as ACL tells and changes them. What ACL SETUSER grants lies in a role of the user's own,
 * `acl.NAME`, which no other user may have; other roles of the user stay for as long as all that they grant is said by its words.
 * They are the records that all doors show and change (`access/records/`).
 */
import type { Access } from '../../../access/access.ts';
import type { AccessDraft } from '../../../access/records/access-draft.ts';
import { accessKind, isAccessName } from '../../../access/records/access-keys.ts';
import * as records from '../../../access/records/access-records.ts';
import { ROOT } from '../../../access/records/open-hold.ts';
import { allRights, type Rights } from '../../../access/rights/rights.ts';
import type {
  GrantRecordShape,
  PasswordHashShape,
  UserRecordShape,
} from '../../../../gen/kelp/storage/v1/access_codec.ts';
import { fixed } from '../../../limits.ts';
import type { ReadView } from '../../../store/views/view.ts';
import type { AccessAudit, Caller } from '../../access/audit.ts';
import type { TableRow } from '../commands/table.ts';
import { aclNotCarried, aclRuleRefused, aclTexts, defaultUserStays } from '../replies/errors.ts';
import { applyRules, TOO_MANY_PATTERNS, type PasswordStep, type RuledUser } from './acl-rules.ts';
import {
  adminGrant,
  allKeyGrants,
  byRange,
  openWords,
  rangeId,
  type UserWords,
  wordsOf,
} from './user-words.ts';

/** Whom all are while access is open. */
const DEFAULT_USER = 'default';

/** Of the store, as far as it is needed here. */
type StoreAccess = Pick<Access, 'table' | 'logins' | 'clock' | 'change'>;

/** A change of a user that a client asks for. */
export interface UserChange {
  readonly caller: Caller;
  /** Throws when the client may not any more: the change has to wait for its turn. */
  readonly check: () => void;
}

export class AclUsers {
  readonly #access: () => StoreAccess;
  readonly #audit: AccessAudit;

  /** @param access of the store, which is open. */
  constructor(access: () => StoreAccess, audit: AccessAudit) {
    this.#access = access;
    this.#audit = audit;
  }

  /** In the order of their bytes. */
  get names(): readonly string[] {
    const { table } = this.#access();
    const names = new Set(table.userNames);
    if (!table.isClosed) names.add(DEFAULT_USER);
    return [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  /** @returns `undefined`: there is no such user. */
  words(name: string): UserWords | undefined {
    const { table } = this.#access();
    return name === DEFAULT_USER && !table.isClosed ? openWords : wordsOf(table, name);
  }

  /** @returns `undefined`: there is no such user. */
  rightsOf(name: string): Rights | undefined {
    const { table } = this.#access();
    return name === DEFAULT_USER && !table.isClosed ? allRights : table.rightsOf(name);
  }

  /**
   * ACL SETUSER. Rejects with a `ReplyError` or a `StoreError`, and then nothing is changed.
   * @param rules Latin-1.
   * @param rows of all commands.
   */
  async set(
    name: string,
    rules: readonly string[],
    rows: readonly TableRow[],
    change: UserChange,
  ): Promise<void> {
    const access = this.#access();
    const { table } = access;
    if (!table.isClosed) throw aclNotCarried(OPEN);
    const user = table.user(name);
    // What can't be is refused before it costs a hash.
    const { passwordSteps } = rulesApplied(name, wordsOf(table, name), rules, rows);
    const kept = user?.password;
    const password = await passwordAfter(access, passwordSteps, kept);
    if (name === ROOT && password === undefined) throw aclNotCarried(ROOT_PASSWORD);
    await access.change((draft) => {
      change.check();
      const { view } = draft;
      const before = records.userIn(view, name);
      if (!isSamePassword(before?.password, kept)) throw aclNotCarried(CHANGED_MEANWHILE);
      const words = wordsOf(tableOf(view), name);
      const ruled = rulesApplied(name, words, rules, rows);
      write(draft, name, before, ruled, password, access.clock.nowMs());
    });
    this.#audit.accessChanged(change.caller, 'redis/acl|setuser', { name });
  }

  /** ACL DELUSER: all that there are, or none where it rejects. @returns their names. */
  async delete(names: readonly string[], change: UserChange): Promise<readonly string[]> {
    if (names.includes(DEFAULT_USER)) throw defaultUserStays();
    const deleted = await this.#access().change((draft) => {
      change.check();
      const there = [...new Set(names)].filter((name) => records.userIn(draft.view, name) !== undefined);
      records.deleteUsers(draft, there);
      return there;
    });
    for (const name of deleted) this.#audit.accessChanged(change.caller, 'redis/acl|deluser', { name });
    return deleted;
  }
}

const OPEN =
  'access is open, so that all clients may do everything, whatever users there are; it is closed by a user root, which kelp user add root makes';
const ROOT_RIGHTS = 'the user root has all rights by its name (~* &* +@all): only its password changes';
const ROOT_PASSWORD = 'the user root must have a password';
const CHANGED_MEANWHILE = 'another client has changed the user meanwhile; try again';

function rulesApplied(
  name: string,
  before: UserWords | undefined,
  rules: readonly string[],
  rows: readonly TableRow[],
): RuledUser {
  const ruled = applyRules(before, rules, rows);
  if (name !== ROOT) return ruled;
  const [all] = [...allKeyGrants.keys()];
  const hasAll =
    all !== undefined && ruled.keys.get(all)?.mayRead === true && ruled.keys.get(all)?.mayWrite === true;
  if (!ruled.isAdmin || !hasAll) throw aclNotCarried(ROOT_RIGHTS);
  return ruled;
}

/** What is kept as the password behind the steps. @param kept before them. */
async function passwordAfter(
  { logins }: StoreAccess,
  steps: readonly PasswordStep[],
  kept: PasswordHashShape | undefined,
): Promise<PasswordHashShape | undefined> {
  let hash = kept;
  /** The password itself, where it is known: to look at what is kept takes a thread of the pool. */
  let known: string | undefined;
  /** A new one, which has no hash yet. */
  let isNew = false;
  for (const step of steps) {
    if (step.kind === 'clear') {
      hash = known = undefined;
      isNew = false;
      continue;
    }
    const { kind, text } = step;
    const hasOne: boolean = isNew || hash !== undefined;
    const isRight: boolean =
      hasOne && (known === undefined ? await logins.passwords.verify(text, hash) : known === text);
    if (kind === 'remove') {
      if (!isRight) throw aclRuleRefused('<...', aclTexts.noSuchPassword);
      hash = known = undefined;
      isNew = false;
    } else if (hasOne && !isRight) throw aclRuleRefused('>...', aclTexts.secondPassword);
    else {
      checkPassword(text);
      known = text;
      isNew ||= !hasOne;
    }
  }
  return isNew && known !== undefined ? logins.passwords.hash(known) : hash;
}

function checkPassword(text: string): void {
  const { passwordBytesMax } = fixed;
  if (text === '') throw aclRuleRefused('>', 'a password has at least 1 byte');
  if (Buffer.byteLength(text) > passwordBytesMax)
    throw aclRuleRefused('>...', `a password has at most ${passwordBytesMax} bytes`);
}

function write(
  draft: AccessDraft,
  name: string,
  before: UserRecordShape | undefined,
  ruled: RuledUser,
  password: PasswordHashShape | undefined,
  nowMs: number,
): void {
  if (before !== undefined && !isSamePassword(before.password, password))
    records.setPassword(draft, name, password);
  if (name === ROOT) return;
  const { view } = draft;
  const own = records.ownRole(name);
  const hasOwn = before?.roles.includes(own) === true;
  checkOwnRole(view, name, hasOwn);
  const others = before?.roles.filter((role) => role !== own) ?? [];
  const kept = ruled.isReset
    ? []
    : others.filter((role) => isSaid(records.roleIn(view, role)?.grants ?? [], ruled));
  for (const role of others) if (!kept.includes(role)) records.takeRole(draft, name, role);
  if (hasOwn) records.deleteRole(draft, own);
  const grants = notIn(
    kept.flatMap((role) => records.roleIn(view, role)?.grants ?? []),
    ruled,
  );
  if (grants.length > fixed.accessListedMax) throw aclNotCarried(TOO_MANY_PATTERNS);
  if (grants.length > 0) records.createRole(draft, own, grants);
  const roles = grants.length > 0 ? [own] : [];
  if (before === undefined) records.createUser(draft, name, { password, roles, nowMs });
  else for (const role of roles) records.giveRole(draft, name, role);
}

/** A role that others have, or that was made by other means, is not the user's own. */
function checkOwnRole(view: ReadView, name: string, hasOwn: boolean): void {
  const own = records.ownRole(name);
  if (!isAccessName(accessKind.role, own)) {
    throw aclNotCarried(
      `the rights of the user would be those of a role ${own}, and no role has such a name; kelp user and kelp role can do it`,
    );
  }
  const isShared = roleUsers(view, own).some((user) => user !== name);
  if (isShared || (!hasOwn && records.roleIn(view, own) !== undefined)) {
    throw aclNotCarried(
      `the role ${own}, which the rights of the user would be kept in, is there already: delete it, or take it from the other users who have it`,
    );
  }
}

function roleUsers(view: ReadView, role: string): string[] {
  return records.users(view).flatMap(([name, { roles }]) => (roles.includes(role) ? [name] : []));
}

/** Whether all that grants allow is said by the words. */
function isSaid(grants: readonly GrantRecordShape[], { isAdmin, keys }: RuledUser): boolean {
  return grants.every((grant) => {
    if (grant.isAdmin) return isAdmin;
    const said = keys.get(rangeId(grant));
    return said !== undefined && (!grant.mayRead || said.mayRead) && (!grant.mayWrite || said.mayWrite);
  });
}

/** What the words say beyond what there is. */
function notIn(there: readonly GrantRecordShape[], { isAdmin, keys }: RuledUser): GrantRecordShape[] {
  const thereByRange = byRange(there.filter((grant) => !grant.isAdmin));
  const isAdminThere = there.some((grant) => grant.isAdmin);
  const wanted: GrantRecordShape[] = [...keys].flatMap(([id, grant]) => {
    const said = thereByRange.get(id);
    const isThere =
      said !== undefined && (said.mayRead || !grant.mayRead) && (said.mayWrite || !grant.mayWrite);
    return isThere ? [] : [grant];
  });
  if (isAdmin && !isAdminThere) wanted.push(adminGrant);
  return wanted;
}

function tableOf(view: ReadView): Parameters<typeof wordsOf>[0] {
  return { user: (name) => records.userIn(view, name), role: (name) => records.roleIn(view, name) };
}

function isSamePassword(a: PasswordHashShape | undefined, b: PasswordHashShape | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a.hash, b.hash) === 0 && Buffer.compare(a.salt, b.salt) === 0;
}
