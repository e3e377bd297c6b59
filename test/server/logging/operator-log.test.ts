/** What a server logs of its store when that has failed: it is opened again in a cluster, and nowhere else. */
import { expect, test } from 'vitest';
import { createLogger } from '../../../src/server/logging/logger.ts';
import { logOperatorEvent } from '../../../src/server/logging/operator-log.ts';
import { TestLog } from '../../support/test-server.ts';

test.each([
  ['storageFailed', 'the disk failed'],
  ['ownershipLost', 'the data directory was taken away'],
] as const)('of %s', (kind, what) => {
  const log = new TestLog();
  const logger = createLogger({ level: 'info', format: 'json' }, log);
  const error = new Error('ENOSPC');
  logOperatorEvent(logger, { kind, error }, false);
  logOperatorEvent(logger, { kind, error }, true);
  expect(log.lines).toMatchObject([
    {
      level: 'fatal',
      msg: `${what}: no write is accepted until the server is started again`,
      err: { message: 'ENOSPC' },
    },
    {
      level: 'error',
      msg: `${what}: the store is closed, and opened again as soon as that goes, as a follower; this server is not ready until then`,
      err: { message: 'ENOSPC' },
    },
  ]);
});
