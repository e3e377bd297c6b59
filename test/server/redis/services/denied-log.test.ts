/** What ACL LOG keeps in memory of what clients say. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { ClientSession } from '../../../../src/server/redis/commands/session-command.ts';
import { DeniedLog } from '../../../../src/server/redis/observed/denied-log.ts';

const MIB = 1024 ** 2;

function memoryAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

test('long names of users and clients are not kept for what is told of them', () => {
  const long = (): string => 'x'.repeat(4 * MIB);
  const log = new DeniedLog({ nowMs: () => 1 }, long);
  const session = { queuedCount: -1 } as ClientSession;
  const before = memoryAfterCollection();
  for (let index = 0; index < 20; index++) log.loginRefused(session, `${index}${long()}`, 'auth');
  const lines = log.newest(100);
  expect(lines.length).toBe(20);
  expect(lines[0]?.userName).toMatch(/^19x+\.\.\.$/);
  expect(memoryAfterCollection() - before).toBeLessThan(20 * MIB);
});
