/** What every shared log has to do, as tests over any place for one. */
import { onTestFinished } from 'vitest';
import { appendTests } from './contract/appends.ts';
import { lifeTests } from './contract/life.ts';
import { readingTests } from './contract/reading.ts';
import { takeOverTests } from './contract/take-over.ts';
import { trimTests } from './contract/trims.ts';
import type { LogWorld } from './world.ts';

export function sharedLogTests(name: string, makeWorld: () => Promise<LogWorld> | LogWorld): void {
  async function newWorld(): Promise<LogWorld> {
    const world = await makeWorld();
    onTestFinished(() => world.close());
    return world;
  }

  for (const tests of [lifeTests, appendTests, takeOverTests, trimTests, readingTests]) tests(name, newWorld);
}
