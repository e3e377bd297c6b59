/** What is served and stored over the engine bitcask. */
import { declareSuitesOver } from './suites-over-engine.ts';

declareSuitesOver('bitcask');
