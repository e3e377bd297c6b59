/** What a transaction does with collections, step by step, each by the functions that doors call. */
import { isStoreError } from '../../../src/errors.ts';
import type { View } from '../../../src/store/views/view.ts';
import { addItems } from '../../../src/types/bloom/bloom-filter.ts';
import { editHash } from '../../../src/types/hash/hash.ts';
import { copyKey } from '../../../src/types/keys/copying.ts';
import { moveKey } from '../../../src/types/keys/moving.ts';
import { pop } from '../../../src/types/list/pop.ts';
import { push } from '../../../src/types/list/push.ts';
import { editSet } from '../../../src/types/set/set.ts';
import { SortedSetEdit } from '../../../src/types/sorted-set/sorted-set-edit.ts';
import { type Item, readContent } from './content.ts';

export type TableName = 'hash' | 'set' | 'sortedSet';

export type Step =
  /** Takes elements away, and then adds some. */
  | {
      readonly kind: 'change';
      readonly key: string;
      readonly type: TableName;
      readonly removed: readonly string[];
      readonly added: readonly Item[];
    }
  | { readonly kind: 'push'; readonly key: string; readonly elements: readonly string[] }
  | { readonly kind: 'pop'; readonly key: string; readonly count: number }
  | { readonly kind: 'filter'; readonly key: string; readonly items: readonly string[] }
  | {
      readonly kind: 'rename' | 'copy';
      readonly from: string;
      readonly to: string;
      readonly replaces: boolean;
    }
  | { readonly kind: 'remove'; readonly key: string }
  /** What is there stays, with another lifetime. */
  | { readonly kind: 'attach'; readonly key: string; readonly ttlMs: number; readonly leaseId: number }
  | { readonly kind: 'read'; readonly key: string }
  /** They are done, and taken back. */
  | { readonly kind: 'undone'; readonly steps: readonly Step[] };

/** Of filters so small that they spread, and grow, and so exact that they are never wrong here. */
export const FILTER = { errorRate: 1e-9, capacity: 20, expansion: 2, isScaling: true };

/** @returns what came of each: a result, or the code of an error, behind which the next goes on as in a MULTI. */
export function runSteps(view: View, steps: readonly Step[]): unknown[] {
  return steps.map((step) => {
    try {
      return runStep(view, step);
    } catch (error) {
      if (isStoreError(error, 'wrongType') || isStoreError(error, 'leaseNotFound')) return error.code;
      throw error;
    }
  });
}

function runStep(view: View, step: Step): unknown {
  switch (step.kind) {
    case 'change':
      return change(view, step);
    case 'push':
      return push(view, bytes(step.key), 'tail', step.elements.map(bytes));
    case 'pop':
      return pop(view, bytes(step.key), 'head', step.count)?.elements.map((each) =>
        Buffer.from(each).toString(),
      );
    case 'filter':
      return addItems(
        view,
        bytes(step.key),
        step.items.length,
        (at) => bytes(step.items[at] ?? ''),
        FILTER,
      ).map((each) => each === 'added');
    case 'rename':
      return moveKey(view, bytes(step.from), bytes(step.to), step.replaces);
    case 'copy':
      return copyKey(view, bytes(step.from), bytes(step.to), step.replaces);
    case 'remove':
      return view.delete(bytes(step.key)) !== undefined;
    case 'attach': {
      const { ttlMs, leaseId } = step;
      const version = view.read(bytes(step.key));
      if (version === undefined) return false;
      const { value, kind, collectionId } = version;
      view.put(bytes(step.key), value, { kind, collectionId, leaseId, ttlMs });
      return true;
    }
    case 'read':
      return readContent(view, step.key);
    case 'undone': {
      const savepoint = view.savepoint();
      runSteps(view, step.steps);
      view.rollBack(savepoint);
      return undefined;
    }
  }
}

function change(view: View, { key, type, removed, added }: Extract<Step, { kind: 'change' }>): unknown {
  if (type === 'sortedSet') {
    const edit = new SortedSetEdit(view, bytes(key));
    for (const name of removed) edit.remove(bytes(name));
    for (const [name, score] of added) edit.set(bytes(name), Number(score));
    edit.finish();
    return edit.count;
  }
  const edit = type === 'hash' ? editHash(view, bytes(key)) : editSet(view, bytes(key));
  for (const name of removed) edit.remove(bytes(name));
  for (const [name, value] of added)
    if (type === 'hash') edit.set(bytes(name), bytes(value));
    else edit.add(bytes(name));
  edit.save();
  return edit.count;
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}
