/**
 * A user that owns nothing, for tests of permissions: they do not bind root. A process that is to be such a user begins as
 * root and becomes it once it has loaded its code, which may lie where that user can't enter.
 */

/** "nobody" on every system that has the name. */
export const NOBODY_ID = 65_534;

export function becomeNobody(): void {
  process.setgroups?.([]);
  process.setgid?.(NOBODY_ID);
  process.setuid?.(NOBODY_ID);
}
