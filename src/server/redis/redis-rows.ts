/** The rows of all commands that a server has. */
import { connectionCommands } from './commands/session/connection-commands.ts';
import { transactionCommands } from './commands/session/transaction-commands.ts';
import type { TableRow } from './commands/table.ts';

export const redisRows: readonly TableRow[] = [...connectionCommands, ...transactionCommands];
