/** The facts of all commands, without what they run on: for `docs/redis.md` and for tests that compare them with those of Redis. */
import type { CommandFacts } from './commands/command.ts';
import { debugKeyCommands } from './commands/families/server/debug.ts';
import { functionCommands } from './commands/families/functions.ts';
import { memoryKeyCommands } from './commands/families/server/memory.ts';
import { scriptCommands } from './commands/families/scripts.ts';
import { doorCommands } from './door-services.ts';
import { redisRows } from './redis-rows.ts';

export const commandFacts: readonly CommandFacts[] = [
  ...redisRows,
  ...memoryKeyCommands,
  ...debugKeyCommands,
  ...scriptCommands,
  ...functionCommands,
  ...doorCommands,
];
