/** The way of the log into a layered engine, above the state on disk. Snapshots go another way: `DurableState.load`. */
import { type EngineLoader, REFUSED_LOAD } from '../engine.ts';
import type { Change, PlacedChange } from '../version.ts';
import type { Layers, Newest } from './layers.ts';

export class LayeredLoader implements EngineLoader {
  readonly #layers: Layers;
  readonly #put: (change: Change, newest: Newest) => void;
  readonly #newest: Newest;

  /** @param put applies a change whose newest version was found. @param newest is used for that. */
  constructor(layers: Layers, newest: Newest, put: (change: Change, newest: Newest) => void) {
    this.#layers = layers;
    this.#newest = newest;
    this.#put = put;
  }

  newest(): number {
    return REFUSED_LOAD;
  }

  older(): number {
    return REFUSED_LOAD;
  }

  next(change: PlacedChange): number {
    const layers = this.#layers;
    const newest = this.#newest;
    layers.findNewest(change.key, newest);
    const { leaseId } = newest;
    const isNext =
      change.revision > newest.revision &&
      change.revision > layers.base.revision &&
      change.revision >= layers.newestRevision;
    if (!isNext) return REFUSED_LOAD;
    this.#put(change, newest);
    return leaseId;
  }

  /** Nothing is left to do. */
  finishNewest(): Generator<undefined, boolean> {
    return done();
  }

  finish(): Generator<undefined, boolean> {
    return done();
  }
}

function* done(): Generator<undefined, boolean> {
  yield;
  return true;
}
