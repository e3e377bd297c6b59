/** Collections of a store in process, behind the calls of `collections/`. */
import type {
  CollectionAnswers,
  CollectionArguments,
  CollectionKind,
  CollectionOperation,
  CollectionResult,
} from '../../api-collections.ts';
import type { Admit } from '../../api.ts';
import { wholeTimes } from '../../arguments/calls.ts';
import { collectionCallChecks } from '../../arguments/collection-calls.ts';
import type { CollectionDoor } from '../../collections/door.ts';
import type { CollectionReadAnswer, CollectionReadKind, CollectionReads } from '../../collections/reads.ts';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import type { Held } from '../../paged-list.ts';
import { collectionReaders, readCombination, type ReadStore } from './read-calls.ts';
import type { ChargeElement } from './reads.ts';

const checks = collectionCallChecks(wholeTimes.ttlMs, {}, {});

/** The calls of a store that changes are made with; see `KvStore`. */
interface ChangeStore extends ReadStore {
  hold(revision: number): Held | undefined;
  operate<Kind extends CollectionKind>(
    operation: CollectionOperation<Kind>,
    admit?: Admit<CollectionResult<Kind>>,
  ): Promise<{ readonly result: CollectionResult<Kind>; readonly revision: number }>;
}

export class StoreDoor implements CollectionDoor<object> {
  readonly checks = checks;
  readonly #store: ChangeStore;

  constructor(store: ChangeStore) {
    this.#store = store;
  }

  invalidArgument(wrong: string): StoreError {
    return new StoreError('invalidArgument', wrong);
  }

  async change<Kind extends CollectionKind>(
    kind: Kind,
    given: CollectionArguments[Kind],
  ): Promise<CollectionAnswers[Kind] & { readonly revision: number }> {
    const operation: CollectionOperation<Kind> = { kind, ...given };
    const { result, revision } = await this.#run(operation as CollectionOperation);
    const { kind: _, ...answer } = result;
    return { ...answer, revision } as CollectionAnswers[Kind] & { readonly revision: number };
  }

  goingOn(options: object): object {
    return options;
  }

  hold(revision: number): Held | undefined {
    return this.#store.hold(revision);
  }

  async read<Kind extends CollectionReadKind>(
    kind: Kind,
    asked: CollectionReads[Kind],
  ): Promise<CollectionReadAnswer<Kind>> {
    const read = collectionReaders[kind];
    return await read(this.#store, asked, chargeOfAnswer());
  }

  #run(
    operation: CollectionOperation,
  ): Promise<{ readonly result: CollectionResult; readonly revision: number }> {
    const { kind } = operation;
    if ((kind === 'setCombine' || kind === 'sortedSetCombine') && operation.destination === undefined)
      return readCombination(this.#store, kind, operation, admitted);
    return this.#store.operate(operation);
  }
}

function admitted(): void {}

/** What elements take besides their bytes. */
const ELEMENT_BYTES = 64;

/** An answer has no more than a request may read. */
function chargeOfAnswer(): ChargeElement {
  let bytesLeft = fixed.requestBytesMax;
  return (bytes) => {
    bytesLeft -= bytes + ELEMENT_BYTES;
    if (bytesLeft >= 0) return;
    throw new StoreError(
      'limitReached',
      `the answer is longer than ${fixed.requestBytesMax} bytes; read it page by page`,
    );
  };
}
