/** Looks whether a layered engine holds together. */
import { assert } from '../../../src/errors.ts';
import type { EngineRange } from '../../../src/engine/engine.ts';
import { SPLIT_ABOVE } from '../../../src/engine/layered/census/census.ts';
import { CURRENT, NOWHERE } from '../../../src/engine/layered/layer.ts';
import type { LayeredEngine } from '../../../src/engine/layered/layered-engine.ts';
import { Merge } from '../../../src/engine/layered/merge.ts';
import { WorkBudget } from '../../../src/work-budget.ts';

const NEWEST = Number.MAX_SAFE_INTEGER;

/** @param bucketKeysMax more where reads have failed: a bucket that could not be read was not cut, which a checkpoint keeps. */
export function checkLayers(engine: LayeredEngine, bucketKeysMax = SPLIT_ABOVE): void {
  const { census, dataBytes } = engine.newestState;
  const buckets = [...census.buckets()];
  assert(buckets[0]?.fence.length === 0, 'the first bucket begins with the first key');
  let keyCount = 0;
  let byteCount = 0;
  for (const [index, { fence, sizes }] of buckets.entries()) {
    const end = buckets[index + 1]?.fence;
    assert(end === undefined || Buffer.compare(fence, end) < 0, 'fences ascend');
    let found = 0;
    const options = { reverse: false, budget: new WorkBudget(Infinity) };
    engine.scan({ start: fence, end }, NEWEST, options, ({ keyStart, keyEnd, valueStart, valueEnd }) => {
      byteCount += keyEnd - keyStart + valueEnd - valueStart;
      return ++found > 0;
    });
    assert(found === sizes.live, `a bucket has as many live keys as it says: ${found} and not ${sizes.live}`);
    keyCount += found;
    const hidden = hiddenIn(engine, { start: fence, end });
    assert(hidden.current === sizes.hidden, `a bucket hides ${hidden.current} keys, not ${sizes.hidden}`);
    assert(hidden.sealed === sizes.sealedHidden, `${hidden.sealed} sealed keys, not ${sizes.sealedHidden}`);
    assert(found + hidden.current + hidden.sealed <= bucketKeysMax, 'no bucket is too long');
  }
  assert(keyCount === census.keyCount, 'the census has counted all');
  assert(
    byteCount === dataBytes,
    `the bytes of the newest state are counted: ${byteCount}, not ${dataBytes}`,
  );
}

/** The dead keys of a range that deletions hide: those of the current generation, and those of the previous one. */
function hiddenIn(engine: LayeredEngine, range: EngineRange): { current: number; sealed: number } {
  const hidden = { current: 0, sealed: 0 };
  const merge = new Merge(engine.layers);
  merge.open(range, NEWEST, false, false, engine.layers.newestRevision);
  for (; merge.find(); merge.leave(undefined)) {
    if (merge.version() !== undefined || merge.hidingLayer === NOWHERE) continue;
    if (merge.hidingLayer === CURRENT) hidden.current++;
    else hidden.sealed++;
  }
  merge.close();
  return hidden;
}
