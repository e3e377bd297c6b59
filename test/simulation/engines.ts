/** What simulated stores run on, by the names that `npm run simulate -- --engine` takes. */
import type { Engine } from '../../src/engine/engine.ts';
import { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import { HeapEngine } from '../engine/contract/heap-engine.ts';
import { MirrorEngine } from '../engine/contract/mirror-engine.ts';

export type EngineName = 'memory' | 'heap' | 'mirror';

const engineByName: Readonly<Record<EngineName, () => Engine>> = {
  memory: () => new MemoryEngine(),
  heap: () => new HeapEngine(),
  /** Both side by side; their answers must be the same. */
  mirror: () => new MirrorEngine(new MemoryEngine(), new HeapEngine()),
};

export function engineNamed(name: string): () => Engine {
  const make = engineByName[name as EngineName];
  if (make === undefined) {
    throw new RangeError(`there is no engine ${name}; there are ${Object.keys(engineByName).join(', ')}`);
  }
  return make;
}
