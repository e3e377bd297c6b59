/** A store over an engine in layers, whose base is in memory: what it has committed to is there again when the store is opened anew. */
import type { Engine } from '../../../src/engine/engine.ts';
import type { BaseFlush } from '../../../src/engine/layered/base/base.ts';
import { LayeredEngine } from '../../../src/engine/layered/layered-engine.ts';
import type { EnginePlace } from '../../../src/engine/open-engine.ts';
import { MapBase } from '../../engine/layered/map-base.ts';
import { MemoryHarness, type MemoryHarnessOptions } from '../model/store-harness.ts';

/** Bases, one for each life of a store. */
export class Bases {
  newest = new MapBase();
  /** What the next start finds may not be durable, for this. */
  unsettled: Error | undefined;
  /** What each commit of a flush fails with, from now on. */
  failure: Error | undefined;
  /** What a commit of a flush waits for. */
  #held: Promise<void> | undefined;
  #letGo: () => void = () => undefined;

  readonly makeEngine = async ({ clock, groupOf }: EnginePlace): Promise<Engine> => {
    this.newest = this.newest.reopened();
    this.newest.unsettled = this.unsettled;
    this.#holdCommitsOf(this.newest);
    return await new LayeredEngine(this.newest, { clock, groupOf }).open();
  };

  /** From now on commits wait. */
  hold(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    this.#letGo = resolve;
  }

  letGo(): void {
    this.#held = undefined;
    this.#letGo();
  }

  #holdCommitsOf(base: MapBase): void {
    const begin = base.begin.bind(base);
    base.begin = async (revision: number): Promise<BaseFlush> => {
      const flush = await begin(revision);
      const commit = flush.commit.bind(flush);
      flush.commit = async (notes) => {
        await this.#held;
        if (this.failure !== undefined) throw this.failure;
        await commit(notes);
      };
      return flush;
    };
  }
}

export interface LayeredStore {
  readonly harness: MemoryHarness;
  readonly bases: Bases;
}

export async function openLayered(
  options: Omit<MemoryHarnessOptions, 'makeEngine' | 'engine'> = {},
): Promise<LayeredStore> {
  const bases = new Bases();
  const harness = await MemoryHarness.open({ ...options, engine: 'lsm', makeEngine: bases.makeEngine });
  return { harness, bases };
}
