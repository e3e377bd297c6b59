#!/usr/bin/env node
/** Where `kelp` begins: with the version of Node, before anything is loaded that an older one can't read. */
import { nodeVersionFault } from '../node-version.ts';
import { useCompileCache } from './process/compile-cache.ts';

const fault = nodeVersionFault('kelp', process.versions.node);
if (fault === undefined) {
  useCompileCache();
  void import('./start.ts').then(({ start }) => start());
} else {
  process.stderr.write(`${fault}\n`);
  // That of any other failure; the table of exit codes is not for an old Node to load.
  process.exitCode = 4;
}
