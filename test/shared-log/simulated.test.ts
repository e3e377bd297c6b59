import { sharedLogTests } from './contract-tests.ts';
import { simulatedWorld } from './simulated-world.ts';

for (const seed of [1, 2, 3]) sharedLogTests(`simulated from seed ${seed}`, () => simulatedWorld(seed));
sharedLogTests('simulated with changes that are lost', () => simulatedWorld(4, 0.2));
