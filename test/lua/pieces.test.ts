import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasRealRedis } from '../server/redis/support/real-redis.ts';
import { PIECES } from './support/pieces.ts';
import { RealLua } from './support/real-lua.ts';
import { resultHere, showing } from './support/shown-result.ts';

/** What Redis gives for each piece, by subject. */
const goldenFile = (subject: string): string => `./golden/${subject.replaceAll(/[ ,]+/g, '-')}.txt`;

const written = (results: readonly (readonly [piece: string, result: string])[]): string =>
  `${results.map(([piece, result]) => `${JSON.stringify(piece)}\n  ${JSON.stringify(result)}`).join('\n')}\n`;

describe.each(Object.entries(PIECES))('%s', (subject, pieces) => {
  test('gives what is written down', () => {
    const results = pieces.map((piece): [string, string] => [piece, resultHere(showing(piece))]);
    expect(written(results)).toBe(readFileSync(new URL(goldenFile(subject), import.meta.url), 'utf8'));
  });
});

describe.skipIf(!hasRealRedis)('of Redis', () => {
  let real: RealLua;
  beforeAll(async () => {
    real = await RealLua.start();
  });
  afterAll(() => real.stop());

  test.each(Object.entries(PIECES))('what is written down is what it gives: %s', async (subject, pieces) => {
    const results: [string, string][] = [];
    for (const piece of pieces) results.push([piece, await real.result(showing(piece))]);
    await expect(written(results)).toMatchFileSnapshot(goldenFile(subject));
  });
});
