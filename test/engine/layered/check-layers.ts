/** Looks whether a layered engine holds together. */
import { assert } from '../../../src/errors.ts';
import type { LayeredEngine } from '../../../src/engine/layered/layered-engine.ts';
import { WorkBudget } from '../../../src/work-budget.ts';

const NEWEST = Number.MAX_SAFE_INTEGER;

export function checkLayers(engine: LayeredEngine): void {
  const { census, dataBytes } = engine.newestState;
  const buckets = [...census.buckets()];
  assert(buckets[0]?.fence.length === 0, 'the first bucket begins with the first key');
  let keyCount = 0;
  let byteCount = 0;
  for (const [index, { fence, count }] of buckets.entries()) {
    const end = buckets[index + 1]?.fence;
    assert(end === undefined || Buffer.compare(fence, end) < 0, 'fences ascend');
    let found = 0;
    const options = { reverse: false, budget: new WorkBudget(Infinity) };
    engine.scan({ start: fence, end }, NEWEST, options, ({ keyStart, keyEnd, valueStart, valueEnd }) => {
      byteCount += keyEnd - keyStart + valueEnd - valueStart;
      return ++found > 0;
    });
    assert(found === count, `a bucket has as many live keys as it says: ${found} and not ${count}`);
    keyCount += found;
  }
  assert(keyCount === census.keyCount, 'the census has counted all');
  assert(
    byteCount === dataBytes,
    `the bytes of the newest state are counted: ${byteCount}, not ${dataBytes}`,
  );
}
