import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasRealRedis } from '../server/redis/support/real-redis.ts';
import { SeededRandom } from '../support/random.ts';
import { rounds, timeLimitMs } from '../support/share.ts';
import { drawnProgram } from './support/drawn-program.ts';
import { RealLua } from './support/real-lua.ts';
import { resultHere, showing } from './support/shown-result.ts';

const SEED = Number(process.env['LUA_SEED'] ?? 1);

describe.skipIf(!hasRealRedis)('programs that are drawn', () => {
  let real: RealLua;
  beforeAll(async () => {
    real = await RealLua.start();
  });
  afterAll(() => real.stop());

  test('give what Redis gives for them', { timeout: timeLimitMs(600_000) }, async () => {
    for (let seed = SEED; seed < SEED + rounds(20_000); seed++) {
      const script = showing(drawnProgram(new SeededRandom(seed)));
      // How a message calls what `and` and `or` give depends on registers that are not followed here.
      const isNamed = !/ (?:and|or) /.test(script);
      const shown = (result: string): string => comparable(isNamed ? result : withoutNames(result));
      const result = shown(resultHere(script));
      expect({ seed, result }).toEqual({ seed, result: shown(await real.result(script)) });
    }
  });
});

/** Without addresses, and without the sign of 0: Lua 5.1 takes the constants 0 and -0 of one function for the same one. */
function comparable(result: string): string {
  return result.replaceAll(/0x[0-9a-f]{8,}/g, 'ADDRESS').replaceAll(/-0(?![.\d])/g, '0');
}

function withoutNames(result: string): string {
  return result.replaceAll(/(?:local|upvalue|global|field|method) '[^']*' \((a \w+ value)\)/g, '$1');
}
