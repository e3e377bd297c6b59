/** Writes `src/shell-words/table-facts.ts` anew. */
import { writeFileSync } from 'node:fs';
import { SHELL_FACTS, shellFacts } from './shell-facts.ts';

writeFileSync(SHELL_FACTS, await shellFacts());
process.exit();
