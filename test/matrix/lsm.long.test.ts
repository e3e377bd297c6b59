/** What is served and stored over the engine lsm. */
import { declareSuitesOver } from './suites-over-engine.ts';

declareSuitesOver('lsm');
