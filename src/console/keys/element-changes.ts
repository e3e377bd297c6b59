/** Changes of a collection's elements, each on the condition that nothing else has changed the collection since it was read. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type OperationSchema, Relation } from '../../../gen/kelp/v1/kv_pb.ts';
import { ListEnd } from '../../../gen/kelp/v1/list_pb.ts';
import { ValueType } from '../../../gen/kelp/v1/types_pb.ts';
import { type Key, keyFields } from '../bytes/key-name.ts';
import { kv } from '../calls/server.ts';
import type { Element } from './elements.ts';

export type Operation = NonNullable<MessageInitShape<typeof OperationSchema>['operation']>;

/** @returns whether it was made: false where something else has changed the collection. */
export async function changeElements(key: Key, modRevision: bigint, operation: Operation): Promise<boolean> {
  const { key: text, keyBytes } = keyFields(key);
  const subject =
    keyBytes === undefined
      ? { case: 'key' as const, value: text ?? '' }
      : { case: 'keyBytes' as const, value: keyBytes };
  const compare = {
    subject,
    relation: Relation.EQUAL,
    operand: { case: 'modRevision' as const, value: modRevision },
  };
  const { succeeded } = await kv.txn({ compares: [compare], success: [{ operation }] });
  return succeeded;
}

/** What is typed: a field, a score, an index or nothing, and a value, an element or a member. */
export interface TypedElement {
  readonly name: string;
  readonly value: string;
}

/** @returns `undefined`: a score is no number. */
export function settingOf(key: Key, type: ValueType, { name, value }: TypedElement): Operation | undefined {
  const encoder = new TextEncoder();
  const bytes = encoder.encode(value);
  const fields = keyFields(key);
  switch (type) {
    case ValueType.HASH:
      return {
        case: 'hashSet',
        value: { ...fields, fields: [{ name: encoder.encode(name), value: bytes }] },
      };
    case ValueType.SET:
      return { case: 'setAdd', value: { ...fields, members: [bytes] } };
    case ValueType.SORTED_SET: {
      const score = name.trim() === '' ? Number.NaN : Number(name);
      if (Number.isNaN(score)) return undefined;
      return { case: 'sortedSetAdd', value: { ...fields, members: [{ score, member: bytes }] } };
    }
    default:
      return pushing(key, 'last', value);
  }
}

export function pushing(key: Key, end: 'first' | 'last', element: string): Operation {
  const elements = [new TextEncoder().encode(element)];
  return { case: 'listPush', value: { ...keyFields(key), elements, end: endOf(end) } };
}

/** @returns `undefined`: it is no index. */
export function replacing(key: Key, { name, value }: TypedElement): Operation | undefined {
  if (!/^\d{1,15}$/.test(name.trim())) return undefined;
  const element = new TextEncoder().encode(value);
  return { case: 'listSet', value: { ...keyFields(key), index: BigInt(name.trim()), element } };
}

export function popping(key: Key, end: 'first' | 'last'): Operation {
  return { case: 'listPop', value: { ...keyFields(key), end: endOf(end), limit: 1n } };
}

function endOf(end: 'first' | 'last'): ListEnd {
  return end === 'first' ? ListEnd.HEAD : ListEnd.TAIL;
}

/** @returns `undefined`: a list gives elements at its ends alone. */
export function removalOf(key: Key, type: ValueType, element: Element): Operation | undefined {
  const [first, second] = element;
  const fields = keyFields(key);
  if (type === ValueType.HASH && first instanceof Uint8Array) {
    return { case: 'hashDelete', value: { ...fields, names: [first] } };
  }
  if (type === ValueType.SET && first instanceof Uint8Array) {
    return { case: 'setRemove', value: { ...fields, members: [first] } };
  }
  if (type === ValueType.SORTED_SET && second instanceof Uint8Array) {
    return { case: 'sortedSetRemove', value: { ...fields, members: [second] } };
  }
  return undefined;
}
