/** The contract and the history suites of engines, over each base on disk. */
import { testEngineOverBases } from '../contract/recorded/engine-over-bases.ts';
import { newPlaceByName } from './base-places.ts';

const { btree, lsm, bitcask } = newPlaceByName;

testEngineOverBases([
  { name: 'lsm', newPlace: lsm, stepsMax: 300, part: 1 },
  { name: 'bitcask', newPlace: bitcask, stepsMax: 300, part: 1 },
  // Each commit waits for a real disk.
  { name: 'btree', newPlace: btree, stepsMax: 60, part: 1 / 5 },
]);
