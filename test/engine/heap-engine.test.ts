import { HeapEngine } from '../../src/engine/heap-engine.ts';
import { testEngineContract } from './engine-contract.ts';

testEngineContract('HeapEngine', () => new HeapEngine());
