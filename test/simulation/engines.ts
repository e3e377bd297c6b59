/** What simulated stores run on, by the names that `npm run simulate -- --engine` takes. */
import type { Engine } from '../../src/engine/engine.ts';
import type { EngineName as StoreEngineName } from '../../src/engine-names.ts';
import { LayeredEngine } from '../../src/engine/layered/layered-engine.ts';
import { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import type { EnginePlace } from '../../src/engine/open-engine.ts';
import { HeapEngine } from '../engine/contract/heap-engine.ts';
import { MirrorEngine } from '../engine/contract/mirror-engine.ts';
import { resultOf } from '../support/pieces.ts';
import { type BaseName, openBaseByName } from './bases/base-names.ts';

export interface SimulatedEngine {
  /** What the store takes it for. */
  readonly setting: StoreEngineName;
  /** Reads that calls wait for may fail: no model beside it would have to fail as well. */
  readonly hasReads?: true;
  /** One for each start of a store. */
  make(place: EnginePlace): Engine | Promise<Engine>;
}

const engineByName = {
  memory: { setting: 'memory', make: () => new MemoryEngine() },
  heap: { setting: 'memory', make: () => new HeapEngine() },
  /** Both side by side; their answers must be the same. */
  mirror: { setting: 'memory', make: () => new MirrorEngine(new MemoryEngine(), new HeapEngine()) },
  /** Two generations in memory over the plainest base. */
  plain: { setting: 'lsm', make: (place) => layered('plain', place) },
  'plain-mirror': { setting: 'lsm', make: (place) => mirrored('plain', place) },
  /** With runs and caches so small that all their parts are at work. */
  lsm: { setting: 'lsm', hasReads: true, make: (place) => layered('lsm', place) },
  'lsm-mirror': { setting: 'lsm', make: (place) => mirrored('lsm', place) },
  bitcask: { setting: 'bitcask', hasReads: true, make: (place) => layered('bitcask', place) },
  'bitcask-mirror': { setting: 'bitcask', make: (place) => mirrored('bitcask', place) },
} as const satisfies Readonly<Record<string, SimulatedEngine>>;

export type EngineName = keyof typeof engineByName;

export function engineNamed(name: string): SimulatedEngine {
  const engine = engineByName[name as EngineName];
  if (engine === undefined) {
    throw new RangeError(`there is no engine ${name}; there are ${Object.keys(engineByName).join(', ')}`);
  }
  return engine;
}

async function layered(name: BaseName, place: EnginePlace): Promise<Engine> {
  const { clock, groupOf } = place;
  const base = await openBaseByName[name](place);
  return await new LayeredEngine(base, { clock, groupOf }).open();
}

/** An engine beside a model that begins with what is on disk. */
async function mirrored(name: BaseName, place: EnginePlace): Promise<Engine> {
  // The model tells no groups of keys apart.
  const engine = await layered(name, { ...place, groupOf: () => 0 });
  const model = new HeapEngine();
  const revision = engine.durable?.revision ?? 0;
  const walk = engine.openWalk(revision, revision);
  while (walk.next(1000, (change) => model.newest(change)));
  walk.close();
  if (!resultOf(model.finishNewest())) throw new Error('a key lies on disk twice');
  model.compact(revision);
  return new MirrorEngine(engine, model);
}
