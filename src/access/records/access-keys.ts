/**
 * The store's own keys for access, which no call of a client can read or write:
 *
 *     FC 01 name   a user    UserRecord
 *     FC 02 name   a role    RoleRecord
 *     FC 03 name   a token   TokenRecord
 *     FC 04        access is held open (`open-hold.ts`)   HoldRecord
 *
 * A name is 1 to 128 characters of UTF-8, so its bytes are the rest of the key, and listing them is in their order.
 */
import type { EngineRange } from '../../engine/engine.ts';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';

const REGION = 0xfc;

export const accessKind = { user: 1, role: 2, token: 3 } as const;
export type AccessKind = (typeof accessKind)[keyof typeof accessKind];

const wordOfKind = { 1: 'user', 2: 'role', 3: 'token' } as const satisfies Record<AccessKind, string>;

/** Has no name: there is one at most. */
const HOLD = 4;
export const HOLD_KEY = Uint8Array.of(REGION, HOLD);

/** All of them. */
export const ACCESS_KEYS: EngineRange = { start: Uint8Array.of(REGION), end: Uint8Array.of(REGION + 1) };

/** Of a user's name, a role's, a token's. Throws `invalidArgument` for what is no name. */
export function accessKey(kind: AccessKind, name: string): Uint8Array {
  checkName(kind, name);
  return Buffer.concat([Uint8Array.of(REGION, kind), Buffer.from(name, 'utf8')]);
}

export function isAccessKey(key: Uint8Array): boolean {
  return key[0] === REGION;
}

/** Whether a key of the region is that of the record which holds access open. */
export function isHoldKey(key: Uint8Array): boolean {
  return key[1] === HOLD && key.length === HOLD_KEY.length;
}

/** What a key of the region, which is not `HOLD_KEY`, is of; `undefined`: of a kind that this version does not know. */
export function parseAccessKey(key: Uint8Array): { kind: AccessKind; name: string } | undefined {
  const kind = key[1];
  if (kind !== accessKind.user && kind !== accessKind.role && kind !== accessKind.token) return undefined;
  return { kind, name: Buffer.from(key.subarray(2)).toString('utf8') };
}

/** The word for what is of a kind, for messages. */
export function wordOf(kind: AccessKind): (typeof wordOfKind)[AccessKind] {
  return wordOfKind[kind];
}

/** Spaces and what can't be printed would deceive who reads a list. */
const NAME = /^[^\s\p{C}]+$/u;

/** A user may be a URI that stands in its certificate; it has no password then, since a colon ends the name in Basic authentication. */
export function isAccessName(kind: AccessKind, name: string): boolean {
  const isText = name.isWellFormed() && name.length <= fixed.accessNameCharactersMax && NAME.test(name);
  return isText && (kind === accessKind.user || !name.includes(':'));
}

/** What a name of a kind has, for messages. */
export function accessNameRule(kind: AccessKind): string {
  const refused = kind === accessKind.user ? 'a space' : 'a space, a colon';
  return `1 to ${fixed.accessNameCharactersMax} characters, none of them ${refused} or a control character`;
}

function checkName(kind: AccessKind, name: string): void {
  if (isAccessName(kind, name)) return;
  throw new StoreError('invalidArgument', `the name of a ${wordOf(kind)} has ${accessNameRule(kind)}`);
}
