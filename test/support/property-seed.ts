/**
 * One seed for all properties (fast-check), so that two runs of a commit try the same. `PROPERTY_SEED=random` tries
 * others; what fails prints its seed, to be given here.
 */
import * as fc from 'fast-check';

const { PROPERTY_SEED = '20261126' } = process.env;
if (PROPERTY_SEED !== 'random') fc.configureGlobal({ seed: Number(PROPERTY_SEED) });
