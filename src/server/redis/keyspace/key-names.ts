/** Keys of the engine as clients of the Redis protocol name them: a database and a key in it. */
import { isUserKey, toUserKey } from '../../../store/views/regions.ts';

/** The byte before the keys of the databases 1 to 15. */
const OTHER_DATABASES = 0xf9;

export interface KeyName {
  readonly database: number;
  /** A view of the engine's key. */
  readonly key: Uint8Array;
}

/** `undefined`: it is no key of a user. */
export function keyNameOf(engineKey: Uint8Array): KeyName | undefined {
  if (engineKey[0] === OTHER_DATABASES) return { database: engineKey[1] ?? 0, key: engineKey.subarray(2) };
  return isUserKey(engineKey) ? { database: 0, key: toUserKey(engineKey) } : undefined;
}
