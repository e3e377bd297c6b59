/**
 * What can't be in a record of access that was read: whatever no store writes. Such a record is never passed over, since it is not
 * known what it would allow.
 */
import type {
  PasswordHashShape,
  RoleRecordShape,
  TokenRecordShape,
  UserRecordShape,
} from '../../../gen/kelp/storage/v1/access_codec.ts';
import { fixed } from '../../limits.ts';
import { accessKind, isAccessName } from './access-keys.ts';

/** SHA-256, and what is kept of passwords. */
const HASH_BYTES = 32;

export function faultOfUser({ password, roles }: UserRecordShape): string | undefined {
  const areNames = roles.every((role) => isAccessName(accessKind.role, role));
  if (roles.length > fixed.accessListedMax || !areNames) return 'its roles are none';
  return password === undefined ? undefined : faultOfPassword(password);
}

export function faultOfRole({ grants }: RoleRecordShape): string | undefined {
  if (grants.length > fixed.accessListedMax) return 'it has too many grants';
  const areRight = grants.every(({ start, end, mayRead, mayWrite, isAdmin }) =>
    isAdmin
      ? start.length + end.length === 0 && !mayRead && !mayWrite
      : Buffer.compare(start, end) < 0 && (mayRead || mayWrite),
  );
  return areRight ? undefined : 'one of its grants is for nothing';
}

export function faultOfToken({ hash, user }: TokenRecordShape): string | undefined {
  if (hash.length !== HASH_BYTES) return 'its hash is none';
  return isAccessName(accessKind.user, user) ? undefined : 'its user is none';
}

/** To check a password by such a hash would take more memory than is set aside for that, or fail. */
function faultOfPassword({
  salt,
  hash,
  cost,
  blockSize,
  parallelization,
}: PasswordHashShape): string | undefined {
  if (hash.length !== HASH_BYTES || salt.length === 0) return 'the hash of its password is none';
  const isCost = cost > 1 && Number.isInteger(Math.log2(cost)) && blockSize > 0 && parallelization > 0;
  const bytes = 128 * blockSize * (cost + parallelization);
  return isCost && bytes <= fixed.passwordMemoryBytesMax ? undefined : 'the cost of its password is none';
}
