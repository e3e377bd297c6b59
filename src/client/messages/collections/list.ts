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
import type { Key, Value } from '../../../api.ts';
import { copyOf } from '../../../arguments/value.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';
import { toKey, toTtl } from '../request.ts';
import { toElements } from './elements.ts';
import { toDestination } from './set.ts';
import type {
  IndexRange,
  InsertOptions,
  ListEnd,
  MoveOptions,
  PopOptions,
  PushOptions,
  RemoveOptions,
} from './types.ts';

const numberByEnd: Readonly<Record<ListEnd, number>> = {
  head: ListEndNumber.HEAD,
  tail: ListEndNumber.TAIL,
};

export function toListPush(key: Key, elements: readonly Value[], options: PushOptions): ListPushRequestShape {
  const { end = 'tail', onlyIfExists = false, ttlMs } = options;
  return {
    ...toKey(key),
    elements: toElements(elements),
    end: numberByEnd[end],
    onlyIfExists,
    ttl: toTtl(ttlMs),
  };
}

export function toListPop(key: Key, { end = 'head', limit = 1 }: PopOptions): ListPopRequestShape {
  return { ...toKey(key), end: numberByEnd[end], limit };
}

export function toListSet(key: Key, index: number, element: Value): ListSetRequestShape {
  return { ...toKey(key), index, element: copyOf(element) };
}

export function toListInsert(key: Key, element: Value, options: InsertOptions): ListInsertRequestShape {
  const { before, behind } = options;
  const [pivot = NO_BYTES, inserted = NO_BYTES] = toElements([behind ?? before ?? '', element]);
  return { ...toKey(key), pivot, element: inserted, isBehind: behind !== undefined };
}

export function toListRemove(key: Key, element: Value, options: RemoveOptions): ListRemoveRequestShape {
  return { ...toKey(key), element: copyOf(element), limit: options.limit ?? 0 };
}

export function toListTrim(key: Key, { start = 0, stop }: IndexRange): ListTrimRequestShape {
  return { ...toKey(key), start, stop };
}

export function toListMove(source: Key, destination: Key, options: MoveOptions): ListMoveRequestShape {
  const { from = 'head', to = 'tail' } = options;
  return { ...toKey(source), ...toDestination(destination), from: numberByEnd[from], to: numberByEnd[to] };
}
