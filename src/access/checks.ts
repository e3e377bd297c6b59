/**
 * The checks of calls: one for each thing that a call may want. Each door asks before its call runs, in the same synchronous piece,
 * and what is not allowed throws `permissionDenied`. A range is allowed as a whole or not at all: a reply is never thinned.
 *
 * The key or the range is not looked at where everything is allowed, so that open access, and root, cost a comparison.
 */
import type { CollectionKind, CollectionOperation } from '../api-collections.ts';
import type { DeletedRange, Key, KeyRange, TxnRequest } from '../api.ts';
import type { EngineRange } from '../engine/engine.ts';
import { StoreError } from '../errors.ts';
import type { KvStore } from '../kv/kv-store.ts';
import { compileGlob } from '../kv/patterns/glob.ts';
import { leaseNotFound } from '../store/leases/lease-draft.ts';
import { keyScratch } from '../store/views/keys.ts';
import { toDeletedRange, toEngineRange } from '../store/views/range.ts';
import { usesOf } from './collection-uses.ts';
import type { Login } from './login/login.ts';
import type { IntervalSet } from './rights/interval-set.ts';
import { ALL_KEYS } from './rights/rights.ts';

export type Use = 'read' | 'write';

/** Where leases are looked up. */
export type LeaseOwners = Pick<KvStore, 'leaseOwner'>;

/** What every user may do; while access is open, everybody. */
export function checkUser(login: Login): void {
  void login.rights;
}

/** Whether `checkUser` would let it pass. */
export function isUser(login: Login): boolean {
  try {
    checkUser(login);
    return true;
  } catch {
    return false;
  }
}

/** Whether there is no key that it may not read and write. */
export function mayUseAllKeys(login: Login): boolean {
  const { read, write } = login.rights;
  return read === ALL_KEYS && write === ALL_KEYS;
}

export function checkKey(login: Login, use: Use, key: Key): void {
  const allowed = login.rights[use];
  if (allowed !== ALL_KEYS && !isIn(allowed, key)) throw denied(login, use, 'the key');
}

export function checkKeys(login: Login, use: Use, keys: readonly Key[]): void {
  const allowed = login.rights[use];
  if (allowed === ALL_KEYS) return;
  for (const key of keys) {
    if (!isIn(allowed, key)) throw denied(login, use, 'one of the keys');
  }
}

/** Whether `checkKey` would let it read. */
export function mayReadKey({ rights: { read } }: Login, key: Key): boolean {
  return read === ALL_KEYS || read.has(keyScratch.encode(key));
}

/** @param range `{}`: all keys. */
export function checkRange(login: Login, use: Use, range: KeyRange): void {
  if (login.rights[use] !== ALL_KEYS) checkEngineRange(login, use, toEngineRange(range));
}

export function checkDeletedRange(login: Login, range: DeletedRange): void {
  if (login.rights.write !== ALL_KEYS) checkEngineRange(login, 'write', toDeletedRange(range));
}

export function checkEngineRange(login: Login, use: Use, range: EngineRange): void {
  if (!login.rights[use].covers(range)) throw denied(login, use, 'all keys of the range');
}

/** Of all keys that a pattern could have: those that begin as it does before its first wildcard. */
export function checkPattern(login: Login, pattern: string): void {
  if (login.rights.read === ALL_KEYS) return;
  checkRange(login, 'read', { prefix: compileGlob(pattern).literalHead });
}

/** Every compare reads, and every operation of both branches is asked for, whichever will run. */
export function checkTxn(
  login: Login,
  leases: LeaseOwners,
  { compares = [], success = [], failure = [] }: TxnRequest,
): void {
  if (mayUseAllKeys(login)) return;
  for (const { subject } of compares) {
    if ('key' in subject) checkKey(login, 'read', subject.key);
    else checkRange(login, 'read', subject.range);
  }
  for (const operation of [...success, ...failure]) {
    switch (operation.kind) {
      case 'get':
        checkKey(login, 'read', operation.key);
        break;
      case 'deleteRange':
        checkDeletedRange(login, operation.range);
        break;
      case 'increment':
        checkWrite(login, operation.key, true);
        break;
      case 'put':
        checkWrite(login, operation.key, operation.returnPrevious === true);
        checkLease(login, leases, operation.leaseId);
        break;
      case 'delete':
        checkWrite(login, operation.key, operation.returnPrevious === true);
        break;
      default:
        checkCollection(login, operation);
    }
  }
}

/** Every key that an operation on collections uses. */
export function checkCollection<Kind extends CollectionKind>(
  login: Login,
  operation: CollectionOperation<Kind>,
): void {
  const { reads = [], writes = [] } = usesOf(operation);
  checkKeys(login, 'write', writes);
  checkKeys(login, 'read', reads);
}

/** @param tells whether the reply, or the refusal, tells what was there: then it reads, too. */
export function checkWrite(login: Login, key: Key, tells: boolean): void {
  checkKey(login, 'write', key);
  if (tells) checkKey(login, 'read', key);
}

/**
 * To renew a lease and to attach keys to it: it is its owner's, and of who may write all keys; one without an owner, from the time
 * when access was open, is everybody's. A lease that is not there yet is refused as the call itself would refuse it, so that none is
 * used that another user grants before the call has its turn.
 * @param leaseId 0: none. Throws `permissionDenied` and `leaseNotFound`.
 */
export function checkLease(login: Login, leases: LeaseOwners, leaseId: number | undefined): void {
  if (login.rights.write === ALL_KEYS || leaseId === undefined || leaseId === 0) return;
  const owner = ownerOf(leases, leaseId);
  if (owner !== '' && owner !== login.userName)
    throw notTheOwner(login, 'write', `is another user's`, leaseId);
}

/**
 * To end a lease (`write`), and to list its keys (`read`): its owner may, and who has that right to all keys. One without an owner is
 * for the latter alone: keys of all users may be attached to it.
 */
export function checkLeaseKeys(login: Login, use: Use, leases: LeaseOwners, leaseId: number): void {
  if (login.rights[use] === ALL_KEYS || leaseId === 0) return;
  const owner = ownerOf(leases, leaseId);
  if (owner === '') throw notTheOwner(login, use, 'is from the time when access was open', leaseId);
  if (owner !== login.userName) throw notTheOwner(login, use, `is another user's`, leaseId);
}

function ownerOf(leases: LeaseOwners, leaseId: number): string {
  const owner = leases.leaseOwner(leaseId);
  if (owner === undefined) throw leaseNotFound(leaseId);
  return owner;
}

function notTheOwner(login: Login, use: Use, what: string, leaseId: number): StoreError {
  return new StoreError(
    'permissionDenied',
    `lease ${leaseId} ${what}, and ${nameOf(login)} may not ${use} all keys`,
  );
}

/** What is for operators. */
export function checkAdmin(login: Login): void {
  if (!login.rights.isAdmin) {
    throw new StoreError(
      'permissionDenied',
      `this is for operators, and ${nameOf(login)} has no role that is admin`,
    );
  }
}

/** What is no key may be allowed: the call refuses it by itself. */
function isIn(keys: IntervalSet, key: Key): boolean {
  const found = typeof key === 'string' ? keys.hasText(key) : undefined;
  return found ?? keys.has(keyScratch.encode(key));
}

function denied(login: Login, use: Use, what: string): StoreError {
  return new StoreError('permissionDenied', `${nameOf(login)} may not ${use} ${what}`);
}

function nameOf({ userName }: Login): string {
  return `the user ${userName}`;
}
