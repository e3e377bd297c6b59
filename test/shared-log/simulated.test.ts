import { expect, onTestFinished, test } from 'vitest';
import { sharedLog as limits } from '../../src/limits.ts';
import { sharedLogTests } from './contract-tests.ts';
import { simulatedWorld } from './simulated-world.ts';
import { batch, openNode, stored, writtenLog } from './world.ts';

for (const seed of [1, 2, 3]) sharedLogTests(`simulated from seed ${seed}`, () => simulatedWorld(seed));
sharedLogTests('simulated with changes that are lost', () => simulatedWorld(4, 0.2));

test('a reader without changes looks about once in the time of silence', async () => {
  const world = simulatedWorld(5);
  onTestFinished(() => world.close());
  const { log, head } = await writtenLog(world, 1);
  const reader = openNode(world);
  reader.trouble.isMute = true;
  const end = new AbortController();
  const records = reader.log.read(2, end.signal)[Symbol.asyncIterator]();
  await records.next();
  const beganMs = world.clock.monotonicMs();
  let last = head;
  for (let name = 2; name < 12; name++) {
    const next = records.next();
    last = stored(await log.append(last, batch(name)));
    await next;
  }
  // Of the simulated clock.
  expect(world.clock.monotonicMs() - beganMs).toBeLessThan(20 * limits.silenceMs);
  end.abort();
});
