/** Writes `kelp.example.yaml` anew. */
import { writeFileSync } from 'node:fs';
import { exampleConfig } from './example-config.ts';

writeFileSync('kelp.example.yaml', exampleConfig());
