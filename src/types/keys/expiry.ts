/**
 * Deadlines of keys of any type: what EXPIRE, PERSIST and TTL do. A deadline is in milliseconds since 1970-01-01 UTC; a lease that
 * a key is attached to is another matter, and stays.
 */
import type { Version } from '../../engine/version.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { ttlUntil } from '../deadlines.ts';

/** On which condition a deadline is set; a key without one counts as living for ever. */
export interface DeadlineCondition {
  /** The key has no deadline. */
  readonly whenNone?: boolean;
  /** It has one. */
  readonly whenSome?: boolean;
  /** The new one is later. */
  readonly whenLater?: boolean;
  /** It is earlier. */
  readonly whenEarlier?: boolean;
}

/** `unchanged`: there is no such key, or the condition does not hold. */
export type DeadlineOutcome = 'unchanged' | 'set' | 'deleted';

/** Sets a key's deadline; with one that has passed the key is deleted. */
export function setDeadline(
  view: View,
  key: Uint8Array,
  deadlineMs: number,
  condition: DeadlineCondition = {},
): DeadlineOutcome {
  const current = view.readMeta(key);
  if (current === undefined || !isMet(condition, current.expireTimeMs, deadlineMs)) return 'unchanged';
  const ttlMs = ttlUntil(deadlineMs, view.instantMs);
  if (ttlMs > 0) {
    view.touch(key, ttlMs);
    return 'set';
  }
  view.delete(key);
  return 'deleted';
}

/** @param currentMs 0: none. */
export function isMet(condition: DeadlineCondition, currentMs: number, deadlineMs: number): boolean {
  const { whenNone = false, whenSome = false, whenLater = false, whenEarlier = false } = condition;
  const hasDeadline = currentMs !== 0;
  if (whenNone && hasDeadline) return false;
  if (whenSome && !hasDeadline) return false;
  if (whenLater && (!hasDeadline || deadlineMs <= currentMs)) return false;
  return !(whenEarlier && hasDeadline && deadlineMs >= currentMs);
}

/** Takes a key's deadline away. @returns whether it had one. */
export function removeDeadline(view: View, key: Uint8Array): boolean {
  const current = view.readMeta(key);
  if (current === undefined || current.expireTimeMs === 0) return false;
  view.touch(key, 0);
  return true;
}

/** A key's deadline; 0: it has none; `undefined`: there is no such key. */
export function deadlineOfKey(view: ReadView, key: Uint8Array): number | undefined {
  return view.readMeta(key)?.expireTimeMs;
}

/**
 * Starts the time to live of a key anew that has one of its own: what a read with `refresh_ttl` does, of any type.
 * @returns the entry as it is now; `undefined`: there is no such key.
 */
export function refreshLifetime(view: View, key: Uint8Array): Version | undefined {
  const current = view.readMeta(key);
  return current === undefined || current.ttlMs === 0 ? current : view.touch(key, current.ttlMs);
}
