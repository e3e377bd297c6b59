/** What roles grant, in the forms of people and of the API. */
import { type Grant, type GrantedKeys, Permission } from '../../../gen/kelp/v1/access_pb.ts';
import { labelOf } from '../bytes/key-name.ts';
import { asText } from '../bytes/text.ts';

export const permissions = [
  { name: 'read', permission: Permission.READ },
  { name: 'write', permission: Permission.WRITE },
  { name: 'readwrite', permission: Permission.READWRITE },
  { name: 'admin', permission: Permission.ADMIN },
] as const;

export type PermissionName = (typeof permissions)[number]['name'];

/** `readwrite of prefix config/`, or `admin`. */
export function grantText({ permission, keys }: Grant): string {
  const name = permissions.find((each) => each.permission === permission)?.name ?? 'an unknown right';
  return keys === undefined ? name : `${name} of ${keysText(keys)}`;
}

function keysText({ keys }: GrantedKeys): string {
  switch (keys.case) {
    case 'key':
      return `key ${shown(keys.value)}`;
    case 'prefix':
      return keys.value.length === 0 ? 'all keys' : `prefix ${shown(keys.value)}`;
    case 'range': {
      const { start, end } = keys.value;
      return `range ${start.length === 0 ? '-' : shown(start)} to ${end.length === 0 ? '-' : shown(end)}`;
    }
    default:
      return 'keys of an unknown form';
  }
}

function shown(bytes: Uint8Array): string {
  return labelOf(asText(bytes) ?? bytes);
}

/** What people choose of which keys a grant is for. */
export const keyForms = ['prefix', 'key', 'range', 'all'] as const;
export type KeyForm = (typeof keyForms)[number];

/** @returns the fields of `GrantedKeys`, or what is wrong with them. */
export function grantedKeys(form: KeyForm, text: string, end: string): KeysFields | string {
  const bytes = new TextEncoder().encode(text);
  const endBytes = new TextEncoder().encode(end);
  switch (form) {
    case 'all':
      return { keys: { case: 'prefix', value: new Uint8Array(0) } };
    case 'prefix':
      return bytes.length === 0
        ? 'A prefix has one byte at least; all keys are chosen by that name.'
        : { keys: { case: 'prefix', value: bytes } };
    case 'key':
      return bytes.length === 0 ? 'A key has one byte at least.' : { keys: { case: 'key', value: bytes } };
    case 'range':
      return { keys: { case: 'range', value: { start: bytes, end: endBytes } } };
  }
}

/** The fields of `GrantedKeys`. */
export interface KeysFields {
  readonly keys:
    | { readonly case: 'key' | 'prefix'; readonly value: Uint8Array }
    | {
        readonly case: 'range';
        readonly value: { readonly start: Uint8Array; readonly end: Uint8Array };
      };
}
