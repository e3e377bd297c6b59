/** Whether collections are as they must be: in every state that can be read, and, in the end, in the engine's own keys. */
import type { Store } from '../../../src/api.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { isStoreError } from '../../../src/errors.ts';
import { elementsOf, SWEPT_KEYS } from '../../../src/store/collections/collection-keys.ts';
import { USER_KEYS } from '../../../src/store/views/regions.ts';
import type { ReadView } from '../../../src/store/views/view.ts';
import { isPacked } from '../../../src/types/collections/metadata.ts';
import type { SeededRandom } from '../../support/random.ts';
import { expectEqual } from '../describe.ts';
import type { Ledger } from '../ledger.ts';
import { isExpired, type ModelEntry } from '../model.ts';
import type { Machine } from '../machine.ts';
import { type Content, readContent } from './content.ts';
import { partsOf } from './opened-store.ts';

const ELEMENTS = { start: Uint8Array.of(0xfa), end: Uint8Array.of(0xfb) };

/** Holds the elements of a whole state against the model. */
export function checkContents(view: ReadView, entries: readonly ModelEntry[]): void {
  for (const { key, content } of entries) {
    const found = readContent(view, key);
    expectEqual(() => `the content of ${key} at ${view.revision}`, found, content);
  }
}

/** All collections of the visible state, in the order of their keys. */
export function visibleContents(store: Store): (readonly [string, Content])[] {
  return partsOf(store).durable.readVisible((view) => {
    const keys: string[] = [];
    view.scan(USER_KEYS, false, (shown) => keys.push(Buffer.from(shown.copyKey()).toString()) > 0);
    return keys.flatMap((key) => {
      const content = readContent(view, key);
      return content === undefined ? [] : [[key, content] as const];
    });
  });
}

/** The visible state. */
export function checkVisibleContents(store: Store, ledger: Ledger): void {
  partsOf(store).durable.readVisible((view) => {
    const { revision, instantMs } = view;
    const entries = ledger.model.entriesAt(revision);
    checkContents(
      view,
      entries.filter((entry) => !isExpired(entry, instantMs)),
    );
  });
}

/** A state of the past, which may be gone. */
export function checkOldContents(store: Store, ledger: Ledger, revision: number): void {
  try {
    partsOf(store).durable.readAt({ revision, instantMs: 0 }, (view) =>
      checkContents(view, ledger.model.entriesAt(revision)),
    );
  } catch (error) {
    if (!isStoreError(error, 'revisionCompacted')) throw error;
  }
}

/** Keeps the visible state while others go on, and looks at it now and then. */
export async function checkPinned(store: Store, machine: Machine, random: SeededRandom): Promise<void> {
  const { ledger, scheduler } = machine;
  const pin = partsOf(store).durable.pin();
  ledger.saw(pin.revision);
  try {
    for (let count = random.between(1, 8); count > 0; count--) {
      await scheduler.pause();
      pin.read((view) => {
        const entries = ledger.model.entriesAt(pin.revision);
        checkContents(
          view,
          entries.filter((entry) => !isExpired(entry, view.instantMs)),
        );
      });
    }
  } catch (error) {
    // It has given way to writes.
    if (!isStoreError(error, 'revisionCompacted')) throw error;
  } finally {
    pin.release();
  }
}

/** Every element belongs to a collection that a key has. */
export function checkNothingLeft(store: Store, engine: Engine): void {
  const { result: expected } = partsOf(store).durable.decide((view) => {
    let sum = 0;
    const ids = new Set<number>();
    view.scan(USER_KEYS, false, (shown) => {
      const { collectionId, kind } = shown;
      if (collectionId === 0) return true;
      if (ids.has(collectionId)) throw new Error(`two keys have collection ${collectionId}`);
      ids.add(collectionId);
      sum += view.count(elementsOf(collectionId));
      if (isPacked(shown)) throw new Error(`a packed collection of kind ${kind} has id ${collectionId}`);
      return true;
    });
    return sum;
  });
  if (engine.count(SWEPT_KEYS) > 0) throw new Error('something is left to be swept');
  if (engine.count(ELEMENTS) !== expected)
    throw new Error(`the engine has ${engine.count(ELEMENTS)} elements, and collections have ${expected}`);
}
