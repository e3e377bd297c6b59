/** The ids of collections that were given out: none may be twice, in all lives of a store together. */
import type { Change } from '../../../src/engine/version.ts';
import { collectionIdOf, isElementKey } from '../../../src/store/collections/collection-keys.ts';
import type { View } from '../../../src/store/views/view.ts';

export class GivenIds {
  /** In this life. */
  readonly #given = new Set<number>();
  /** Of records, with the revision of the first that has it. */
  readonly #revisionById = new Map<number, number>();
  readonly #known = new WeakSet<View>();

  /** From now on it is told of each id that a view gives out; there is one for a life. */
  listen(view: View): void {
    if (this.#known.has(view)) return;
    this.#known.add(view);
    const take = view.newCollectionId.bind(view);
    view.newCollectionId = (): number => {
      const id = take();
      if (this.#given.has(id) || this.#revisionById.has(id))
        throw new Error(`collection id ${id} is given out a second time`);
      this.#given.add(id);
      return id;
    };
  }

  /** Something was committed. */
  record({ key, revision }: Change): void {
    if (!isElementKey(key)) return;
    const id = collectionIdOf(key);
    if (!this.#revisionById.has(id)) this.#revisionById.set(id, revision);
  }

  /** The store goes on from a revision: what came behind it never was, and its ids may come again. */
  recovered(revision: number): void {
    this.#given.clear();
    for (const [id, first] of this.#revisionById) if (first > revision) this.#revisionById.delete(id);
  }
}
