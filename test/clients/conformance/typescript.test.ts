/** The TypeScript client passes the conformance script. */
import { fileURLToPath } from 'node:url';
import { testConformance } from './conformance.ts';

testConformance('TypeScript', [
  process.execPath,
  fileURLToPath(new URL('typescript-main.ts', import.meta.url)),
]);
