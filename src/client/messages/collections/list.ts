/** Requests on lists, from their plain form to that of the protocol. */
import {
  ListEnd as ListEndNumber,
  type ListInsertRequestShape,
  type ListMoveRequestShape,
  type ListPopRequestShape,
  type ListPushRequestShape,
  type ListRemoveRequestShape,
  type ListSetRequestShape,
  type ListTrimRequestShape,
} from '../../../../gen/kelp/v1/list_codec.ts';
import type { CollectionArguments, ListEnd } from '../../../api-collections.ts';
import { copyOf } from '../../../arguments/value.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';
import { toKey, toTtl } from '../request.ts';
import { toElements } from './elements.ts';
import { toDestination } from './set.ts';

const numberByEnd: Readonly<Record<ListEnd, number>> = {
  head: ListEndNumber.HEAD,
  tail: ListEndNumber.TAIL,
};

export function toListPush(given: CollectionArguments['listPush']): ListPushRequestShape {
  const { key, elements, end = 'tail', onlyIfExists = false, ttlMs } = given;
  return {
    ...toKey(key),
    elements: toElements(elements),
    end: numberByEnd[end],
    onlyIfExists,
    ttl: toTtl(ttlMs),
  };
}

export function toListPop(given: CollectionArguments['listPop']): ListPopRequestShape {
  const { key, end = 'head', limit = 1 } = given;
  return { ...toKey(key), end: numberByEnd[end], limit };
}

export function toListSet({ key, index, element }: CollectionArguments['listSet']): ListSetRequestShape {
  return { ...toKey(key), index, element: copyOf(element) };
}

export function toListInsert(given: CollectionArguments['listInsert']): ListInsertRequestShape {
  const { key, isBehind = false } = given;
  const [pivot = NO_BYTES, element = NO_BYTES] = toElements([given.pivot, given.element]);
  return { ...toKey(key), pivot, element, isBehind };
}

export function toListRemove(given: CollectionArguments['listRemove']): ListRemoveRequestShape {
  const { key, element, limit = 0 } = given;
  return { ...toKey(key), element: copyOf(element), limit };
}

export function toListTrim({ key, start = 0, stop }: CollectionArguments['listTrim']): ListTrimRequestShape {
  return { ...toKey(key), start, stop };
}

export function toListMove(given: CollectionArguments['listMove']): ListMoveRequestShape {
  const { key, destination, from = 'head', to = 'tail' } = given;
  return { ...toKey(key), ...toDestination(destination), from: numberByEnd[from], to: numberByEnd[to] };
}
