/** The rows of all commands that a server has. */
import { bitmapCommands } from './commands/families/strings/bitmaps.ts';
import { bloomCommands } from './commands/families/sketches/bloom.ts';
import { geoCommands } from './commands/families/geo/geo.ts';
import { geoSearchCommands } from './commands/families/geo/search.ts';
import { hashCommands } from './commands/families/hash.ts';
import { hashDeadlineCommands } from './commands/families/hash-deadlines.ts';
import { hyperLogLogCommands } from './commands/families/sketches/hyperloglog.ts';
import { keysCommands } from './commands/families/keys/keys.ts';
import { listCommands } from './commands/families/lists/list.ts';
import { listMoveCommands } from './commands/families/lists/moves.ts';
import { listReadCommands } from './commands/families/lists/reads.ts';
import { setCommands } from './commands/families/set.ts';
import { sortCommands } from './commands/families/keys/sort.ts';
import { sortedSetCommands } from './commands/families/sorted-sets/sorted-set.ts';
import { sortedSetCombinationCommands } from './commands/families/sorted-sets/combinations.ts';
import { sortedSetElementCommands } from './commands/families/sorted-sets/elements.ts';
import { sortedSetPopCommands } from './commands/families/sorted-sets/pops.ts';
import { sortedSetRangeCommands } from './commands/families/sorted-sets/ranges.ts';
import { streamCommands } from './commands/families/streams/entries.ts';
import { streamGroupCommands } from './commands/families/streams/groups.ts';
import { streamInfoCommands } from './commands/families/streams/info.ts';
import { streamPendingCommands } from './commands/families/streams/pending.ts';
import { streamReadCommands } from './commands/families/streams/reads.ts';
import { stringCommands } from './commands/families/strings/strings.ts';
import { connectionCommands } from './commands/session/connection-commands.ts';
import { transactionCommands } from './commands/session/transaction-commands.ts';
import type { TableRow } from './commands/table.ts';

/** A session's commands, which need nothing but the session. */
export const sessionRows: readonly TableRow[] = [...connectionCommands, ...transactionCommands];

export const redisRows: readonly TableRow[] = [
  ...sessionRows,
  ...bitmapCommands,
  ...bloomCommands,
  ...geoCommands,
  ...geoSearchCommands,
  ...hashCommands,
  ...hashDeadlineCommands,
  ...hyperLogLogCommands,
  ...keysCommands,
  ...listCommands,
  ...listMoveCommands,
  ...listReadCommands,
  ...setCommands,
  ...sortCommands,
  ...sortedSetCommands,
  ...sortedSetCombinationCommands,
  ...sortedSetElementCommands,
  ...sortedSetPopCommands,
  ...sortedSetRangeCommands,
  ...streamCommands,
  ...streamGroupCommands,
  ...streamInfoCommands,
  ...streamPendingCommands,
  ...streamReadCommands,
  ...stringCommands,
];
