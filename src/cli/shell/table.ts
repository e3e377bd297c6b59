/** All commands of the shell. */
import type { ShellCommand } from './command.ts';
import { listCommands } from './commands/lists.ts';
import { shellCommands } from './commands/shell.ts';
import { storeCommands } from './commands/store.ts';
import { timeToLiveCommands } from './commands/time-to-live.ts';
import { transactionCommands } from './commands/transactions.ts';
import { valueCommands } from './commands/values.ts';
import { watchingCommands } from './commands/watching.ts';
import { hashWords } from './data-types/hashes.ts';
import { listWords } from './data-types/lists.ts';
import { setWords } from './data-types/sets.ts';
import { sketchWords } from './data-types/sketches.ts';
import { sortedSetWords } from './data-types/sorted-sets.ts';

export const commands: readonly ShellCommand[] = [
  ...valueCommands,
  ...listCommands,
  ...timeToLiveCommands,
  ...watchingCommands,
  ...transactionCommands,
  ...hashWords,
  ...listWords,
  ...setWords,
  ...sortedSetWords,
  ...sketchWords,
  ...storeCommands,
  ...shellCommands,
];
