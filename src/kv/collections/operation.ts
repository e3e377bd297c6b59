/** Operations on collections: the one way into them, for transactions and for calls of their own. */
import type { CollectionKind, CollectionOperation, CollectionResult } from '../../api-collections.ts';
import type { Operation } from '../../api.ts';
import type { Random } from '../../clock.ts';
import type { View } from '../../store/views/view.ts';
import { hashPreparers } from './hash.ts';
import { listPreparers } from './list.ts';
import type { Chance, Preparers } from './prepared.ts';
import { setPreparers } from './set.ts';
import { sketchPreparers } from './sketch.ts';
import { sortedSetPreparers } from './sorted-set.ts';

const preparers: Preparers<CollectionKind> = {
  ...hashPreparers,
  ...listPreparers,
  ...setPreparers,
  ...sortedSetPreparers,
  ...sketchPreparers,
};

export function isCollectionOperation(operation: Operation): operation is CollectionOperation {
  return Object.hasOwn(preparers, operation.kind);
}

/** Throws `invalidArgument` for what can't be run whatever the store holds. @returns what runs it. */
export function prepareOperation<Kind extends CollectionKind>(
  operation: CollectionOperation<Kind>,
  random: Random,
): (view: View) => CollectionResult<Kind> {
  const { kind } = operation;
  const prepare: Preparers<CollectionKind>[Kind] = preparers[kind];
  const run = prepare(operation, chanceOf(random));
  return (view) => ({ kind, ...run(view) });
}

const CHANCE_BYTES = 6;

function chanceOf(random: Random): Chance {
  return () => {
    let number = 0;
    for (const byte of random.bytes(CHANCE_BYTES)) number = number * 256 + byte;
    return number / 256 ** CHANCE_BYTES;
  };
}
