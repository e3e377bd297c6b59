/** Keys of the engine as clients of the Redis protocol name them: a database and a key in it. */
import type { KeyText } from '../../../store/views/keys.ts';
import { DATABASE, DATABASE_HEAD_BYTES, ESCAPE, isUserKey } from '../../../store/views/regions.ts';
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

/** The key alone, of a text of the engine's key; `undefined`: it is no key of a user. */
export function keyNameTextOf(engineKey: KeyText): string | undefined {
  const first = engineKey.charCodeAt(0);
  if (first < ESCAPE) return engineKey;
  if (first === ESCAPE) return engineKey.slice(1);
  return first === DATABASE ? engineKey.slice(DATABASE_HEAD_BYTES) : undefined;
}
