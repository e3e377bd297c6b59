/** What a watch is told of the elements of a collection: of packed ones all there are, of others the rows of the revision. */
import type { ElementChange } from '../../api.ts';
import { kinds } from '../../store/collections/kinds.ts';
import type { DescribeElements, ElementRow } from '../../store/watch/messages/element-rows.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { readScore } from '../sorted-set/score.ts';
import { isPacked, ITEMS_START, readCount } from './metadata.ts';
import { ItemCursor } from './packed-items.ts';

/** How the items of a packed collection follow each other, and what the value of a row is. */
interface Form {
  /** Whether a second item goes with each. */
  readonly isPaired: boolean;
  readonly change: (first: Uint8Array, second: Uint8Array) => ElementChange;
}

const formByKind: Readonly<Record<number, Form>> = {
  [kinds.hash]: { isPaired: true, change: (name, value) => changeOf({ name, value }) },
  [kinds.set]: { isPaired: false, change: (name) => changeOf({ name }) },
  [kinds.sortedSet]: {
    isPaired: true,
    change: (name, score) => changeOf({ name, score: readScore(score, 0) }),
  },
  [kinds.list]: { isPaired: false, change: (value) => changeOf({ value }) },
};

export const describeElements: DescribeElements = (metadata, rows) => {
  const form = formByKind[metadata.kind];
  if (form === undefined) return undefined;
  const value = metadata.copyValue();
  if (isPacked({ value })) return { changes: packedChanges(value, form), isWhole: true };
  // The chunks of a list say nothing of the places of its elements.
  if (metadata.kind === kinds.list) return undefined;
  return spreadChanges(value, rows, form);
};

function packedChanges(value: Uint8Array, { isPaired, change }: Form): ElementChange[] {
  const changes: ElementChange[] = [];
  const items = new ItemCursor(value, ITEMS_START);
  while (items.next()) {
    const first = items.item;
    if (isPaired) items.next();
    changes.push(change(first, items.item));
  }
  return changes;
}

function spreadChanges(
  value: Uint8Array,
  rows: readonly ElementRow[],
  form: Form,
): { readonly changes: readonly ElementChange[]; readonly isWhole: boolean } {
  let writtenCount = 0;
  const changes = rows.map(({ name, value: element }) => {
    if (element === undefined) return changeOf({ name, isRemoved: true });
    writtenCount++;
    return form.change(name, element);
  });
  // As many as there are: a collection that is new, or was packed before.
  return { changes, isWhole: writtenCount === readCount({ value }).count };
}

function changeOf(given: Partial<ElementChange>): ElementChange {
  return { name: NO_BYTES, value: NO_BYTES, score: 0, isRemoved: false, ...given };
}
