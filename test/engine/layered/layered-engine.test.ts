import { LayeredEngine } from '../../../src/engine/layered/layered-engine.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { testEngineContract } from '../contract/engine-contract.ts';
import { testEngineHistories } from '../contract/engine-histories.ts';
import { HeapEngine } from '../contract/heap-engine.ts';
import { MirrorEngine } from '../contract/mirror-engine.ts';
import { CheckpointingEngine } from './checkpointing-engine.ts';
import { MapBase } from './map-base.ts';

const create = (base = new MapBase()) =>
  new LayeredEngine(base, { clock: new ManualClock(), slabBytesMax: 32 * 1024, hashSeed: [1, 2] });

let seed = 1;
const withCheckpoints = (chance: number) => () => new CheckpointingEngine(create, seed++, chance);

const form = { walksOneRevision: true };
const checkpointed = { walksOneRevision: true, countsOwnVersions: true, paysForDeleted: true };

testEngineContract('LayeredEngine', () => create(), form);
testEngineHistories('LayeredEngine', () => create(), form);
for (const chance of [0.05, 0.5, 1]) {
  const name = `LayeredEngine with checkpoints at ${chance} of all changes`;
  testEngineContract(name, withCheckpoints(chance), checkpointed);
  testEngineHistories(name, withCheckpoints(chance), checkpointed);
}
testEngineContract(
  'LayeredEngine beside HeapEngine',
  () => new MirrorEngine(withCheckpoints(0.3)(), new HeapEngine()),
  checkpointed,
);
testEngineHistories(
  'LayeredEngine beside HeapEngine',
  () => new MirrorEngine(withCheckpoints(0.3)(), new HeapEngine()),
  checkpointed,
);
