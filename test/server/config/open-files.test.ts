import { expect, test } from 'vitest';
import { serverDefaults, serverFixed } from '../../../src/limits.ts';
import { createLogger } from '../../../src/server/logging/logger.ts';
import { openFilesMax, withinOpenFiles } from '../../../src/server/config/open-files.ts';
import { TestLog } from '../../support/test-server.ts';

test.each([
  [64, 1, 16],
  [200, 1, 72],
  [1024, 1, 1024 - serverFixed.openFilesReserve],
  [1024, 2, (1024 - serverFixed.openFilesReserve) / 2],
  [2, 1, 1],
  [1, 2, 1],
])('of %i open files each of %i ports has %i, and the log says so', (filesMax, portCount, connectionsMax) => {
  const log = new TestLog();
  const logger = createLogger({ level: 'info', format: 'json' }, log);
  const limits = withinOpenFiles(serverDefaults, filesMax, portCount, logger);
  expect(limits).toEqual({ ...serverDefaults, connectionsMax });
  expect(log.lines).toEqual([
    expect.objectContaining({
      level: 'warn',
      connectionsMax,
      wanted: serverDefaults.connectionsMax,
      msg: expect.stringMatching(/--connections-max is lowered.*ulimit -n/),
    }),
  ]);
});

test.each([20_000, Infinity])('of %d open files as many may be as wanted', (filesMax) => {
  const log = new TestLog();
  const logger = createLogger({ level: 'info', format: 'json' }, log);
  expect(withinOpenFiles(serverDefaults, filesMax, 1, logger)).toBe(serverDefaults);
  expect(log.lines).toEqual([]);
});

test('what the process may have open is known, or counts as unlimited', () => {
  expect(openFilesMax()).toBeGreaterThan(0);
});
