/** The same steps over the model: what each must do, and tell. */
import type { Transaction } from '../transaction.ts';
import { Refusal } from '../refusal.ts';
import { byName, type Content, type Item } from './content.ts';
import type { Step } from './steps.ts';

export function modelSteps(transaction: Transaction, steps: readonly Step[]): unknown[] {
  return steps.map((step) => {
    try {
      return modelStep(transaction, step);
    } catch (error) {
      if (error instanceof Refusal) return error.code;
      throw error;
    }
  });
}

function modelStep(transaction: Transaction, step: Step): unknown {
  switch (step.kind) {
    case 'change':
      return change(transaction, step);
    case 'push': {
      const items = [
        ...itemsOf(transaction, step.key, 'list'),
        ...step.elements.map((each): Item => ['', each]),
      ];
      transaction.putContent(step.key, { type: 'list', items });
      return items.length;
    }
    case 'pop': {
      const items = itemsOf(transaction, step.key, 'list');
      if (items.length === 0) return undefined;
      const rest = items.slice(step.count);
      if (rest.length === 0) transaction.delete(step.key);
      else transaction.putContent(step.key, { type: 'list', items: rest });
      return items.slice(0, step.count).map(([, element]) => element);
    }
    case 'filter': {
      const items = itemsOf(transaction, step.key, 'bloomFilter');
      const table = new Map(items);
      const isNew = step.items.map((name) => !table.has(name) && table.set(name, '') !== undefined);
      if (isNew.includes(true)) transaction.putContent(step.key, contentOf('bloomFilter', table));
      return isNew;
    }
    case 'rename':
    case 'copy':
      return moveOrCopy(transaction, step);
    case 'remove':
      return transaction.delete(step.key) !== undefined;
    case 'attach': {
      const { key, ttlMs, leaseId } = step;
      const before = transaction.read(key);
      if (before === undefined) return false;
      transaction.put(key, before.value, ttlMs, leaseId, before.content);
      return true;
    }
    case 'read':
      return transaction.read(step.key)?.content;
    case 'undone':
      return undefined;
  }
}

function change(
  transaction: Transaction,
  { key, type, removed, added }: Extract<Step, { kind: 'change' }>,
): number {
  const items = itemsOf(transaction, key, type);
  const table = new Map(items);
  let isChanged = false;
  for (const name of removed) isChanged = table.delete(name) || isChanged;
  for (const [name, given] of added) {
    const value = type === 'set' ? '' : given;
    isChanged ||= type === 'hash' || table.get(name) !== value;
    table.set(name, value);
  }
  if (isChanged && table.size > 0) transaction.putContent(key, contentOf(type, table));
  else if (isChanged) transaction.delete(key);
  return table.size;
}

function moveOrCopy(
  transaction: Transaction,
  { kind, from, to, replaces }: Extract<Step, { kind: 'rename' | 'copy' }>,
): unknown {
  const before = transaction.read(from);
  if (before === undefined) return kind === 'rename' ? 'noKey' : false;
  if (!replaces && transaction.read(to) !== undefined) return kind === 'rename' ? 'taken' : false;
  transaction.putLike(to, before);
  if (kind === 'copy') return true;
  transaction.delete(from);
  return 'moved';
}

/** Those of a type; none where nothing is. */
function itemsOf(transaction: Transaction, key: string, type: Content['type']): readonly Item[] {
  const entry = transaction.read(key);
  if (entry === undefined) return [];
  if (entry.type !== type) throw new Refusal('wrongType');
  return entry.content?.items ?? [];
}

function contentOf(type: Content['type'], table: ReadonlyMap<string, string>): Content {
  return { type, items: [...table].sort(byName) };
}
