/**
 * Users, roles and tokens as they lie in the store, each a function over a view: who calls these decides when a change takes
 * effect and who hears of it. What stays true between the records:
 *
 * - a role that a user has exists, and so does the user that a token is of: who deletes one takes it from the others in the same
 *   transaction;
 * - the user `root` has all rights by its name, whatever its roles; from its making on nothing is allowed that no role allows, unless
 *   access is held open (`open-hold.ts`). It is never deleted while access is closed: that is opened again on a store that is stopped.
 *   Its role `root` need not exist: etcd's clients give it by its name alone, and it adds nothing.
 *
 * All of them are bounded in number (`accessRecordsMax`), and one of them in what it lists.
 */
import {
  type GrantRecordShape,
  type PasswordHashShape,
  type RoleRecordShape,
  type TokenRecordShape,
  type UserRecordShape,
  readRoleRecord,
  readTokenRecord,
  readUserRecord,
  sizeOfRoleRecord,
  sizeOfTokenRecord,
  sizeOfUserRecord,
  writeRoleRecord,
  writeTokenRecord,
  writeUserRecord,
} from '../../../gen/kelp/storage/v1/access_codec.ts';
import type { EngineRange } from '../../engine/engine.ts';
import type { PlacedChange } from '../../engine/version.ts';
import { assert, isStoreError, StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { keyAfter } from '../../store/views/keys.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { AccessDraft } from './access-draft.ts';
import { faultOfRole, faultOfToken, faultOfUser } from './access-faults.ts';
import {
  ACCESS_KEYS,
  type AccessKind,
  accessKey,
  accessKind,
  isAccessKey,
  isAccessName,
  isHoldKey,
  parseAccessKey,
  wordOf,
} from './access-keys.ts';
import { ROOT, endHold, faultOfHold, isHeldOpen } from './open-hold.ts';

interface Codec<AccessRecord> {
  readonly kind: AccessKind;
  readonly read: (buffer: Buffer, start: number, end: number) => AccessRecord;
  readonly sizeOf: (record: AccessRecord) => number;
  readonly write: (record: AccessRecord, buffer: Buffer, offset: number) => number;
  readonly faultOf: (record: AccessRecord) => string | undefined;
}

const userCodec: Codec<UserRecordShape> = {
  kind: accessKind.user,
  read: readUserRecord,
  sizeOf: sizeOfUserRecord,
  write: writeUserRecord,
  faultOf: faultOfUser,
};
const roleCodec: Codec<RoleRecordShape> = {
  kind: accessKind.role,
  read: readRoleRecord,
  sizeOf: sizeOfRoleRecord,
  write: writeRoleRecord,
  faultOf: faultOfRole,
};
const tokenCodec: Codec<TokenRecordShape> = {
  kind: accessKind.token,
  read: readTokenRecord,
  sizeOf: sizeOfTokenRecord,
  write: writeTokenRecord,
  faultOf: faultOfToken,
};

interface RecordOfKind {
  readonly [accessKind.user]: UserRecordShape;
  readonly [accessKind.role]: RoleRecordShape;
  readonly [accessKind.token]: TokenRecordShape;
}

const codecByKind: { readonly [Kind in AccessKind]: Codec<RecordOfKind[Kind]> } = {
  [accessKind.user]: userCodec,
  [accessKind.role]: roleCodec,
  [accessKind.token]: tokenCodec,
};

export function createUser(
  draft: AccessDraft,
  name: string,
  { password, roles, nowMs }: { password: PasswordHashShape | undefined; roles: string[]; nowMs: number },
): void {
  const distinct = [...new Set(roles)];
  checkListed(distinct.length, 'roles of a user');
  for (const role of distinct) existing(draft.view, roleCodec, role);
  if (password !== undefined) checkMayHavePassword(name);
  create(draft, userCodec, name, { password, roles: distinct, createTimeMs: nowMs });
}

/** Its tokens end with it, and so does its own role, unless others have it, too. */
export function deleteUser(draft: AccessDraft, name: string): void {
  deleteUsers(draft, [name]);
}

/** As `deleteUser`: what others have is looked at once for all, since a view looks at so much at the most. @param names each once. */
export function deleteUsers(draft: AccessDraft, names: readonly string[]): void {
  const { view } = draft;
  const rolesByName = new Map(names.map((name) => [name, existing(view, userCodec, name).roles]));
  const gone = new Set(names);
  if (gone.has(ROOT) && !isHeldOpen(view)) {
    throw new StoreError(
      'invalidArgument',
      'the user root is not deleted while the server runs: stop it, and run kelp access reset',
    );
  }
  const lostTokens = tokens(view).filter(([, { user }]) => gone.has(user));
  const keptRoles = new Set(users(view).flatMap(([name, { roles }]) => (gone.has(name) ? [] : roles)));
  if (gone.has(ROOT)) endHold(draft);
  for (const [name, itsRoles] of rolesByName) {
    draft.delete(accessKey(accessKind.user, name));
    const own = ownRole(name);
    if (itsRoles.includes(own) && !keptRoles.has(own)) draft.delete(accessKey(accessKind.role, own));
  }
  for (const [token] of lostTokens) deleteToken(draft, token);
}

/** The role that has what ACL SETUSER grants to a user, and that is for no other one. */
export function ownRole(userName: string): string {
  return `acl.${userName}`;
}

export function setPassword(draft: AccessDraft, name: string, password: PasswordHashShape | undefined): void {
  if (password !== undefined) checkMayHavePassword(name);
  put(draft, userCodec, name, { ...existing(draft.view, userCodec, name), password });
}

/** Basic authentication (RFC 7617) has the password behind the first colon. */
function checkMayHavePassword(userName: string): void {
  if (!userName.includes(':')) return;
  throw new StoreError(
    'invalidArgument',
    'a user whose name has a colon can have no password: it comes by a token or a certificate',
  );
}

export function giveRole(draft: AccessDraft, userName: string, roleName: string): void {
  existing(draft.view, roleCodec, roleName);
  giveNamedRole(draft, userName, roleName);
}

/** As `giveRole`, of a role that is not looked up. */
export function giveNamedRole(draft: AccessDraft, userName: string, roleName: string): void {
  const user = existing(draft.view, userCodec, userName);
  if (user.roles.includes(roleName)) return;
  checkListed(user.roles.length + 1, 'roles of a user');
  put(draft, userCodec, userName, { ...user, roles: [...user.roles, roleName] });
}

export function takeRole(draft: AccessDraft, userName: string, roleName: string): void {
  const user = existing(draft.view, userCodec, userName);
  if (!user.roles.includes(roleName)) {
    throw new StoreError('nameNotFound', `the user ${userName} does not have the role ${roleName}`);
  }
  put(draft, userCodec, userName, { ...user, roles: user.roles.filter((role) => role !== roleName) });
}

export function createRole(draft: AccessDraft, name: string, grants: GrantRecordShape[] = []): void {
  create(draft, roleCodec, name, { grants });
}

/** Its users do not have it any more. */
export function deleteRole(draft: AccessDraft, name: string): void {
  existing(draft.view, roleCodec, name);
  draft.delete(accessKey(accessKind.role, name));
  for (const [userName, user] of all(draft.view, userCodec)) {
    if (user.roles.includes(name)) takeRole(draft, userName, name);
  }
}

/** A grant of the same range takes the place of the one before. */
export function addGrant(draft: AccessDraft, roleName: string, grant: GrantRecordShape): void {
  const { grants } = existing(draft.view, roleCodec, roleName);
  const others = grants.filter((each) => !isSameTarget(each, grant));
  checkListed(others.length + 1, 'grants of a role');
  put(draft, roleCodec, roleName, { grants: [...others, grant] });
}

/** @param target what the grant is for; what it allows is not looked at. */
export function removeGrant(draft: AccessDraft, roleName: string, target: GrantRecordShape): void {
  const { grants } = existing(draft.view, roleCodec, roleName);
  const others = grants.filter((each) => !isSameTarget(each, target));
  if (others.length === grants.length) {
    throw new StoreError(
      'nameNotFound',
      `the role ${roleName} has no grant for exactly that; kelp role show lists them`,
    );
  }
  put(draft, roleCodec, roleName, { grants: others });
}

/** Those whose time is over go: they would fill the list, and keep their names. */
export function createToken(draft: AccessDraft, name: string, token: TokenRecordShape): void {
  existing(draft.view, userCodec, token.user);
  for (const [each, { expireTimeMs }] of all(draft.view, tokenCodec)) {
    if (expireTimeMs !== 0 && expireTimeMs <= token.createTimeMs) deleteToken(draft, each);
  }
  create(draft, tokenCodec, name, token);
}

export function deleteToken(draft: AccessDraft, name: string): void {
  existing(draft.view, tokenCodec, name);
  draft.delete(accessKey(accessKind.token, name));
}

/** How many records there are of each kind. */
export interface AccessCounts {
  readonly userCount: number;
  readonly roleCount: number;
  readonly tokenCount: number;
  /** Of kinds that this version does not know. */
  readonly unknownCount: number;
}

/** Counts the records without a look into them: they need not be such that they can be understood. */
export function countAccess(view: ReadView): AccessCounts {
  const counts = { userCount: 0, roleCount: 0, tokenCount: 0, unknownCount: 0 };
  scanAll(view, ACCESS_KEYS, ({ key }) => {
    if (isHoldKey(key)) return;
    const kind = parseAccessKey(key)?.kind;
    counts[kind === undefined ? 'unknownCount' : (`${wordOf(kind)}Count` as const)]++;
  });
  return counts;
}

/** Everything of the region is deleted, whatever it is: access is open again. For a store that no server has open. */
export function deleteAllAccess(view: View): void {
  const { nextKey } = view.deleteRange(ACCESS_KEYS);
  assert(nextKey === undefined, TOO_MANY);
}

/** The record that lies at a key of its kind. @param value `undefined`: there is none. */
export function readRecord<Kind extends AccessKind>(
  kind: Kind,
  name: string,
  value: Uint8Array | undefined,
): RecordOfKind[Kind] | undefined {
  return value && decode(codecByKind[kind], name, value);
}

/** What is wrong with what lies at a key of the engine; `undefined`: nothing, or it is no key of access. */
export function faultOfAccess(key: Uint8Array, value: Uint8Array): string | undefined {
  if (!isAccessKey(key)) return undefined;
  if (isHoldKey(key)) return faultOfHold(value);
  const parsed = parseAccessKey(key);
  if (parsed === undefined)
    return 'a record of access is of no kind that this version knows; use the version that wrote it';
  try {
    decode(codecByKind[parsed.kind] as Codec<unknown>, parsed.name, value);
    return undefined;
  } catch (error) {
    if (isStoreError(error, 'damaged')) return error.message;
    throw error;
  }
}

/** Throws `damaged` when one of all records of the region can't be understood. */
export function checkAllAccess(view: ReadView): void {
  scanAll(view, ACCESS_KEYS, ({ key, value }) => {
    const fault = faultOfAccess(key, value);
    if (fault !== undefined) throw new StoreError('damaged', fault);
  });
}

/** By their names, in the order of their bytes. */
export const users = (view: ReadView): [string, UserRecordShape][] => all(view, userCodec);
export const roles = (view: ReadView): [string, RoleRecordShape][] => all(view, roleCodec);
export const tokens = (view: ReadView): [string, TokenRecordShape][] => all(view, tokenCodec);

function all<AccessRecord>(view: ReadView, codec: Codec<AccessRecord>): [string, AccessRecord][] {
  const found: [string, AccessRecord][] = [];
  scanAll(view, kindRange(codec.kind), (shown) => {
    const name = parseAccessKey(shown.key)?.name;
    if (name !== undefined) found.push([name, decode(codec, name, shown.copyValue())]);
  });
  return found;
}

/** One that were passed over could be root, without whom everything is allowed. */
const TOO_MANY = 'one view can look at all records of access';

function scanAll(view: ReadView, range: EngineRange, visit: (shown: PlacedChange) => void): void {
  const nextKey = view.scan(range, false, (shown) => {
    visit(shown);
    return true;
  });
  assert(nextKey === undefined, TOO_MANY);
}

/** A part of a list, and whether more follows. */
export interface RecordPage<Kind extends AccessKind> {
  readonly records: readonly (readonly [name: string, record: RecordOfKind[Kind]])[];
  readonly isLast: boolean;
}

export interface RecordPageOptions {
  /** The name behind which it begins; empty: with the first. */
  readonly after: string;
  readonly countMax: number;
  /** Of names and records; one alone may have more. */
  readonly bytesMax: number;
  /** Called with the bytes of each before it is read; what it throws is thrown. */
  readonly charge: (bytes: number) => void;
}

/** Records of a kind in the order of the bytes of their names. */
export function recordPage<Kind extends AccessKind>(
  view: ReadView,
  kind: Kind,
  { after, countMax, bytesMax, charge }: RecordPageOptions,
): RecordPage<Kind> {
  const records: [string, RecordOfKind[Kind]][] = [];
  let bytes = 0;
  let isLast = true;
  const { start, end } = kindRange(kind);
  const range = { start: after === '' ? start : keyAfter(accessKey(kind, after)), end };
  view.scan(range, false, (shown) => {
    const { key, value } = shown;
    const length = key.length + value.length;
    if (records.length === countMax || (records.length > 0 && bytes + length > bytesMax)) {
      isLast = false;
      return false;
    }
    charge(length);
    bytes += length;
    const name = parseAccessKey(key)?.name ?? '';
    records.push([name, decode(codecByKind[kind], name, value)]);
    return true;
  });
  return { records, isLast };
}

function kindRange(kind: AccessKind): EngineRange {
  const [region = 0] = ACCESS_KEYS.start;
  return { start: Uint8Array.of(region, kind), end: Uint8Array.of(region, kind + 1) };
}

/** `undefined`: there is none of that name. */
export const userIn = (view: ReadView, name: string): UserRecordShape | undefined =>
  found(view, userCodec, name);
export const roleIn = (view: ReadView, name: string): RoleRecordShape | undefined =>
  found(view, roleCodec, name);

function found<AccessRecord>(
  view: ReadView,
  codec: Codec<AccessRecord>,
  name: string,
): AccessRecord | undefined {
  if (!isAccessName(codec.kind, name)) return undefined;
  const version = view.read(accessKey(codec.kind, name));
  return version && decode(codec, name, version.value);
}

function existing<AccessRecord>(view: ReadView, codec: Codec<AccessRecord>, name: string): AccessRecord {
  const version = view.read(accessKey(codec.kind, name));
  if (version !== undefined) return decode(codec, name, version.value);
  throw new StoreError('nameNotFound', `there is no ${wordOf(codec.kind)} ${name}`);
}

function create<AccessRecord>(
  draft: AccessDraft,
  codec: Codec<AccessRecord>,
  name: string,
  record: AccessRecord,
): void {
  if (draft.view.readMeta(accessKey(codec.kind, name)) !== undefined) {
    throw new StoreError('nameTaken', `there is a ${wordOf(codec.kind)} ${name} already`);
  }
  if (draft.view.count(kindRange(codec.kind)) >= fixed.accessRecordsMax) {
    throw new StoreError(
      'limitReached',
      `there are ${fixed.accessRecordsMax} of the kind ${wordOf(codec.kind)}, which is the most`,
    );
  }
  put(draft, codec, name, record);
}

function put<AccessRecord>(
  draft: AccessDraft,
  codec: Codec<AccessRecord>,
  name: string,
  record: AccessRecord,
): void {
  const length = codec.sizeOf(record);
  if (length > fixed.accessRecordBytesMax) {
    throw new StoreError(
      'limitReached',
      `the ${wordOf(codec.kind)} ${name} would take ${length} bytes; at most ${fixed.accessRecordBytesMax} are allowed: put its grants into several roles`,
    );
  }
  const bytes = Buffer.alloc(length);
  codec.write(record, bytes, 0);
  draft.put(accessKey(codec.kind, name), bytes);
}

/** A record is part of the store's own state: one that is damaged stops the start, and no call meets it. */
function decode<AccessRecord>(codec: Codec<AccessRecord>, name: string, value: Uint8Array): AccessRecord {
  const bytes = Buffer.from(value);
  let record: AccessRecord;
  try {
    record = codec.read(bytes, 0, bytes.length);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw damaged(codec.kind, name, error.message);
  }
  const fault = codec.faultOf(record);
  if (fault !== undefined) throw damaged(codec.kind, name, fault);
  return record;
}

function damaged(kind: AccessKind, name: string, fault: string): StoreError {
  return new StoreError(
    'damaged',
    `the ${wordOf(kind)} ${name}, as the store keeps it, can not be understood (${fault}); use the version that wrote it, restore a backup, or run kelp access reset, which deletes all users, roles and tokens`,
  );
}

function isSameTarget(a: GrantRecordShape, b: GrantRecordShape): boolean {
  if (a.isAdmin || b.isAdmin) return a.isAdmin && b.isAdmin;
  return Buffer.compare(a.start, b.start) === 0 && Buffer.compare(a.end, b.end) === 0;
}

function checkListed(count: number, what: string): void {
  if (count <= fixed.accessListedMax) return;
  throw new StoreError('limitReached', `there are more than ${fixed.accessListedMax} ${what}`);
}
