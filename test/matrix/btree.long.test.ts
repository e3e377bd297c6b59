/** What is served and stored over the engine btree. */
import { declareSuitesOver } from './suites-over-engine.ts';

declareSuitesOver('btree');
