/**
 * Is loaded into a server before its own code (`--import`): on a signal it collects all garbage and prints what memory is in use.
 * What a server holds would else hide behind the garbage that it has not collected yet.
 */
import { PROBE_SIGNAL, probeLine } from './memory-line.ts';
import { measureMemory } from './memory.ts';

process.on(PROBE_SIGNAL, () => {
  void measureMemory().then((use) => process.stdout.write(`${probeLine(use)}\n`));
});
