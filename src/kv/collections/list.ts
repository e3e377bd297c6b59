/** Operations on lists. */
import { bytesOf } from '../../arguments/value.ts';
import { encodeKey } from '../../store/views/keys.ts';
import { insertBeside, setElement } from '../../types/list/change.ts';
import { move } from '../../types/list/move.ts';
import { pop } from '../../types/list/pop.ts';
import { push, pushIfExists } from '../../types/list/push.ts';
import { lengthOf } from '../../types/list/read.ts';
import { removeEqual } from '../../types/list/remove.ts';
import { trim } from '../../types/list/trim.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { creating, type Preparers, someBytes, takenCount } from './prepared.ts';

type ListKind = 'listPush' | 'listPop' | 'listSet' | 'listInsert' | 'listRemove' | 'listTrim' | 'listMove';

export const listPreparers: Preparers<ListKind> = {
  listPush({ key: named, elements, end = 'tail', onlyIfExists = false, ttlMs }) {
    const key = encodeKey(named);
    const given = someBytes('elements', elements);
    return (view) =>
      creating(view, key, ttlMs, () => ({
        count: (onlyIfExists ? pushIfExists : push)(view, key, end, given),
      }));
  },

  listPop({ key: named, end = 'head', limit }) {
    const key = encodeKey(named);
    const wanted = takenCount(limit);
    return (view) => {
      const popped = pop(view, key, end, wanted);
      if (popped === undefined) return { elements: [], count: 0 };
      // Elements are views of the rows that they came from.
      return { elements: popped.elements.map((element) => new Uint8Array(element)), count: popped.count };
    };
  },

  listSet({ key: named, index, element }) {
    const key = encodeKey(named);
    const given = bytesOf(element);
    return (view) => {
      setElement(view, key, index, given);
      return {};
    };
  },

  listInsert({ key: named, pivot, element, isBehind = false }) {
    const key = encodeKey(named);
    const [sought, given] = [bytesOf(pivot), bytesOf(element)];
    return (view) => {
      const count = insertBeside(view, key, isBehind ? 'behind' : 'before', sought, given);
      return count > 0 ? { inserted: true, count } : { inserted: false, count: lengthOf(view, key) };
    };
  },

  listRemove({ key: named, element, limit = 0 }) {
    const key = encodeKey(named);
    const given = bytesOf(element);
    return (view) => removeEqual(view, key, limit, given);
  },

  listTrim({ key: named, start = 0, stop = -1 }) {
    const key = encodeKey(named);
    return (view) => ({ count: trim(view, key, start, stop) ?? 0 });
  },

  listMove({ key: named, destination, from = 'head', to = 'tail' }) {
    const key = encodeKey(named);
    const target = encodeKey(destination);
    return (view) => {
      const moved = move(view, key, from, target, to);
      if (moved === undefined) return { moved: false, element: NO_BYTES };
      return { moved: true, element: new Uint8Array(moved.element) };
    };
  },
};
