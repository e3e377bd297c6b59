import { HeapEngine } from './heap-engine.ts';
import { testEngineContract } from './engine-contract.ts';
import { testEngineHistories } from './engine-histories.ts';
import { testEngineLoads } from './engine-loads.ts';

testEngineContract('HeapEngine', () => new HeapEngine());
testEngineLoads('HeapEngine', () => new HeapEngine());
testEngineHistories('HeapEngine', () => new HeapEngine());
