/** Keys of the engine as clients of the Redis protocol name them: a database and a key in it. */
import { isUserKey } from '../../../store/views/regions.ts';
import { databaseOf, toKeyOfDatabase } from '../../../types/databases/database-keys.ts';

export interface KeyName {
  readonly database: number;
  /** A view of the engine's key. */
  readonly key: Uint8Array;
}

/** `undefined`: it is no key of a user. */
export function keyNameOf(engineKey: Uint8Array): KeyName | undefined {
  const database = databaseOf(engineKey);
  if (database === 0 && !isUserKey(engineKey)) return undefined;
  return { database, key: toKeyOfDatabase(engineKey) };
}
