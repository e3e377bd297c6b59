/** The facts of all commands, without what they run on: for `docs/redis.md` and for tests that compare them with those of Redis. */
import type { CommandFacts } from './commands/command.ts';
import { bitmapCommands } from './commands/families/bitmaps.ts';
import { bloomCommands } from './commands/families/bloom.ts';
import { hashCommands } from './commands/families/hash.ts';
import { hyperLogLogCommands } from './commands/families/hyperloglog.ts';
import { keysCommands } from './commands/families/keys.ts';
import { memoryKeyCommands } from './commands/families/memory.ts';
import { setCommands } from './commands/families/set.ts';
import { stringCommands } from './commands/families/strings.ts';
import { connectionCommands } from './commands/session/connection-commands.ts';
import { transactionCommands } from './commands/session/transaction-commands.ts';
import { doorCommands } from './door-services.ts';

export const commandFacts: readonly CommandFacts[] = [
  ...stringCommands,
  ...bitmapCommands,
  ...hyperLogLogCommands,
  ...bloomCommands,
  ...keysCommands,
  ...hashCommands,
  ...setCommands,
  ...memoryKeyCommands,
  ...connectionCommands,
  ...transactionCommands,
  ...doorCommands,
];
