/** The rows of all commands that a server has. */
import { bitmapCommands } from './commands/families/bitmaps.ts';
import { hashCommands } from './commands/families/hash.ts';
import { hyperLogLogCommands } from './commands/families/hyperloglog.ts';
import { keysCommands } from './commands/families/keys.ts';
import { setCommands } from './commands/families/set.ts';
import { stringCommands } from './commands/families/strings.ts';
import { connectionCommands } from './commands/session/connection-commands.ts';
import { transactionCommands } from './commands/session/transaction-commands.ts';
import type { TableRow } from './commands/table.ts';

/** A session's commands, which need nothing but the session. */
export const sessionRows: readonly TableRow[] = [...connectionCommands, ...transactionCommands];

export const redisRows: readonly TableRow[] = [
  ...sessionRows,
  ...stringCommands,
  ...bitmapCommands,
  ...hyperLogLogCommands,
  ...keysCommands,
  ...hashCommands,
  ...setCommands,
];
