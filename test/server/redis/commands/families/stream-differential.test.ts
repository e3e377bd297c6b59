/** Streams beside Redis: the same commands by chance to both, in both versions of the protocol. */
import { describe, test } from 'vitest';
import { keysCommands } from '../../../../../src/server/redis/commands/families/keys/keys.ts';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings/strings.ts';
import { streamCommands } from '../../../../../src/server/redis/commands/families/streams/entries.ts';
import { streamGroupCommands } from '../../../../../src/server/redis/commands/families/streams/groups.ts';
import { streamInfoCommands } from '../../../../../src/server/redis/commands/families/streams/info.ts';
import { streamPendingCommands } from '../../../../../src/server/redis/commands/families/streams/pending.ts';
import { streamReadCommands } from '../../../../../src/server/redis/commands/families/streams/reads.ts';
import { differential } from '../../support/differential.ts';
import { hasRealRedis } from '../../support/real-redis.ts';
import { DrawnStreams } from '../drawn/streams.ts';

const rows = [
  ...streamCommands,
  ...streamReadCommands,
  ...streamGroupCommands,
  ...streamPendingCommands,
  ...streamInfoCommands,
  ...keysCommands,
  ...stringCommands,
];
const COUNT = Number(process.env['REDIS_COMMANDS'] ?? 4000);
const SEED = Number(process.env['REDIS_SEED'] ?? 15);

describe.skipIf(!hasRealRedis)('streams beside Redis', () => {
  for (const version of [2, 3] as const) {
    for (const what of ['entries', 'groups'] as const) {
      test(`${what} are answered alike in RESP${version}`, { timeout: 120_000 }, async () => {
        let drawing: DrawnStreams | undefined;
        await differential({
          rows,
          seed: SEED + version,
          count: COUNT,
          version,
          draw: (random) => {
            drawing ??= new DrawnStreams(random);
            return what === 'entries' ? drawing.command() : drawing.groupCommand();
          },
        });
      });
    }
  }
});
