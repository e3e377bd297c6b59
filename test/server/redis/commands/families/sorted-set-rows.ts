/** All commands of sorted sets. */
import { sortedSetCombinationCommands } from '../../../../../src/server/redis/commands/families/sorted-sets/combinations.ts';
import { sortedSetElementCommands } from '../../../../../src/server/redis/commands/families/sorted-sets/elements.ts';
import { sortedSetPopCommands } from '../../../../../src/server/redis/commands/families/sorted-sets/pops.ts';
import { sortedSetRangeCommands } from '../../../../../src/server/redis/commands/families/sorted-sets/ranges.ts';
import { sortedSetCommands } from '../../../../../src/server/redis/commands/families/sorted-sets/sorted-set.ts';
import type { Command } from '../../../../../src/server/redis/commands/command.ts';

export const sortedSetRows: readonly Command[] = [
  ...sortedSetCommands,
  ...sortedSetRangeCommands,
  ...sortedSetPopCommands,
  ...sortedSetCombinationCommands,
  ...sortedSetElementCommands,
];
