/** Checks of what the calls on users, roles and tokens take. None of them shows a secret. */
import { type Check, mustBe, oneOf, text } from '../arguments/check.ts';
import { explicitRange } from '../arguments/requests.ts';
import { secret } from '../arguments/secret.ts';
import { isRecord } from '../arguments/shape.ts';
import type { Grant, GrantedKeys, Permission } from './messages/access-types.ts';

/** The name of a user, role or token. An empty one may come of a variable that was not set, and would mean the caller. */
export const accessName: Check<string> = (given) =>
  given === '' ? ' is empty; it must be a name' : text(given);

export const newPassword: Check<string | null> = (given) => {
  if (given === null) return undefined;
  const complaint = secret(given);
  return complaint === undefined ? undefined : `${complaint}, or null for none`;
};

const permission = oneOf<Permission>(['read', 'write', 'readwrite', 'admin']);
const example = "{ permission: 'read', prefix: 'config/' }";

export const grant: Check<Grant> = (given) => {
  if (!isRecord(given)) return mustBe(given, `an object such as ${example}`);
  const complaint = permission(given['permission']);
  return complaint === undefined ? wrongKeys(given) : `.permission${complaint}`;
};

export const grantTarget: Check<Grant | GrantedKeys> = (given) => {
  if (!isRecord(given)) return mustBe(given, "an object such as { prefix: 'config/' }");
  return 'permission' in given ? grant(given) : wrongKeys(given);
};

function wrongKeys({ permission: given, ...keys }: Readonly<Record<string, unknown>>): string | undefined {
  const names = Object.keys(keys);
  if (given === 'admin') {
    return names.length === 0
      ? undefined
      : ` has ${names.join(' and ')}; a grant that is admin is for no keys`;
  }
  const complaint = explicitRange(keys) ?? severalForms(names);
  return complaint === undefined ? undefined : `${complaint}; ${howToGrantAll}`;
}

const howToGrantAll = 'a grant is for a key, a prefix, a start and an end, or, with { all: true }, all keys';

function severalForms(names: readonly string[]): string | undefined {
  const isOneForm = names.length === 1 || names.every((name) => name === 'start' || name === 'end');
  return isOneForm ? undefined : ` has ${names.join(' and ')}`;
}
